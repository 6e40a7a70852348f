"""Files that wait to be fetched: for a while, not too many, and never under a name that can be guessed."""

import os
from pathlib import Path

import pytest

from service.compat import downloads
from service.compat.downloads import KEPT_SECONDS, Downloads
from service.errors import NotFound, Unavailable


def test_a_file_is_fetched_by_the_name_that_it_got(tmp_path: Path) -> None:
    kept = Downloads(tmp_path)
    name = kept.put(b"text", ".txt")
    assert kept.get(name) == kept.get(name) == b"text"
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    kept.close()
    assert not list(tmp_path.iterdir())
    with pytest.raises(NotFound):
        kept.get(name)


def test_after_ten_minutes_it_is_gone(tmp_path: Path) -> None:
    kept = Downloads(tmp_path)
    name = kept.put(b"text", ".txt")
    (file,) = tmp_path.rglob("*.txt")
    then = file.stat().st_mtime - KEPT_SECONDS - 1
    os.utime(file, (then, then))
    with pytest.raises(NotFound, match="10 minutes"):
        kept.get(name)
    assert not file.exists()


def test_no_other_file_is_given(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    kept = Downloads(tmp_path)
    kept.put(b"text", ".txt")
    for name in ("../secret.txt", "secret.txt", "", ".", "*"):
        with pytest.raises(NotFound):
            kept.get(name)


def test_they_are_not_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MAX_BYTES", 10)
    kept = Downloads(tmp_path)
    kept.put(b"a" * 6, ".txt")
    with pytest.raises(Unavailable):
        kept.put(b"a" * 6, ".txt")
    kept.put(b"a" * 4, ".txt")
