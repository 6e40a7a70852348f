"""What a translation takes over as it stands: addresses, code, markup, placeholders of programs, emoji, numbers.

No network should spell these. Each is replaced by one of twenty reserved characters, ten for numbers and ten
for everything else, which the network has learnt to copy; afterwards the original takes its place again, a number
as the target language writes it.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from service.tasks.text import Span
from service.tasks.translate import numbers
from service.tasks.translate.patterns import CODE, EMOJI, IDENTIFIER, LITERAL, TECHNICAL, WEB
from service.tasks.translate.tracing import TracedText

NUMBERS = "".join(map(chr, range(0xE010, 0xE01A)))
"""Reserved for numbers."""

VERBATIM = "".join(map(chr, range(0xE020, 0xE02A)))
"""Reserved for everything else."""

RESERVED = NUMBERS + VERBATIM
_MARKS = "\ue000\ue001"
PLACEHOLDER = re.compile(f"[{RESERVED}]")
_SIGN_TWICE = re.compile(r"(?<=\d)[ \u00a0]?([$€£])(?=[ \u00a0]?\1)|([$€£])[ \u00a0]?(?=\2\d)")

_CURRENCIES = "£¥₹₩₽"
"""Signs of currencies that no network here knows; the others it writes itself."""

_ALL_CURRENCIES = _CURRENCIES + "$€"

_HINT = (
    r"[\d@#/\\<>{}$%`_*~&|^\[+]|\w\.\w|[a-z][A-Z]|:\w|\(\)|(?<!\w)-\w|--|\?{4}|!{4}|\.{4}"
    r"|(?<![^\s(])['\"“«]\s?[a-z]"
)
"""Something of it is in everything that is taken over; most sentences have none, and to look for it is quick."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is taken over."""

    text: str
    """As it stands in the source."""
    renderings: tuple[str, ...]
    """How the target language may write it, the usual way first."""
    number: bool
    soft: bool = False
    """A translation may as well write it in another way: a name with capitals inside, a number with a unit."""

    @property
    def small(self) -> bool:
        """Whether it is a number that the network may spell."""
        return self.number and self.text.isdigit() and len(self.text) <= 4


class Finder:
    """Finds the items of texts of one language.

    known: the characters that the network can read. Words with others are items, too.
    """

    def __init__(self, source: str, target: str, known: Collection[str]) -> None:
        self._target = target
        letters = re.escape("".join(sorted({*known, *"".join(known).upper(), *" \t\n"})))
        self._number = numbers.pattern(source)
        number = _uncased(self._number)

        amount = rf"(?:{number}|(?<![\w.,])\d{{1,4}}(?![\w.,]*\d))"

        foreign = rf"[{_CURRENCIES}][ \u00a0]?{amount}|{amount}[ \u00a0\u202f]?[{_CURRENCIES}]"
        own = rf"[$€]{amount}" if source == "en" else rf"{amount}[ \u00a0\u202f]?[$€]"

        def usual(money: str) -> str:
            return (
                rf"(?P<money>{money})|{WEB}|{CODE}|{EMOJI}(?:[ ]?{EMOJI})*|(?P<literal>{LITERAL})"
                rf"|(?P<identifier>{IDENTIFIER})|(?P<number_>{number})"
                rf"|\w{{0,50}}[^{letters}]+(?:[^\s{letters}]|\w)*"
            )

        self._hint = re.compile(rf"{_HINT}|[^{letters}]")
        self._pattern = re.compile(usual(foreign))
        small = r"(?P<small>(?<!\w)\d{1,4}(?!\w))"
        self._every_number = re.compile(rf"{usual(f'{foreign}|{own}')}|{small}")

    def find(self, text: str, *, every_number: bool = False) -> list["Found"]:
        """The items in the order of the text; with `every_number` small ones and all amounts of money, too."""
        if not self._hint.search(text):
            return []
        pattern = self._every_number if every_number else self._pattern
        return [
            _literal(match) if match["literal"] else (match.span(), self._item(match))
            for match in pattern.finditer(text)
            if not match["literal"] or _is_literal(match)
        ]

    def _item(self, match: re.Match[str]) -> Item:
        found = match[0]
        if match.groupdict().get("small"):
            return Item(found, (found,), number=True)
        if match["money"]:
            return Item(found, tuple(self._money(found)), number=True)
        if not match["number_"]:
            return Item(found, (found,), number=False, soft=bool(match["identifier"]))
        number = self._number.match(match.string, match.start())
        if not number or number.span() != match.span() or _names_a_version(match):
            return Item(found, (found,), number=True)
        return Item(found, tuple(numbers.renderings(number, self._target)), number=True)

    def _money(self, found: str) -> list[str]:
        """How the target language may write an amount with the sign of its currency."""
        sign = found[0] if found[0] in _ALL_CURRENCIES else found[-1]
        amount = found.strip(f"{sign} \u00a0\u202f")
        number = self._number.fullmatch(amount)
        forms = numbers.renderings(number, self._target) if number else [amount]
        before, after = [f"{sign}{form}" for form in forms], [f"{form} {sign}" for form in forms]
        return [*before, *after] if self._target == "en" else [*after, *before]


_VERSIONED = re.compile(
    r"(?:(?<=[\w,;:] )[A-Z][\w+-]*|(?i:version|release|section|chapter|figure|fig\.|table|chapitre|tableau)) $"
)
_MEASURED = re.compile(r"\s?(?:%|°|percent|pour|million|billion|milli|[kKMGT]?[gmBbWo]\b|km)")


_BEFORE_LITERALS = re.compile(TECHNICAL)


def _is_literal(match: re.Match[str]) -> bool:
    """Whether a quoted word is one of a program, as in `set the option 'mode' to 'fast'`."""
    sentence = match.string[max(0, match.start() - 80) : match.start()]
    return bool(_BEFORE_LITERALS.search(sentence))


def _literal(match: re.Match[str]) -> "Found":
    """The word in quotes, which themselves are translated."""
    found = match[0]
    word = found[1:-1].strip()
    start = match.start() + found.index(word)
    return (start, start + len(word)), Item(word, (word,), number=False, soft=True)


def _names_a_version(match: re.Match[str]) -> bool:
    """Whether a decimal is one of those that name something, as in `Python 3.11` or `section 2.4`."""
    if not re.fullmatch(r"\d+\.\d+", match[0]) or _MEASURED.match(match.string, match.end()):
        return False
    return bool(_VERSIONED.search(match.string[max(0, match.start() - 40) : match.start()]))


def _uncased(number: re.Pattern[str]) -> str:
    """The pattern of a number as a part of one that minds case, without names for its groups."""
    return "(?i:" + re.sub(r"\(\?P<\w+>", "(?:", number.pattern) + ")"


Found = tuple[Span, Item]
"""An item and where it stands."""


def replaced(
    text: TracedText, found: Sequence[Found], before: Mapping[str, Item] = MappingProxyType({})
) -> tuple[TracedText, dict[str, Item]]:
    """The text with a reserved character for each item, and the items by their characters.

    Where there are more than reserved characters, neighbours share one; what is left stays in the text.
    before: items of another reading of the text, which keep their characters.
    """
    standing: dict[str, Item] = {}
    if not found:
        return text, standing
    if sum(not item.number for _, item in found) > len(VERBATIM):
        found = _joined(text.text, found)
    kept = {item: [c for c in before if before[c] == item] for item in before.values()}
    free = {
        number: iter([c for c in characters if c not in before])
        for number, characters in ((True, NUMBERS), (False, VERBATIM))
    }
    spans: dict[int, tuple[int, str]] = {}
    for (start, end), item in sorted(found, key=lambda one: one[1].small):
        character = kept[item].pop(0) if kept.get(item) else next(free[item.number], None)
        if character:
            standing[character] = item
            spans[start] = (end, character)
        elif PLACEHOLDER.search(item.text):  # which would be taken for one of ours
            spans[start] = (end, " ")
    return spliced(text, spans), standing


def _joined(text: str, found: Sequence[Found]) -> list[Found]:
    """With those that have nothing but spaces between them made one."""
    joined: list[Found] = []
    for (start, end), item in found:
        if joined and not item.number and not joined[-1][1].number:
            (first, last), _ = joined[-1]
            if not text[last:start].strip(" "):
                whole = text[first:end]
                joined[-1] = (first, end), Item(whole, (whole,), number=False)
                continue
        joined.append(((start, end), item))
    return joined


def spliced(text: TracedText, spans: dict[int, tuple[int, str]]) -> TracedText:
    parts: list[str] = []
    origins: list[int] = []
    last = 0
    for start, (end, character) in sorted(spans.items()):
        parts += [text.text[last:start], character]
        if text.origins is not None:
            origins += [*text.origins[last:start], text.origins[start]]
        last = end
    parts.append(text.text[last:])
    if text.origins is None:
        return TracedText("".join(parts))
    return TracedText("".join(parts), [*origins, *text.origins[last:]])


def kept(translation: str, items: Collection[str]) -> bool:
    """Whether a translation has each reserved character of `items` exactly once, and no other."""
    return sorted(PLACEHOLDER.findall(translation)) == sorted(items)


def attached(translation: TracedText, source: str) -> TracedText:
    """The translation without spaces between words and those items that are written to a word in the source.

    >>> source, written = " \\ue020read\\ue021 here", TracedText("\\ue020 lire\\ue021 ici")
    >>> attached(written, source).text == "\\ue020lire\\ue021 ici"
    True
    """
    for place in re.finditer(f"[{VERBATIM}]", source):
        character = place[0]
        if re.match(f"\\w|[{_MARKS}](?! )", source[place.end() :]):
            translation = translation.sub(re.compile(f"(?<={character}) (?=\\w)"), "")
        if re.search(r"\w$", source[: place.start()]):
            translation = translation.sub(re.compile(f"(?<=\\w) (?={character})"), "")
    return translation


def put_back(translation: TracedText, items: dict[str, Item]) -> TracedText:
    """The translation with each item in its place."""
    whole = translation.sub(
        PLACEHOLDER, lambda match: items[match[0]].renderings[0] if match[0] in items else ""
    )
    return whole.sub(_SIGN_TWICE, "") if items else whole


def matched(source: Sequence[Item], target: str) -> list[tuple[int, int] | None]:
    """Where in a reference translation each item of the source stands, if it does.

    >>> item = Item("3.5", ("3,5", "3.5"), number=True)
    >>> matched([item, item], "Il y a 3,5 litres.")
    [(7, 10), None]
    """
    taken: list[tuple[int, int]] = []
    places: list[tuple[int, int] | None] = []
    for item in source:
        places.append(
            next((span for form in item.renderings if (span := _place(form, target, taken))), None)
        )
        if places[-1]:
            taken.append(places[-1])
    return places


def _place(form: str, text: str, taken: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    start = text.find(form)
    while start >= 0:
        end = start + len(form)
        alone = not (
            (form[0].isalnum() and start > 0 and text[start - 1].isalnum())
            or (form[-1].isalnum() and end < len(text) and text[end].isalnum())
            or (form[-1].isdigit() and re.match(r"[.,]\d", text[end:]))
            or (form[0].isdigit() and re.search(r"\d[.,]$", text[:start]))
        )
        if alone and all(end <= first or last <= start for first, last in taken):
            return start, end
        start = text.find(form, start + 1)
    return None
