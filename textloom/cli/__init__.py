"""The command line: `textloom serve | ner | sentiment | translate | models | evaluate`.

Reads the arguments; annotate.py puts the parts together: rows.py reads, engines.py answers, writing.py and
terminal.py show. Only `--url` works without a checkout: the models are run by service/ and scored by training/.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from textloom.cli.errors import Stop

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
    arguments = _parser().parse_args(argv)
    if arguments.command == "models":
        from textloom.cli import listing

        return listing.show(arguments)
    from textloom.cli import annotate

    return annotate.run(arguments)


def entry() -> None:
    """The command `textloom`."""
    sys.exit(main(sys.argv[1:]))


def _parser() -> argparse.ArgumentParser:
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
        _where(add)
        return made

    ner = task("ner", "find names")
    ner.add_argument("--labels", type=lambda given: given.split(","), help="only these, as PER,LOC")
    ner.add_argument(
        "--min-score", type=float, default=0.0, help="only names at least this sure, 0 to 1"
    )
    ner.add_argument("--offsets", choices=["codepoint", "utf16", "byte"], default="codepoint")
    sentiment = task("sentiment", "judge whether texts are negative, neutral or positive")
    sentiment.add_argument("--sentences", action="store_true", help="judge each sentence too")
    translate = task("translate", "translate")
    translate.add_argument("--to", required=True, dest="target", metavar="LANGUAGE", help="as fr")
    translate.add_argument(
        "--from", default="auto", dest="source", metavar="LANGUAGE", help="detected if not given"
    )
    translate.add_argument("--alternatives", type=int, choices=range(5), default=0, metavar="0..4")
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
