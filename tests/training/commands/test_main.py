"""`python -m training` without a command, with an unknown one, and `--help`."""

import pytest

from training.__main__ import COMMANDS, main
from training.tasks import packages


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(command in said for command in [*COMMANDS, *packages()])
    assert main([]) == main(["sing"]) == 2
