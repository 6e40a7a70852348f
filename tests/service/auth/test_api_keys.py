"""The file of keys and the command that keeps it."""

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.auth import api_keys, commands
from service.auth.api_keys import KeyStore

from ..helpers import until
from ..subprocesses import ROOT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def command(file: Path, *arguments: str) -> int:
    return commands.main(["--keys", str(file), *arguments])


def made(file: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What `make` prints."""
    capsys.readouterr()
    assert command(file, "make", *arguments) == 0
    return capsys.readouterr().out.strip()


def test_a_new_key_is_printed_and_only_its_hash_is_kept(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = made(file, capsys, "shop", "--rate", "60", "--concurrency", "4")
    secret = key.removeprefix("tl-1-")
    assert len(secret) >= 43  # 256 bits
    assert secret not in file.read_text()
    found = KeyStore(file).find(key.encode())
    assert found is not None
    assert (found.label, found.rate, found.concurrency, found.state) == ("shop", 60, 4, "good")


def test_equal_secrets_would_have_different_hashes() -> None:
    first, _ = api_keys.make(1, "a")
    second, _ = api_keys.make(2, "a")
    assert first.salt != second.salt
    assert api_keys._hash(b"same", first.salt) != api_keys._hash(b"same", second.salt)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "tl",
        "tl-",
        "tl-1",
        "tl-1-",
        "tl-2-{secret}",
        "tl-01-x{secret}",
        "tl-1-{secret}x",
        "tl-1- {secret}",
        "TL-1-{secret}",
        "{secret}",
        "tl-99999999999999999999-{secret}",
        "tl-²-{secret}",
        "tl-1-\udcff",
    ],
)
def test_what_is_not_exactly_the_key_is_no_key(
    file: Path, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = made(file, capsys, "shop").removeprefix("tl-1-")
    presented = wrong.format(secret=secret).encode(errors="surrogateescape")
    assert KeyStore(file).find(presented) is None


def test_a_key_may_expire_and_may_be_revoked(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soon = made(file, capsys, "soon", "--days", "30").encode()
    late = made(file, capsys, "late", "--days", "-1").encode()
    gone = made(file, capsys, "gone").encode()
    assert command(file, "revoke", "gone") == 0
    found = KeyStore(file)
    states = [key.state for each in (soon, late, gone) if (key := found.find(each))]
    assert states == ["good", "expired", "revoked"]
    expires = found.find(soon).expires  # type: ignore[union-attr]
    assert expires is not None
    assert timedelta(days=29) < expires - datetime.now(UTC) < timedelta(days=31)


def test_the_list_shows_labels_and_states_and_no_secret(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = made(file, capsys, "shop", "--rate", "60")
    made(file, capsys, "late", "--days", "-1")
    assert command(file) == 0
    listed = capsys.readouterr().out
    assert listed.splitlines()[1].split()[:3] == ["1", "shop", "good"]
    assert listed.splitlines()[2].split()[:3] == ["2", "late", "expired"]
    for hidden in (secret, *json.loads(file.read_text())["keys"][0]["hash"].split()):
        assert hidden not in listed


def test_a_label_names_one_living_key_and_can_be_used_again(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = made(file, capsys, "shop").encode()
    assert command(file, "make", "shop") == 1
    assert "revoke it first" in capsys.readouterr().err
    assert command(file, "revoke", "shop") == 0
    new = made(file, capsys, "shop").encode()
    found = KeyStore(file)
    assert [key.state for each in (old, new) if (key := found.find(each))] == ["revoked", "good"]
    assert new.startswith(b"tl-2-")  # a number is never given twice


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["make", "a b"], "label: String should match pattern"),
        (["make", "-"], "label: String should match pattern"),
        (["make", "shop", "--rate", "0"], "rate: Input should be greater than or equal to 1"),
        (["revoke", "shop"], "there is no key 'shop' to revoke; there is none"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    file: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api_keys.write(file, [])
    assert command(file, *arguments) == 1
    assert says in capsys.readouterr().err
    assert api_keys.read(file).keys == []


def test_a_file_is_needed_and_may_be_named_by_the_setting(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEXTLOOM_KEYS", raising=False)
    assert commands.main([]) == 1
    assert "TEXTLOOM_KEYS" in capsys.readouterr().err
    monkeypatch.setenv("TEXTLOOM_KEYS", str(file))
    assert commands.main([]) == 1  # only `make` makes one
    assert f"there is no file {file}; `keys make` creates it" in capsys.readouterr().err
    assert commands.main(["make", "shop"]) == 0


def test_it_is_a_command_of_the_service(file: Path) -> None:
    start = [sys.executable, "-m", "service", "keys", "--keys", str(file)]
    done = subprocess.run(
        [*start, "make", "shop"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("tl-1-")
    assert stat.S_ISREG(file.stat().st_mode)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "Invalid JSON"),
        ('{"keys": [{"number": 1}]}', "/keys/0/label: Field required"),
        ('{"kyes": []}', "/kyes: Extra inputs"),
    ],
)
def test_a_service_does_not_start_with_a_file_that_it_cannot_read(
    file: Path, content: str, says: str
) -> None:
    file.write_text(content)
    start = [sys.executable, "-m", "service", "--keys", str(file)]
    done = subprocess.run(start, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--keys: Value error" in done.stderr
    assert says in done.stderr


def test_two_keys_cannot_have_the_same_number(file: Path) -> None:
    first, _ = api_keys.make(1, "a")
    file.write_text(json.dumps({"keys": [first.model_dump(mode="json")] * 2}))
    with pytest.raises(ValueError, match="same number"):
        api_keys.read(file)


def test_a_changed_file_is_read_again_and_a_damaged_one_changes_nothing(
    file: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    first = made(file, capsys, "first").encode()
    running = KeyStore(file)
    second = made(file, capsys, "second").encode()
    until(lambda: running.find(second) is not None)
    whole = file.read_text()
    file.write_text(whole[:-9])
    until(lambda: running.find(first) and "the keys stay as they were" in caplog.text)
    file.unlink()
    until(lambda: running.find(first) and "No such file" in caplog.text)
    api_keys.write(file, [])
    until(lambda: running.find(first) is None)


def test_a_file_is_written_whole_or_not_at_all(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made(file, capsys, "shop")
    before = file.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fail)
    monkeypatch.setattr(Path, "replace", fail)
    assert command(file, "make", "other") == 1
    assert "no space left" in capsys.readouterr().err
    assert file.read_bytes() == before
