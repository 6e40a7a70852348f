"""Documents rewritten, as by `textloom translate page.html`, or `ner letter.txt --redact`: only texts change.

A document is written once all of it is answered. Leaves out what a document's texts are (documents/) and rows
(annotate.py).
"""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textloom.cli import annotate, documents
from textloom.cli.arguments import Arguments
from textloom.cli.documents import Document
from textloom.cli.errors import Stop
from textloom.cli.opening import Source, ending
from textloom.cli.rows import Row
from textloom.cli.writing import ENDINGS

REDACTED = ("text", "srt", "md")
"""Formats that are redacted as a whole: what a reader does not see of HTML and PO files may hold names, too."""

_PSEUDONYM = re.compile(r"\[[^\[\]\s]{1,64}-\d{1,9}\]")


def wanted(arguments: Arguments) -> bool:
    """Whether documents come out, not rows. Raises Stop if that is so of some files only, or cannot be."""
    output = arguments.output
    if arguments.format or not arguments.sources or (output and ending(output.name) in ENDINGS):
        return False
    if arguments.redacts:
        kinds: Sequence[str] = REDACTED
        for source in arguments.sources:
            if source.kind in ("html", "po"):
                raise Stop(
                    f"{source.name}: only text, subtitles, Markdown and rows are redacted; other"
                    " documents may contain names in places that are not displayed"
                )
    elif arguments.task == "translate":
        plain = output is not None and ending(output.name) == ".txt"
        kinds = [*documents.KINDS, "text"] if plain else documents.KINDS
    else:
        return False
    among = [source.kind in kinds for source in arguments.sources]
    if any(among) and not all(among):
        raise Stop("documents and rows have different outputs; process them separately")
    return all(among)


def run(arguments: Arguments) -> int:
    """Rewrites each document; gives the exit status."""
    number, parts = arguments.shard or (1, 1)
    sources = arguments.sources[number - 1 :: parts]
    targets = _targets(arguments, sources)
    opened = [_Opened.read(source) for source in sources]
    options = {name: value for name, value in arguments.options.items() if name != "offsets"}
    total = sum(len(each.rows) for each in opened)
    engine = annotate.engine_of(arguments, options, small=total < annotate.CHUNK)
    bar = annotate.progress(total, drawn=sys.stderr.isatty() and arguments.output is not None)
    report = annotate.Report(bar)
    try:
        for each, target in zip(opened, targets, strict=True):
            redactor = _Redactor(each.document.texts, options) if arguments.redacts else None
            answers: list[str | None] = []
            for row, result, problem in annotate.answer(each.rows, engine, annotate.CHUNK):
                answer = None if problem else _answer(row.text, result, redactor)
                if (
                    answer
                    and not redactor
                    and each.checked
                    and documents.loses_markup(row.text, answer)
                ):
                    answer, problem = (
                        None,
                        "markup or placeholders would be lost; left untranslated",
                    )
                report.add(row.place, problem)
                answers.append(answer)
            if None in answers and (redactor or {*answers} == {None}):
                raise Stop(
                    f"{each.source.name}: not written, because some texts could not be processed"
                )
            _write(each.encoded(each.document.with_texts(answers, options.get("target"))), target)
        return report.end(arguments.output, 0)
    finally:
        engine.close()
        bar.close()


@dataclass(frozen=True)
class _Opened:
    source: Source
    document: Document
    encoding: str

    @classmethod
    def read(cls, source: Source) -> "_Opened":
        with source.text(newline="") as (content, _):
            return cls(source, documents.read(source, content.read()), content.encoding)

    @property
    def checked(self) -> bool:
        """Whether a translation may lose markup: HTML is taken over by other means."""
        return self.source.kind in ("srt", "md", "po")

    @property
    def rows(self) -> list[Row]:
        places = zip(self.document.lines, self.document.texts, strict=True)
        return [Row.of_text(line, text, self.source.name) for line, text in places]

    def encoded(self, content: str) -> bytes:
        """In its own encoding if that has all the characters, else in UTF-8; bytes that were wrong stay."""
        if self.encoding.startswith("utf-8"):
            return content.encode(self.encoding, "surrogateescape")
        if self.source.kind == "html":
            return content.encode(self.encoding, "xmlcharrefreplace")
        try:
            return content.encode(self.encoding)
        except UnicodeEncodeError:
            told = (
                f"textloom: {self.source.name}: written in UTF-8; {self.encoding} lacks characters"
            )
            print(told, file=sys.stderr)
            return content.encode()


def _targets(arguments: Arguments, sources: Sequence[Source]) -> list[Path | None]:
    """Where each document is written; None: to standard output. Raises Stop."""
    output = arguments.output
    if output is None:
        return [None] * len(sources)
    folder = output.is_dir() or len(arguments.sources) > 1
    if folder and output.is_file():
        raise Stop(f"{output} is a file; several documents are written to a folder")
    named = [output / Path(source.file).name if folder else output for source in sources]
    if len({*named}) < len(named):
        raise Stop(f"two documents would have the same name in {output}; process them separately")
    for source, target in zip(sources, named, strict=True):
        if target.exists() and source.file != "-" and target.samefile(source.file):
            raise Stop(f"{target} is also read; choose another --output")
        if target.exists() and not arguments.overwrite:
            raise Stop(f"{target} already exists; use --overwrite to replace it")
    if folder:
        output.mkdir(parents=True, exist_ok=True)
    elif not output.parent.is_dir():
        raise Stop(f"{output}: No such file or directory")
    return list(named)


def _write(content: bytes, target: Path | None) -> None:
    if target is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    part = target.with_name(target.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(target)
    except OSError as error:
        raise Stop(f"{target}: {error.strerror}") from error


def _answer(text: str, result: Mapping[str, Any], redactor: "_Redactor | None") -> str:
    """What takes the place of a text."""
    return redactor.redacted(text, result) if redactor else str(result["translation"])


class _Redactor:
    """Puts labels, or pseudonyms that are the same through a whole document, in the places of entities."""

    def __init__(self, texts: Sequence[str], options: Mapping[str, Any]) -> None:
        self._numbers = bool(options.get("pseudonyms"))
        self._taken = {mark for text in texts for mark in _PSEUDONYM.findall(text)}
        self._given: dict[tuple[str, str], str] = {}
        self._last: dict[str, int] = {}

    def redacted(self, text: str, result: Mapping[str, Any]) -> str:
        if not self._numbers:
            return str(result["redacted"])
        parts, end = [], 0
        for one in result["replacements"]:
            start, stop = one["source_start"], one["source_end"]
            parts += [text[end:start], self._pseudonym(one["label"], text[start:stop])]
            end = stop
        return "".join([*parts, text[end:]])

    def _pseudonym(self, label: str, words: str) -> str:
        key = (label, " ".join(words.casefold().split()))
        while key not in self._given:
            self._last[label] = self._last.get(label, 0) + 1
            mark = f"[{label}-{self._last[label]}]"
            if mark not in self._taken:
                self._given[key] = mark
        return self._given[key]
