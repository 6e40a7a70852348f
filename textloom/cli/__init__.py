"""The command line: `textloom serve | models | evaluate`, and a command for each task: `textloom ner`.

Reads the arguments, those of a task as options.py says; annotate.py puts the parts together: rows.py reads,
engines.py answers, columns.py arranges, writing.py and terminal.py show. Only `--url` works without a checkout:
the models are run by service/ and scored by training/.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from textloom.cli.errors import Stop
from textloom.cli.options import TaskCommand, task_commands

ROOT = Path(__file__).parents[2]

ABOUT = """Names, sentiment and translation of many texts, on this machine.

  textloom ner story.txt                                the names, line by line, coloured
  textloom sentiment reviews.csv --column review -o judged.csv
  zcat log.gz | textloom translate --to fr > french.jsonl
"""
FILES = """FILE is text (a text a line), or .csv, .jsonl or .parquet, read from --column. Without FILE, lines from
standard input. Everything that a row holds comes out again, with the answer in further columns:

  ner        entities
  sentiment  sentiment, sentiment_score, sentiment_scores (sentiment_sentences)
  translate  translation, translation_source, translation_score (translation_alternatives)
  any other  the task's label under its name; whatever else it answers under its name and that of the field

A line that cannot be answered has the reason in `error`, is reported, and does not stop the rest. With --output, a
run that was broken off goes on where it was when the same command is given again.
"""


def main(argv: Sequence[str]) -> int:
    """Runs a command; gives its exit status: 1 if it failed or a line was bad, 2 for a wrong command."""
    try:
        return _run(argv)
    except Stop as stop:
        print(f"textloom: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "textloom: stopped; with --output, the same command goes on from here", file=sys.stderr
        )
        return 130
    except ModuleNotFoundError as error:
        command = "a checkout"
        if error.name not in ("service", "training"):
            command = f"`make {'install' if argv[0] == 'evaluate' else 'cli'}` in a checkout"
        print(f"textloom: this needs {command}, which has {error.name}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(argv: Sequence[str]) -> int:
    match argv[:1]:
        case ["serve"]:  # which has options of its own, as `evaluate` has
            sys.argv = ["textloom serve", *argv[1:]]
            import_module("service.__main__").main()
            return 0
        case ["evaluate"]:
            status: int = import_module("training.__main__").main([*argv])
            return status
    tasks = {} if argv[:1] == ["models"] else task_commands(argv)
    arguments = _parser(tasks.values()).parse_args(argv)
    if arguments.command == "models":
        from textloom.cli import listing

        return listing.show(arguments)
    from textloom.cli import annotate

    return annotate.run(arguments)


def entry() -> None:
    """The command `textloom`."""
    sys.exit(main(sys.argv[1:]))


def _parser(tasks: Iterable[TaskCommand]) -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="textloom", description=ABOUT, formatter_class=raw)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("serve", help="serve over HTTP (textloom serve --help lists its options)")

    def task(name: str, about: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=about, epilog=FILES, formatter_class=raw)
        add = made.add_argument
        add(
            "file",
            nargs="?",
            default="-",
            metavar="FILE",
            help="what to read; - for standard input",
        )
        add("--column", help="the column with the text; if it is not given, `text`")
        add(
            "-o",
            "--output",
            type=Path,
            help="file to write; its ending (.jsonl, .csv, .parquet) is its format",
        )
        add(
            "--format",
            choices=["pretty", "jsonl", "csv"],
            help="of standard output; pretty on a terminal",
        )
        add("--overwrite", action="store_true", help="replace the output file, and begin anew")
        add(
            "--workers",
            type=_count,
            help="processes; as many as there are cores. With --url, requests at once: 4",
        )
        add("--model", help="the model that answers, by its name; the task's default if not given")
        _where(add)
        return made

    for each in tasks:
        each.add_options(task(each.name, each.summary))
    _where(commands.add_parser("models", help="list the models").add_argument)
    commands.add_parser("evaluate", help="score a bundle on a file (textloom evaluate --help)")
    return parser


def _where(add: Any) -> None:
    add("--url", help="ask this server; without it, the models are run here")
    add(
        "--models",
        type=Path,
        default=ROOT / "models",
        help="folder of the models that are run here",
    )


def _count(given: str) -> int:
    count = int(given)
    if count < 1:
        raise ValueError
    return count
