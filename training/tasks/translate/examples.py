"""Pairs as the network reads them: placeholders on both sides, and small changes that make it robust.

What is taken over (service/tasks/translate/placeholders.py) stands as the same reserved character on both sides.
Corpora hold few placeholders, emoji, capitals or careless typing, so a share of the pairs is changed: other items
are put in, capitals and accents changed in the source. A changed pair stays a translation.
"""

import random
import re
import unicodedata
from collections.abc import Sequence

from service.tasks.translate.casing import UPPER
from service.tasks.translate.normalization import Style, composed
from service.tasks.translate.placeholders import NUMBERS, VERBATIM, Item, matched, spliced
from service.tasks.translate.reading import Reader
from service.tasks.translate.tracing import TracedText
from training.data.corpora import Pair

NAME = re.compile(r"(?<![\w'’-])[A-ZÀÉÈÊÎÔÛÇ][\wà-ÿ]{2,}(?![\w'’-])")
SMALL_NUMBER = re.compile(r"(?<![\w.,:/+-])\d{1,4}(?![\w]|[.,:/-]\d)")


class Examples:
    """Makes examples of pairs from `source` to `target`.

    changed: about this share of the pairs is changed, each in one way; every time anew.
    """

    def __init__(self, source: Reader, target: Reader, changed: float) -> None:
        self._source, self._target, self._changed = source, target, changed

    def make(self, pair: Pair, chance: random.Random) -> Pair | None:
        """The two texts for the network, or None if an item of the source is missing in the target."""
        change = _drawn(chance) if chance.random() < self._changed else ""
        if change == "same language":
            pair = Pair(pair.other, pair.other)
            return self._read(pair, chance, change, self._target)
        return self._read(pair, chance, change, self._source)

    def _read(self, pair: Pair, chance: random.Random, change: str, reader: Reader) -> Pair | None:
        if change == "no accents":
            pair = Pair(_without_accents(pair.text), pair.other)
        elif change == "small letters":
            pair = Pair(pair.text.lower().rstrip(".!?… "), pair.other)
        elif change == "title":
            pair = Pair(_title(pair.text), pair.other)
        elif change == "no full stop":
            pair = Pair(pair.text.rstrip(".… "), pair.other.rstrip(".… "))
        source, target = (composed(TracedText(text)) for text in (pair.text, pair.other))
        found = reader.finder.find(source.text)
        places = matched([item for _, item in found], target.text)
        if any(
            place is None and not item.soft for place, (_, item) in zip(places, found, strict=True)
        ):
            return None
        both = [
            (span, place, item) for (span, item), place in zip(found, places, strict=True) if place
        ]
        rest = self._target.finder.find(_blanked(target.text, [place for _, place, _ in both]))
        if any(not item.soft for _, item in rest):
            return None
        both += _more(source.text, target.text, both, chance, change)
        standing = _reserved(both, chance)
        if standing is None:
            return None
        source = spliced(
            source, {span[0]: (span[1], c) for (span, _, _), c in zip(both, standing, strict=True)}
        )
        target = spliced(
            target,
            {place[0]: (place[1], c) for (_, place, _), c in zip(both, standing, strict=True)},
        )
        if change == "item":
            source, target = _inserted(source.text, target.text, standing, chance)
        plain = Style()
        items: dict[str, Item] = {}
        read = reader.finished(source, items, plain).text.text
        wanted = self._target.finished(target, items, plain).text.text
        if change == "capitals":
            read = _emphasized(read, chance)
        return Pair(read, wanted) if read.strip() and wanted.strip() else None


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


def joined(first: Pair, second: Pair) -> Pair:
    """Two sentences as one example."""
    return Pair(f"{first.text} {second.text}", f"{first.other} {second.other}")


CHANGES = {
    "names": 14,  # a name of both sides is an item
    "numbers": 14,  # small numbers are items
    "item": 16,  # an item is put in
    "title": 12,
    "small letters": 12,
    "no accents": 8,
    "no full stop": 10,
    "capitals": 8,
    "same language": 3,
}
"""How a pair may be changed, and how often."""


def _drawn(chance: random.Random) -> str:
    return chance.choices(list(CHANGES), list(CHANGES.values()))[0]


Place = tuple[tuple[int, int], tuple[int, int], Item]
"""Where an item stands in the source and in the target."""


def _more(
    source: str, target: str, both: Sequence[Place], chance: random.Random, change: str
) -> list[Place]:
    """Names or small numbers of both sides that are to be items, too."""
    pattern = {"names": NAME, "numbers": SMALL_NUMBER}.get(change)
    if not pattern:
        return []
    free = [
        match
        for match in pattern.finditer(_blanked(source, [span for span, _, _ in both]))
        if source.count(match[0]) == 1
    ]
    items = [Item(match[0], (match[0],), number=change == "numbers") for match in free]
    places = matched(items, _blanked(target, [place for _, place, _ in both]))
    found = [
        (match.span(), place, item)
        for match, item, place in zip(free, items, places, strict=True)
        if place
    ]
    chance.shuffle(found)
    return found[: chance.choice([1, 1, 2, 3])]


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _reserved(both: Sequence[Place], chance: random.Random) -> list[str] | None:
    """A reserved character for each, any of its kind, so that all are learnt alike."""
    free = {
        True: chance.sample(NUMBERS, len(NUMBERS)),
        False: chance.sample(VERBATIM, len(VERBATIM)),
    }
    if any(sum(item.number is kind for _, _, item in both) > len(free[kind]) for kind in free):
        return None
    return [free[item.number].pop() for _, _, item in both]


def _inserted(
    source: str, target: str, standing: Sequence[str], chance: random.Random
) -> tuple[TracedText, TracedText]:
    """One or two items at places that correspond: at the start, before the last mark, at the end, around names."""
    free = [c for c in VERBATIM + NUMBERS if c not in standing]
    one, two = chance.sample(free, 2)
    names = [name for name in NAME.findall(source) if source.count(name) == target.count(name) == 1]
    ways = ["end", "end", "mark", "mark", "start"] + ["around", "around"] * bool(names)
    way = chance.choice(ways)
    if way == "around":
        name = chance.choice(names)
        around = f"{one}{name}{two}"
        return TracedText(source.replace(name, around)), TracedText(target.replace(name, around))
    if way == "mark":
        ends = [re.search(r"\s?[.!?…]*\s*$", text) for text in (source, target)]
        space = chance.choice([" ", " ", ": ", " (", " – "])
        closing = ")" * (space == " (")
        changed = [
            f"{text[: end.start()]}{space}{one}{closing}{text[end.start() :]}"
            for text, end in zip((source, target), ends, strict=True)
            if end
        ]
        return TracedText(changed[0]), TracedText(changed[1])
    if way == "start":
        space = chance.choice([" ", " ", ": ", ", "])
        return TracedText(one + space + source), TracedText(one + space + target)
    space = chance.choice([" ", " ", " ", ""])
    return TracedText(source + space + one), TracedText(target + space + one)


_SMALL = {
    "a",
    "an",
    "and",
    "the",
    "of",
    "in",
    "on",
    "to",
    "for",
    "or",
    "de",
    "du",
    "des",
    "la",
    "le",
    "les",
    "et",
    "à",
    "un",
    "une",
}


def _title(text: str) -> str:
    """As a heading: With a Capital in Each Word."""
    return re.sub(
        r"(?<![\w'’.@/-])[^\W\d_]+",
        lambda match: (
            match[0] if match[0] in _SMALL and match.start() else match[0][0].upper() + match[0][1:]
        ),
        text,
    )


def _emphasized(text: str, chance: random.Random) -> str:
    """With one to three words of the source in capitals, where it was small."""
    words = list(re.finditer(r"(?<=[^\ue000\ue001]) [^\W\d_]{2,}", text))
    if not words:
        return text
    at = chance.randrange(len(words))
    for match in reversed(words[at : at + chance.choice([1, 1, 2, 3])]):
        text = f"{text[: match.start()]}{UPPER}{text[match.start() :]}"
    return text
