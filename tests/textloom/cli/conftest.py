"""The command line in this process, in a folder of its own, with tiny models."""

import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.service import tiny
from textloom.cli import main


@dataclass(frozen=True)
class Done:
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(
    tiny_models: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Run:
    """Runs a command, and checks its exit status."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEXTLOOM_MODELS", str(tiny_models))

    def call(*arguments: object, status: int = 0) -> Done:
        found = main([str(argument) for argument in arguments])
        out, err = capfdbinary.readouterr()
        done = Done(out.decode(), err.decode())
        assert found == status, done
        return done

    return call


@pytest.fixture(scope="session")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A translator that reads as those of today do, and writes `e` as `é`."""
    folder = tmp_path_factory.mktemp("readers")
    tiny.copier(folder, "en", "fr", {*string.printable[:95], "é"}, {"e": "é"})
    return folder
