"""The commands and the options that all tasks share, with click. Which tasks there are, options.py finds out."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class

from textloom import __version__, repository
from textloom.cli.errors import Stop
from textloom.cli.options import KNOWN, TaskCommand, task_commands
from textloom.errors import LoadError

COMPLETE = "_TEXTLOOM_COMPLETE"
"""The variable that a shell sets when it asks for completions."""

ABOUT = """Find names, judge sentiment and translate: on this machine, or with a server.

\b
  textloom ner "Ada Lovelace lived in London."
  textloom sentiment reviews.csv --column review -o judged.csv
  textloom translate page.html --to fr -o page.fr.html
  zcat log.gz | textloom ner --redact > log.txt

Environment variables: TEXTLOOM_URL is the server, as --url; TEXTLOOM_KEY its API key; TEXTLOOM_MODELS the
folder of the models, as --models; TEXTLOOM_PINS the versions to use. They are also read from a file .env in the
current folder.
"""
FILES = """FILE is plain text (one text per line), a table (.csv, .tsv, .parquet), JSON (.jsonl, .json) or a
document. Files ending in .gz and .xz are decompressed. An argument that contains spaces and is not a file is
the text itself. Without FILE, lines are read from standard input.

All columns of a row are copied to the output, followed by the answer:

\b
  ner        entities
  sentiment  sentiment, sentiment_score, sentiment_scores (sentiment_sentences)
  translate  translation, translation_source, translation_score (translation_alternatives)
  others     the label in a column named after the task, other fields in columns TASK_FIELD

Documents (.srt, .vtt, .html, .md, .po; .txt with --output NAME.txt) keep their structure; only their text is
translated. `ner --redact` writes the file, or the rows, with the entities replaced.

Lines that cannot be answered are reported, have the reason in `error`, and do not stop the run. With --output,
repeat the command to resume an interrupted run.
"""
PASSED_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}
"""Of commands that read their arguments themselves."""


RUNS = "textloom.runs"
"""In a context: a command is to be run, not only listed."""


class Tasks(click.Group):
    """The commands written here, and one for each task of the server that is asked, or of this installation."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self._tasks(ctx), *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        if command is None and (task := self._tasks(ctx).get(cmd_name)):
            command = _task_command(task)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        ctx.obj, ctx.meta[RUNS] = _server(args[1:]), True
        return super().resolve_command(ctx, args)

    def _tasks(self, ctx: click.Context) -> dict[str, TaskCommand]:
        """By their names. For help and completion, those that are always there if nothing answers."""
        runs = ctx.meta.get(RUNS, False)
        try:
            return task_commands(ctx.obj if runs else _server([]))
        except (Stop, LoadError):
            if runs and not ctx.resilient_parsing:
                raise
            return KNOWN


def _server(arguments: Sequence[str]) -> str | None:
    """The server that these arguments ask, before they are read: they may be options that it declares."""
    for place, argument in enumerate(arguments):
        if argument == "--url":
            return next(iter(arguments[place + 1 :]), None)
        if argument.startswith("--url="):
            return argument.removeprefix("--url=")
    here = any(argument.split("=")[0] == "--models" for argument in arguments)
    return None if here else os.environ.get("TEXTLOOM_URL")


class Shard(click.ParamType[tuple[int, int]]):
    """`2/4`: the second of four parts."""

    name = "I/N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        number, _, parts = str(value).partition("/")
        if not (number.isdecimal() and parts.isdecimal() and 1 <= int(number) <= int(parts)):
            self.fail(f"{value!r} is not of the form I/N, such as 2/4", param, ctx)
        return int(number), int(parts)


def _where() -> list[click.Option]:
    return [
        click.Option(
            ["--url"], help="Send requests to this server. By default, run the models here."
        ),
        click.Option(
            ["--models"],
            type=click.Path(path_type=Path),
            help="Folder of the models to run. Default: the shipped models.",
        ),
    ]


def _shared() -> list[click.Parameter]:
    """What the command of every task has."""
    kinds = ["text", "csv", "tsv", "jsonl", "json", "parquet", "srt", "html", "md", "po"]
    return [
        click.Argument(["files"], nargs=-1, metavar="[FILE]..."),
        click.Option(["--text"], multiple=True, help="Process this text. Can be repeated."),
        click.Option(["--column"], help="Column that contains the text. Default: text."),
        click.Option(
            ["--input-format"],
            type=click.Choice(kinds),
            help="Format of the input. Default: by the extension of its name.",
        ),
        click.Option(
            ["--delimiter"], help="Delimiter of a table: a character, or tab. Default: detected."
        ),
        click.Option(["--encoding"], help="Encoding of the input. Default: detected."),
        click.Option(
            ["-o", "--output"],
            type=click.Path(),
            help="Output file; its extension sets the format: .jsonl, .csv, .tsv, .parquet, or that of a document."
            " For several documents, a folder.",
        ),
        click.Option(
            ["--format"],
            type=click.Choice(["pretty", "jsonl", "csv", "tsv", "parquet"]),
            help="Format of standard output: pretty, jsonl or csv. Default: pretty on a terminal, else jsonl. With"
            " --engine ray, format of the files in --output: jsonl (the default), csv, tsv or parquet.",
        ),
        click.Option(
            ["--overwrite"], is_flag=True, help="Overwrite the output file instead of resuming."
        ),
        click.Option(
            ["--workers"],
            type=click.IntRange(min=1),
            help="Number of processes. Default: one per core. With --url, concurrent requests; default: 4.",
        ),
        click.Option(
            ["--shard"],
            type=Shard(),
            help="Process every Nth row or document, starting at the Ith.",
        ),
        click.Option(
            ["--engine"],
            type=click.Choice(["processes", "ray"]),
            default="processes",
            help="Where the models run: in processes on this machine, or on a Ray cluster. With ray, --output is a"
            " folder, and files may be s3://, gs:// or patterns.",
        ),
        click.Option(
            ["--address"],
            help="Address of the Ray cluster. Default: RAY_ADDRESS, or a cluster on this machine.",
        ),
        click.Option(["--model"], help="Name of the model. Default: the task's default model."),
        *_where(),
    ]


def _task_command(task: TaskCommand) -> click.Command:
    shared = _shared()

    def run(**given: Any) -> int:
        from textloom.cli import annotate, rewrite
        from textloom.cli.arguments import read

        arguments = read(task.name, {**given, "url": click.get_current_context().obj})
        if given["engine"] == "ray":
            from textloom.cli import cluster

            return cluster.run(arguments)
        if rewrite.wanted(arguments):
            return rewrite.run(arguments)
        return annotate.run(arguments)

    return click.Command(
        task.name,
        params=[*shared, *task.options(taken=shared)],
        callback=run,
        help=f"{task.summary[:1].upper()}{task.summary[1:]}.",
        short_help=task.summary,
        epilog=FILES,
    )


@click.group(cls=Tasks, help=ABOUT)
@click.version_option(__version__)
def cli() -> None:
    """Every command is one of the group."""


@cli.command(
    "models",
    params=[*_where()],
    short_help="list the models",
    help="List the models, one per line.",
)
def list_models(url: str | None, models: Path | None) -> int:
    from textloom.cli import listing

    return listing.show(click.get_current_context().obj, models)


@cli.command(
    context_settings=PASSED_ON, add_help_option=False, short_help="serve the models over HTTP"
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(arguments: tuple[str, ...]) -> int:
    if not (Path("models").is_dir() or repository.VARIABLE in os.environ):
        with suppress(LoadError):  # what is wrong, the service says
            os.environ[repository.VARIABLE] = str(repository.find())
    sys.argv = ["textloom serve", *arguments]
    import_module("service.__main__").main(program="textloom serve")
    return 0


@cli.command(
    context_settings=PASSED_ON, add_help_option=False, short_help="score a bundle on files"
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def evaluate(arguments: tuple[str, ...]) -> int:
    status: int = import_module("training.__main__").main(
        ["evaluate", *arguments], program="textloom"
    )
    return status


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a completion script for a shell.

    \b
      bash  eval "$(textloom completion bash)"     in ~/.bashrc
      zsh   eval "$(textloom completion zsh)"      in ~/.zshrc
      fish  textloom completion fish > ~/.config/fish/completions/textloom.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "textloom", COMPLETE).source())
