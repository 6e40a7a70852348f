"""Whether a translation can be right: what every good one keeps of its source, whatever the words."""

import re
from collections import Counter
from dataclasses import dataclass

from service.tasks.translate.placeholders import PLACEHOLDER

THRICE = 3
"""How often a phrase of three words or more may not stand in a translation, if its source has it once."""

LEAST = 1 / 3
"""Of the length of its source, below which a translation has dropped something."""

DROPPED_FROM = 20
"""Characters of a source that is looked at so."""

_DIGITS = re.compile(r"\d+")
_WORDS = re.compile(r"[^\W\d_]+")
_DOUBLED = re.compile(r"(?<!\w)(?!nous\b|vous\b|that\b|faire\b)([^\W\d_]{4,}) \1(?!\w)")
_SIGNS = {
    "$": re.compile(r"\$|dollar"),
    "€": re.compile("€|euro|\ue001 ?eur"),
    "%": re.compile(r"%|\bper ?cent\b|\bpour cent\b"),
}
# fmt: off
_SPELLED = frozenset({
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fifteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred",
    "thousand", "million", "dozen", "noon", "midnight", "first", "second", "third", "half", "quarter",
    "un", "une", "deux", "trois", "quatre", "cinq", "sept", "huit", "neuf", "dix", "onze", "douze", "treize",
    "quatorze", "quinze", "seize", "vingt", "trente", "quarante", "cinquante", "soixante", "cent",
    "cents", "mille", "quinzaine", "midi", "minuit", "premier", "premiers", "deuxième", "troisième", "demi",
    "demie", "quart",
})
# fmt: on


@dataclass(frozen=True, order=True, slots=True)
class Faults:
    """The fewer, the better; compared in this order."""

    placeholders: int = 0
    """That are missing, or there too often."""
    looped_or_dropped: bool = False
    numbers: int = 0
    """That the source has not, or the translation; signs of currencies and per cent, too."""
    quotes: int = 0
    """Opening and closing ones that are missing or left over."""
    doubled: int = 0
    """Words that stand twice in a row."""

    def __bool__(self) -> bool:
        return self != _NONE


_NONE = Faults()


def faults(source: str, translation: str) -> Faults:
    """Of a translation, both as the network reads and writes them."""
    wanted, given = (Counter(PLACEHOLDER.findall(text)) for text in (source, translation))
    placeholders = (wanted - given).total() + (given - wanted).total()
    return Faults(
        placeholders,
        looped(source, translation) or dropped(source, translation),
        invented(source, translation) + lost(source, translation) + exchanged(source, translation),
        unquoted(source, translation),
        len(_DOUBLED.findall(translation)) if not _DOUBLED.search(source) else 0,
    )


def dropped(source: str, translation: str) -> bool:
    return len(source) >= DROPPED_FROM and len(translation) < LEAST * len(source)


def looped(source: str, translation: str) -> bool:
    """Whether a phrase of three words stands three times in a translation, and in the source once at most."""
    words = _WORDS.findall(translation)
    phrases = Counter(zip(words, words[1:], words[2:], strict=False))
    if not phrases or max(phrases.values()) < THRICE:
        return False
    ours = _WORDS.findall(source)
    again = Counter(zip(ours, ours[1:], ours[2:], strict=False))
    return max(again.values(), default=0) < THRICE - 1


def invented(source: str, translation: str) -> int:
    """How many numbers a translation has in digits that its source has not, neither in digits nor in words.

    >>> invented("at 3 pm", "à 15 h"), invented("3 cats", "4 chats"), invented("three cats", "3 chats")
    (0, 1, 0)
    """
    theirs = _DIGITS.findall(translation)
    if not theirs:
        return 0
    known = set(_DIGITS.findall(source))
    known |= {str((int(hour) + 12) % 24) for hour in known if len(hour) <= 2}
    missing = [number for number in theirs if number not in known]
    if missing and not _SPELLED.isdisjoint(_WORDS.findall(source)):
        missing = [number for number in missing if len(number) > 2]
    return len(missing)


def lost(source: str, translation: str) -> int:
    """How many numbers in digits of a source its translation has not, if it spells none.

    >>> lost("in room 12 at 3 pm", "salle 12 à 15 h"), lost("3 cats", "trois chats"), lost("5 cats", "chats")
    (0, 0, 1)
    """
    ours = _DIGITS.findall(source)
    if not ours or not _SPELLED.isdisjoint(_WORDS.findall(translation)):
        return 0
    there = set(_DIGITS.findall(translation))
    there |= {str((int(hour) + 12) % 24) for hour in there if len(hour) <= 2}
    return sum(number not in there for number in ours)


def exchanged(source: str, translation: str) -> int:
    """How many signs of currencies and of per cent are missing, or there too often.

    >>> exchanged("it costs €5", "cela coûte 5 $"), exchanged("$5", "5 dollars"), exchanged("5% of 7", "5% de 7%")
    (2, 0, 1)
    """
    found = 0
    for sign, names in _SIGNS.items():
        if sign in source or sign in translation:
            ours, theirs = len(names.findall(source)), len(names.findall(translation))
            found += abs(ours - theirs)
    return found


def unquoted(source: str, translation: str) -> int:
    """How many quotes are missing or left over; a whole pair may be added.

    >>> unquoted("“stop!” he said", "“stop! dit-il"), unquoted("– no, he said", "“non”, dit-il")
    (1, 0)
    """
    opening, closing = (translation.count(mark) - source.count(mark) for mark in "“”")
    return 0 if opening == closing >= 0 else abs(opening) + abs(closing)
