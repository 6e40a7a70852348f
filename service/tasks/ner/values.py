"""Normalised values of entities: what a date, a time, an amount of money, a percentage or a quantity says.

`value_of` reads the text of one entity, never what stands around it. It must account for every word of it, or
tells nothing: a missing value costs a look at the text, a wrong one may go unnoticed. A text longer than
`numerals.LONGEST` has no value, so the time for one entity is bounded. Leaves out finding entities (task.py),
dates and durations (dates.py), numbers (numerals.py) and the names of units and currencies (units.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from service.tasks.ner.clock import read_time
from service.tasks.ner.dates import read_date
from service.tasks.ner.numerals import number, plain, tokens
from service.tasks.ner.units import currency, is_dollar, unit

Value = dict[str, str | int | float]

VALUED_LABELS = frozenset({"DATE", "TIME", "MONEY", "PERCENT", "QUANTITY"})
"""The labels whose entities may have a value."""

_PERCENT = {
    "%",
    "percent",
    "per cent",
    "pct",
    "pc",
    "p c",
    "percentage point",
    "percentage points",
    "percent point",
    "percent points",
    "pp",
}
_CENTS = {"cent": "", "cents": "", "c": "", "pence": "GBP", "p": "GBP", "penny": "", "pennies": ""}
"""Hundredths, and the currency if they tell it; cents are those of dozens."""

_LARGEST = Decimal(10) ** 18


def value_of(text: str, label: str, *, reference: date | None = None) -> Value | None:
    """What the text of an entity says, None if that cannot be told surely.

    Dates, times and durations are as ISO 8601 has them, apart from quarters (`2025-Q3`); a range has `from` and
    `to` instead of `value` or `amount`. Words such as `yesterday` have a value only with a `reference` date.
    The currency is left out where the text does not tell it.

    >>> value_of("29 November 2025", "DATE"), value_of("5:30 p.m.", "TIME")
    ({'value': '2025-11-29'}, {'value': '17:30'})
    >>> value_of("$1.2bn", "MONEY"), value_of("45 kilometres", "QUANTITY")
    ({'amount': 1200000000, 'currency': 'USD'}, {'amount': 45, 'unit': 'km'})
    >>> value_of("5 to 7 percent", "PERCENT"), value_of("last Monday", "DATE")
    ({'from': 5, 'to': 7}, None)
    """
    words = tokens(text)
    if not words:
        return None
    if label in ("DATE", "TIME"):
        read = read_date if label == "DATE" else read_time
        found = read(words, reference)
        if found is None:
            return None
        return {"value": found} if isinstance(found, str) else {"from": found[0], "to": found[1]}
    measure = _MEASURES.get(label)
    return None if measure is None else _amount(_without_hyphens(words), measure)


@dataclass(frozen=True, slots=True)
class _Measured:
    """A number and what it counts."""

    amount: Decimal
    kind: str | None
    """Symbol of the unit or code of the currency; None if the text has none, as at one end of a range."""
    scaled: bool = False
    """Whether a word such as million stands by the number."""


_Measure = Callable[[Sequence[str]], _Measured | None]


def _amount(words: Sequence[str], measure: tuple[_Measure, str]) -> Value | None:
    read, name = measure
    whole = read(words)
    if whole is not None:
        if whole.kind is None or abs(whole.amount) >= _LARGEST:
            return None
        return _named({"amount": plain(whole.amount)}, name, whole.kind)
    for place in range(1, len(words) - 1):
        if words[place] in ("to", "-"):
            start, end = read(words[:place]), read(words[place + 1 :])
            if start is not None and end is not None:
                return _range(start, end, words[place + 1 :], name)
    return None


def _range(start: _Measured, end: _Measured, end_words: Sequence[str], name: str) -> Value | None:
    """A range whose ends count the same; a unit or a magnitude that stands at the end holds for both."""
    kind = end.kind or start.kind
    if kind is None or (start.kind is not None and end.kind is not None and start.kind != end.kind):
        return None
    if (
        end.kind is None and name != "currency"
    ):  # a unit stands last: "0.15 m - 2" is something else
        return None
    low = start.amount
    if end.scaled and not start.scaled:
        bare = number(end_words[:1])
        if (
            bare is None or not low < bare[0]
        ):  # "$500 to $2 million": of which, the text does not say
            return None
        low *= end.amount / bare[0]
    if not low < end.amount < _LARGEST:
        return None
    return _named({"from": plain(low), "to": plain(end.amount)}, name, kind)


def _named(value: Value, name: str, kind: str) -> Value:
    return {**value, name: kind} if name and kind else value


def _without_hyphens(words: Sequence[str]) -> list[str]:
    """Words without the hyphens before a unit: `six-mile`, `Rs 273-cr`. Those of `twenty-five` and `5-7` stay."""
    kept: list[str] = []
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if word == "-" and kept and following.isalpha() and number([following.lower()]) is None:
            continue
        kept.append(word)
    return kept


def _sign(words: Sequence[str]) -> tuple[int, Sequence[str]]:
    if words[:1] in (["-"], ["minus"]):
        return -1, words[1:]
    return 1, words[1:] if words[:1] == ["+"] else words


def _percent(words: Sequence[str]) -> _Measured | None:
    sign, words = _sign(words)
    counted = number(words)
    if counted is None:
        return None
    value, taken = counted
    after = " ".join(words[taken:]).lower().rstrip(".")
    if after and after not in _PERCENT:
        return None
    return _Measured(sign * value, "%" if after else None)


def _quantity(words: Sequence[str]) -> _Measured | None:
    sign, words = _sign(words)
    counted = number(words)
    if counted is None:
        return None
    value, taken = counted
    after = words[taken:]
    symbol = unit(" ".join(after)) if after else None
    if after and symbol is None:
        return None
    return _Measured(sign * value, symbol, scaled=taken > 1)


def _money(words: Sequence[str]) -> _Measured | None:
    sign, words = _sign(words)
    if words[:2] == ["A", "$"]:  # Australia's, not the article
        words = ["A$", *words[2:]]
    before, counted = 0, number(words, money=True)
    while counted is None and before < min(4, len(words) - 1):
        before += 1
        counted = number(words[before:], money=True)
    if counted is None:
        return None
    value, taken = counted
    code = currency(" ".join(words[:before])) if before else None
    if before and code is None:
        return None
    after = [word.lower() for word in words[before + taken :]]
    scaled = taken > 1
    if not after:
        return _Measured(sign * value, code, scaled)
    if after[-1] in _CENTS:
        return _with_cents(sign, value, code, after)
    named = currency(" ".join(after))
    if words[:before] == ["$"]:  # `$8,000 CAD`, `$500 US`: which dollar stands after the amount
        named = named or currency(" ".join([*after, "$"]))
        code = None if named and is_dollar(named) else code
    if named is None or (code and named and code != named):
        return None
    return _Measured(sign * value, code or named, scaled)


def _with_cents(sign: int, value: Decimal, code: str | None, after: list[str]) -> _Measured | None:
    """`60 cents`, `3 dollars 50 cents`, `thirteen dollars and forty-five cents`."""
    if len(after) == 1:
        return None if code else _Measured(sign * value / 100, _CENTS[after[0]])
    for size in range(min(3, len(after) - 2), 0, -1):
        whole = currency(" ".join(after[:size]))
        if whole is None:
            continue
        rest = after[size + 1 :] if after[size] == "and" else after[size:]
        cents = number(rest)
        if cents is None or cents[0] >= 100 or len(rest) != cents[1] + 1:
            return None
        return _Measured(sign * (value + cents[0] / 100), code or whole)
    return None


_MEASURES: dict[str, tuple[_Measure, str]] = {
    "MONEY": (_money, "currency"),
    "PERCENT": (_percent, ""),
    "QUANTITY": (_quantity, "unit"),
}
"""How each label's amounts are read, and what the field of their unit is called."""
