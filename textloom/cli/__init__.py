"""The command line: `textloom serve | models | evaluate | completion`, and one for each task: `textloom ner`.

commands.py has the commands, options.py those of the tasks. annotate.py answers rows and rewrite.py documents, of
what opening.py, rows.py and documents/ read; engines.py answers, columns.py arranges, writing.py and terminal.py
show, and formats.py has what a file may hold; cluster.py and parts.py do the same on a Ray cluster. With `--url`
it needs little; what else a command needs it names.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from dotenv import dotenv_values

from textloom.cli.commands import COMPLETE, cli
from textloom.cli.errors import Stop
from textloom.errors import LoadError

PREFIX = "TEXTLOOM_"


def main(argv: Sequence[str]) -> int:
    """Runs a command; gives its exit status: 1 if it failed or a line was bad, 2 for a wrong command."""
    _read_env_file(Path(".env"))
    try:
        if COMPLETE in os.environ:
            cli.main([*argv], prog_name="textloom", complete_var=COMPLETE)
        with cli.make_context("textloom", [*argv] or ["--help"]) as context:
            return int(cli.invoke(context) or 0)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (Stop, LoadError) as stop:
        print(f"textloom: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("textloom: interrupted; with --output, repeat the command to resume", file=sys.stderr)
        return 130
    except ModuleNotFoundError as error:
        extra = {"evaluate": "train", "serve": "server"}.get(next(iter(argv), ""), "cli")
        extra = "ray" if error.name == "ray" else extra
        print(
            f"textloom: this needs {error.name}: install textloom-service[{extra}]", file=sys.stderr
        )
        return 1
    except BrokenPipeError:  # as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def entry() -> None:
    """The command `textloom`."""
    sys.exit(main(sys.argv[1:]))


def _read_env_file(file: Path) -> None:
    """Set the variables TEXTLOOM_... of a file, but for those that are set already."""
    if file.is_file():
        for name, value in dotenv_values(file).items():
            if name.startswith(PREFIX) and value is not None:
                os.environ.setdefault(name, value)
