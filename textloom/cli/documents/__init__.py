"""Documents: files whose texts are answered while everything around them stays as it is, character by character.

Subtitles, Markdown, HTML and plain text are read by service/documents.py, which the service reads uploaded files
with, too; po.py reads gettext. Leaves out opening files and asking for answers.
"""

import re
from collections.abc import Sequence
from typing import Protocol

from service.documents import READERS
from textloom.cli.errors import Stop
from textloom.cli.opening import Source

KINDS = ("srt", "html", "md", "po")
"""Formats that are documents; `text` is one, too, where a whole text is asked for."""


class Document(Protocol):
    @property
    def texts(self) -> Sequence[str]:
        """What is to be answered, none of it blank."""

    @property
    def lines(self) -> Sequence[int]:
        """Of each text, the number of the line at which it begins."""

    def with_texts(self, answers: Sequence[str | None], language: str | None) -> str:
        """The document with these in the places of its texts; a text without an answer stays.

        language: of the answers, if the texts are translated.
        """


_MARKUP = re.compile(
    r"</?[A-Za-z][^<>]*>|\{\\\\[^{}]*\}|`[^`\n]+`|\]\([^()\s]*\)"  # tags, SubRip's marks, code and links
    r"|%(?:\(\w+\)|\d+\$)?[-+#0]?\d*(?:\.\d+)?[diouxXeEfFgGcrsa]\b|\{[^{}\s]*\}"  # placeholders
)


def loses_markup(text: str, answer: str) -> bool:
    """Whether tags, links, code or placeholders of a text are not all in the answer, each as often.

    >>> loses_markup("Delete <i>%s</i>?", "Supprimer <i>%s</i> ?"), loses_markup("<i>No</i>", "<i>Non")
    (False, True)
    """
    return sorted(_MARKUP.findall(text)) != sorted(_MARKUP.findall(answer))


def read(source: Source, content: str) -> Document:
    """Raises Stop if it is not of that kind."""
    try:
        return parse(source.kind, content)
    except ValueError as error:
        raise Stop(f"{source.name}: {error}") from error


def parse(kind: str, content: str) -> Document:
    """Raises ValueError if it is not of that kind."""
    if kind == "po":
        from textloom.cli.documents import po  # needs polib

        return po.Catalog(content)
    return READERS[kind](content)
