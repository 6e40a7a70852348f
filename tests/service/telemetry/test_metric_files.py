"""The files of the metrics: room is taken beforehand, and nothing is left behind."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.telemetry import metric_files

from ..helpers import until, value
from ..subprocesses import logged, process, status, workers


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory with room for a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(command, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_folder_has_all_the_room_that_its_files_need(tmp_path: Path) -> None:
    folder = metric_files.make(2, [tmp_path])
    assert folder
    files = sorted(folder.glob("*.db"))
    assert len(files) == 3 * len(metric_files.SIZES)
    for file in files:
        assert file.stat().st_blocks * 512 >= file.stat().st_size > 0


def test_where_there_is_no_room_another_place_is_tried(small_disk: Path, tmp_path: Path) -> None:
    folder = metric_files.make(1, [small_disk, tmp_path / "nowhere", tmp_path])
    assert folder
    assert folder.parent == tmp_path
    assert not list(small_disk.iterdir())
    assert metric_files.make(1, [small_disk]) is None


def test_what_a_dead_supervisor_left_is_removed_and_what_a_living_one_has_is_not(
    tmp_path: Path,
) -> None:
    living = metric_files.make(1, [tmp_path])
    stale, foreign = tmp_path / "textloom-stale", tmp_path / "textloom-foreign"
    for folder in (stale, foreign):
        folder.mkdir()
        (folder / "counter_0.db").touch()
    (stale / metric_files.LOCK).touch()
    metric_files.remove_stale(tmp_path)
    assert living
    assert {path for path in tmp_path.iterdir() if path.is_dir()} == {living, foreign}


def folder_of(pid: int) -> Path:
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return next(Path(line.split()[-1]).parent for line in maps if line.endswith(".db"))


def test_workers_that_die_leave_no_files_and_nothing_of_what_they_counted_is_lost(
    tiny_models: Path,
) -> None:
    with process("--models", str(tiny_models), "--workers", "2") as (started, client):
        until(lambda: status(client, "/health/ready") == 200)
        url = str(client.base_url)
        client.close()
        folder = folder_of(workers(started)[0])
        before = sorted(folder.iterdir())
        for round_ in range(1, 4):
            for _ in range(10):
                asked = httpx.post(f"{url}/sentiment", json={"text": "a good day"}, timeout=120)
                assert asked.status_code == 200

            def counted() -> float:
                with httpx.Client(base_url=url, timeout=120) as fresh:
                    return value(fresh, "textloom_http_requests_total", route="/sentiment")

            until(lambda wanted=10 * round_: counted() == wanted)
            first = workers(started)[0]
            os.kill(first, signal.SIGKILL)
            until(lambda gone=first: gone not in workers(started) and len(workers(started)) == 2)
        assert sorted(folder.iterdir()) == before
        assert sum(file.stat().st_size for file in before) < 4_000_000
        with httpx.Client(base_url=url, timeout=120) as fresh:
            until(lambda: value(fresh, "textloom_model_info") == 4)
        assert "Traceback" not in logged(started)


def test_a_full_disk_costs_new_series_and_not_the_service(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert metric_files.has_room()  # a process alone counts in its own memory
    monkeypatch.setenv(metric_files.FOLDER, str(small_disk))
    assert not metric_files.has_room()
