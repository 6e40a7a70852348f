"""What the command of a task was given, checked: what to read, how, and where to write.

Leaves out reading it (opening.py, rows.py) and the options of the task itself (options.py).
"""

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textloom.cli.delimiters import named
from textloom.cli.errors import Stop
from textloom.cli.opening import Source, kind_of
from textloom.cli.options import chosen


@dataclass(frozen=True)
class Arguments:
    task: str
    options: Mapping[str, Any]
    """Of the task."""
    sources: Sequence[Source]
    texts: Sequence[str]
    """Given as such; then there are no sources."""
    column: str | None
    output: Path | None
    format: str | None
    overwrite: bool
    workers: int | None
    shard: tuple[int, int] | None
    url: str | None
    models: Path | None
    """The folder; None: the models that are shipped."""
    folder: str = ""
    """`output` as it was given: for a cluster perhaps s3://bucket/folder."""
    address: str | None = None
    """Of a Ray cluster; None: of the variable RAY_ADDRESS, or one on this machine."""

    @property
    def redacts(self) -> bool:
        """Whether texts come back with their entities replaced, and nothing else."""
        return self.task == "ner" and bool(
            self.options.get("redact") or self.options.get("pseudonyms")
        )


def read(task: str, given: Mapping[str, Any]) -> Arguments:
    """Raises Stop."""
    texts, sources = list(given["text"]), []
    ray, form = given["engine"] == "ray", given["format"]
    files = [*given["files"]] or ([] if texts else ["-"])
    if files and all(map(_is_text, files)):
        texts, files = [*texts, *files], []
    if texts and files:
        raise Stop(f"{files[0]} is a file, but there are also texts; process them separately")
    encoding = _encoding(given["encoding"])
    delimiter = named(given["delimiter"]) if given["delimiter"] is not None else None
    for file in files:
        if file != "-" and not ray and not Path(file).exists():
            hint = "" if Path(file).suffix else f"; to process it as a text, use --text {file!r}"
            raise Stop(f"{file}: No such file{hint}")
        kind = given["input_format"] or kind_of(file)
        sources.append(Source(file, kind, encoding, delimiter))
    if texts and given["column"] is not None:
        raise Stop("--column: a text has no columns")
    if given["output"] and form and not ray:
        raise Stop("--format is for standard output; the extension of --output sets its format")
    if form in ("tsv", "parquet") and not ray:
        raise Stop(f"--format {form} is for --engine ray; here, write a file: -o NAME.{form}")
    return Arguments(
        task=task,
        options=_markup(task, sources) | chosen(given),
        sources=sources,
        texts=texts,
        url=given["url"] or None,
        output=Path(given["output"]) if given["output"] else None,
        folder=given["output"] or "",
        **{
            name: given[name]
            for name in (
                "column",
                "format",
                "overwrite",
                "workers",
                "shard",
                "models",
                "address",
            )
        },
    )


def _markup(task: str, sources: Sequence[Source]) -> dict[str, Any]:
    """How the translator is told that it reads HTML. Raises Stop."""
    html = [source.kind == "html" for source in sources]
    if task != "translate" or not any(html):
        return {}
    if not all(html):
        raise Stop("HTML and other files are translated differently; process them separately")
    return {"format": "html"}


def _is_text(argument: str) -> bool:
    """Whether an argument is no name of a file, but a text: nothing is there, and it has white space."""
    if argument == "-":
        return False
    try:
        return len(argument.split()) > 1 and not Path(argument).exists()
    except OSError:  # too long for a name
        return True


def _encoding(given: str | None) -> str | None:
    if given is None:
        return None
    try:
        return codecs.lookup(given).name
    except LookupError:
        raise Stop(
            f"--encoding: there is no encoding {given!r}; cp1252 is one, for example"
        ) from None
