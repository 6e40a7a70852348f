"""A sentence as the network reads it, and a translation as people read it.

The steps, in this order: what is taken over gives way to reserved characters (placeholders.py), characters are
normalised (normalization.py), capitals become marks (casing.py). Training reads its pairs through the same code.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from service.tasks.translate import casing, normalization, numbers, placeholders
from service.tasks.translate.casing import Case
from service.tasks.translate.normalization import Style
from service.tasks.translate.placeholders import Finder, Found, Item
from service.tasks.translate.tracing import TracedText

SPECIAL = casing.CAPITAL + casing.UPPER + casing.SPARE + placeholders.RESERVED
"""Characters of the network's vocabulary that no text may bring in: marks of capitals, two spare, placeholders."""


@dataclass(frozen=True, slots=True)
class Read:
    """A sentence for the network, and what its translation needs to be printed."""

    text: TracedText
    numbered: str
    """With every number as a placeholder, if there are small ones, which `text` spells; else empty."""
    items: dict[str, Item]
    """By reserved character, those of `numbered` included."""
    case: Case
    style: Style


class Reader:
    """Reads one language, to be translated into another.

    known: the characters in the network's vocabulary.
    """

    def __init__(self, source: str, target: str, known: Collection[str]) -> None:
        self.source, self.target = source, target
        readable = {c for c in known if len(c) == 1 and c not in SPECIAL}
        self.finder = Finder(source, target, {*readable, *normalization.READABLE} - {"▁"})

    def found(self, text: str) -> list[Found]:
        """What of a text is taken over, and where it stands there; accents and hyphens apart make no item."""
        plain = normalization.composed(TracedText.of(text))
        assert plain.origins is not None
        return [
            ((plain.origins[start], plain.origins[end]), item)
            for (start, end), item in self.finder.find(plain.text)
        ]

    def read(self, text: str, *, traced: bool = False) -> Read:
        """A sentence; `traced` keeps where in it each character stands."""
        original = TracedText.of(text) if traced else TracedText(text)
        plain = normalization.with_single_ending(normalization.composed(original))
        plain = numbers.with_days_first(plain, self.source)
        plain = numbers.with_number_sign(plain, self.source, self.target)
        found = self.finder.find(plain.text)
        style = Style.of(text)
        replaced, items = placeholders.replaced(plain, found)
        read = self.finished(replaced, items, style)
        if not any(c.isdigit() or c in "$€" for c in read.text.text):
            return read
        every = self.finder.find(plain.text, every_number=True)
        numbered, more = placeholders.replaced(TracedText(plain.text), every, before=items)
        finished = self.finished(numbered, more, style).text.text
        return replace(read, numbered=finished, items=items | more)

    def finished(self, replaced: TracedText, items: dict[str, Item], style: Style) -> Read:
        """The steps after the placeholders."""
        small, case = casing.lowered(normalization.normalized(replaced, self.source), self.source)
        return Read(small, "", items, case, style)

    def printed(self, translation: TracedText, read: Read) -> TracedText:
        """A translation of `read` by the network, as the target language prints it."""
        text = normalization.with_final_mark(translation.stripped(), read.text.text)
        text = casing.cased(text, read.case, self.target).stripped()
        text = placeholders.attached(text, read.text.text)
        text = normalization.printed(text, self.target, read.style)
        return placeholders.put_back(text, read.items)
