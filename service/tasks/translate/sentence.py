"""A sentence on its way through a translator."""

from dataclasses import dataclass

from service.tasks.text import Span
from service.tasks.translate.beam import Hypothesis
from service.tasks.translate.reading import Read


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence to translate, or the part of one that fits the network."""

    ids: list[int]
    text: str
    """As the network reads it."""
    span: Span
    """Of the whole sentence in its text."""
    width: int
    """Hypotheses wanted beside the translation itself; 0 for the translation alone."""
    repeats: tuple[int, ...]
    """How often a phrase of the translation may stand in a row, by its number of tokens."""
    read: Read
    positions: tuple[int, ...] = ()
    """For HTML: where in its text the whole sentence's tokens begin."""
    first: int = 0
    """Place of the first of the ids among these tokens."""
    numbered: "Sentence | None" = None
    """The same with every number as a placeholder, if it has small ones that the network would spell."""
    varied: bool = False
    """No three tokens may stand twice in the same order in a translation."""
    known: tuple[Hypothesis, ...] = ()
    """Translations from the bundle's lexicon, which need no search."""
    unknown: int = 0

    @property
    def length(self) -> int:
        return len(self.ids)
