"""Words and short phrases with their translations, for sentences that are nothing else.

A network that has read sentences is at its worst on a word alone, and that is what many people type first. A
bundle may hold a list of such entries, which training makes of written pairs
(training/tasks/translate/lexicon.py). A bundle without one translates everything by its network.
"""

import re
from collections.abc import Mapping, Sequence

from service.errors import BundleError
from service.tasks.translate.casing import CAPITAL, UPPER, lowered
from service.tasks.translate.normalization import normalized
from service.tasks.translate.tracing import TracedText

FILE = "lexicon.tsv"
"""Its usual name in a bundle, whose option `lexicon` names it."""

Entries = Mapping[str, Sequence[str]]

_MARKS = re.compile(f"[{CAPITAL}{UPPER}]")
_FINAL = re.compile(r" ?([.!?,:;]*)\Z")
_AGAIN = re.compile(r"(?P<word>[^\W_]+(?:['-][^\W_]+)*)(?:[.!?,]* (?P=word))+")
_LETTERS = re.compile(r"[^\W\d_]+")


def key(text: str) -> str:
    """What is looked up for a sentence as the network reads it: without marks of capitals and at its end.

    >>> key(" how are you?"), key(f" yes,{CAPITAL} anna!")
    ('how are you', 'yes, anna')
    """
    return _FINAL.sub("", _MARKS.sub("", text)).strip()


class Lexicon:
    """entries: translations as people write them, by key; an abbreviation may have a key in capitals, too."""

    def __init__(self, entries: Entries, language: str) -> None:
        self._entries, self._language = entries, language

    @classmethod
    def read(cls, content: bytes, language: str) -> "Lexicon":
        """Of UTF-8 text, a line for each entry: its key and its translations into `language`, with tabs between.

        Raises BundleError.
        """
        entries: dict[str, list[str]] = {}
        for number, line in enumerate(content.decode().splitlines(), 1):
            source, *targets = line.split("\t")
            if not source or not targets or not all(targets):
                raise BundleError(f"{FILE}: line {number} is no entry: a key, a tab, a translation")
            entries[source] = targets
        return cls(entries, language)

    def find(self, text: str) -> list[str]:
        """The translations of a sentence, the usual one first; the sentence and they as the network has them."""
        plain = key(text)
        abbreviation = self._entries.get(plain.upper()) if UPPER in text else None
        capitals = UPPER in text and not abbreviation
        found = abbreviation or self._entries.get(plain)
        if not found and (again := _AGAIN.fullmatch(plain)):
            word = re.compile(rf"(?<![^\W_]){again['word']}(?![^\W_])")
            found = [word.sub(one, plain) for one in self._entries.get(again["word"], ())]
        final = _FINAL.search(text)
        return [
            written(one, self._language, capitals=capitals) + (final[1] if final else "")
            for one in found or ()
        ]


def written(text: str, language: str, *, capitals: bool = False) -> str:
    """A translation as the network would write it, all of it in capitals or as it stands.

    >>> written("lundi", "fr", capitals=True) == f"{UPPER} lundi"
    True
    """
    small, case = lowered(normalized(TracedText(text), language), language)
    plain = small.text
    if capitals or case.capitals:
        return _LETTERS.sub(lambda word: f"{UPPER}{word[0]}", _MARKS.sub("", plain)).replace(
            f" {UPPER}", f"{UPPER} "
        )
    return CAPITAL + plain if case.initial else plain
