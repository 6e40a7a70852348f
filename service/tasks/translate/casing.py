"""Capitals as marks before words in small letters, so that a word is the same subwords however it is written.

`In Paris, NASA says` is read as `in⇧ paris,⇑ nasa says`, the marks being two reserved characters, after Bérard et
al. 2019, Naver Labs Europe's Systems for the WMT19 Machine Translation Robustness Task (there the marks follow the
words). The first word of a sentence carries no mark for a capital; a sentence all in capitals carries none at all.
"""

import re
from dataclasses import dataclass

from service.tasks.translate.tracing import TracedText

CAPITAL, UPPER = "\ue000", "\ue001"
"""Before a word with a capital at its start, and before one in capitals."""

SPARE = "\ue002\ue003"
"""Reserved for marks to come."""

_WORD = re.compile(r" ?[^\W\d_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_PARTS = re.compile(r"[A-ZÀ-ÖØ-Þ]{2,}(?![^\W\d_A-ZÀ-ÖØ-Þ])|[A-ZÀ-ÖØ-Þ]?[a-zß-öø-ÿ]+|[^\W\d_]")
"""Of a word with capitals inside."""

_LETTER = re.compile(r"[^\W\d_]")
_AFTER_CAPITAL = re.compile(rf"(?:(?<={CAPITAL})|(?<={CAPITAL} ))[^\W\d_]")
_UPPER_RUN = re.compile(rf"{UPPER} ?[^\W\d_]+")
_INITIAL = re.compile(r"\A[\W_]*?[^\W\d_]")
_FIRST = re.compile(r"\A[\W\d_]*?[^\W\d_]")
_MARKS = re.compile(rf"[{CAPITAL}{UPPER}{SPARE}]")
_PRONOUN = re.compile(r"(?<![^\W_])i(?![^\W_]|\.\w|[-@/])")


@dataclass(frozen=True, slots=True)
class Case:
    """What is not in the marks."""

    initial: bool = False
    """The first word of the sentence begins with a capital."""
    after_number: bool = False
    """A number stands before that word."""
    capitals: bool = False
    """All of it is in capitals."""


def in_capitals(text: str) -> bool:
    """Whether a sentence is written in capitals, and is more than an abbreviation.

    >>> [in_capitals(text) for text in ("WHERE IS IT?", "STOP!", "NATO", "In the USA", "I")]
    [True, True, False, False, False]
    """
    words = _LETTERS.findall(text)
    letters = "".join(words)
    called = text.rstrip().endswith(("!", "?"))
    enough = len(letters) >= 6 if len(words) > 1 else len(letters) >= (4 if called else 6)
    return enough and letters.isupper()


def lowered(text: TracedText, language: str) -> tuple[TracedText, Case]:
    """The text in small letters, with marks. Begins with a space, as every word does."""
    plain = text.text
    origins = text.origins
    spaced = TracedText(f" {plain}", None if origins is None else [origins[0], *origins])
    if in_capitals(plain):
        return TracedText(_lower(spaced.text), spaced.origins), Case(initial=True, capitals=True)
    first = _LETTERS.search(plain)
    initial, start = (first[0][0].isupper(), first.start()) if first else (False, -1)

    def marked(match: re.Match[str]) -> str:
        word = match[0]
        small = _lower(word)
        if small == word:
            return word
        letters = word.lstrip(" ")
        if letters == "I" and language == "en":
            return small
        capitalized = small.lstrip(" ")[1:] == letters[1:]
        if capitalized:
            return small if match.end() - len(letters) == start + 1 else CAPITAL + small
        if letters.isupper():
            return UPPER + small
        space = word[: len(word) - len(letters)]
        return space + "".join(
            ((UPPER if part[1:].isupper() else CAPITAL) if part[0].isupper() else "") + _lower(part)
            for part in _PARTS.findall(letters)
        )

    after_number = initial and bool(re.search(r"\w", plain[:start]))
    return spaced.sub(_WORD, marked), Case(initial=initial, after_number=after_number)


def cased(text: TracedText, case: Case, language: str) -> TracedText:
    """What `lowered` made, or a translation of it, with its capitals."""
    if case.capitals:
        return text.sub(_MARKS, "").sub(_LETTER, lambda match: match[0].upper())
    if UPPER in text.text:
        raised = _UPPER_RUN.sub(lambda match: _upper(match[0]), text.text)
        text = TracedText(raised, text.origins)
    text = text.sub(_AFTER_CAPITAL, lambda match: match[0].upper()).sub(_MARKS, "")
    if language == "en":
        text = text.sub(_PRONOUN, "I")
    if not case.initial:
        return text
    return text.sub(_FIRST if case.after_number else _INITIAL, lambda match: match[0].upper())


def _upper(text: str) -> str:
    """In capitals, character for character."""
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


def _lower(text: str) -> str:
    """In small letters, character for character."""
    small = text.lower()
    return (
        small
        if len(small) == len(text)
        else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    )
