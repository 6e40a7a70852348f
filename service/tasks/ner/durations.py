"""Values of durations and ages in English text, as ISO 8601 writes them: `two hours`, `38-year-old`."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from service.tasks.ner.numerals import number
from service.tasks.ner.ranges import only, splits

UNITS = {
    name: (unit, Decimal(factor))
    for unit, factor, names in (
        ("Y", "10", "decade decades"),
        ("Y", "1", "year years yr yrs"),
        ("M", "1", "month months mth mths"),
        ("W", "2", "fortnight fortnights"),
        ("W", "1", "week weeks wk wks"),
        ("D", "1", "day days"),
        ("TH", "1", "hour hours hr hrs h"),
        ("TM", "1", "minute minutes min mins"),
        ("TS", "1", "second seconds sec secs s"),
        ("TS", "0.001", "millisecond milliseconds ms"),
        ("TS", "0.000001", "microsecond microseconds μs"),
    )
    for name in names.split()
}
_UNIT_ORDER = ["Y", "M", "W", "D", "TH", "TM", "TS"]


def read_duration(words: Sequence[str]) -> str | None:
    """A duration or an age: `two hours`, `1h 20min`, `38-year-old`, `three (3) years`.

    >>> read_duration(["1", "h", "20", "min"])
    'PT1H20M'
    """
    words = [word for word in words if word not in ("-", ",")]
    if words[-1:] == ["old"] or words[-2:] == ["of", "age"]:
        words = words[:-1] if words[-1] == "old" else words[:-2]
    if words[1:2] == ["("] and words[3:4] == [")"] and number(words[:1]) == number(words[2:3]):
        words = [words[0], *words[4:]]
    lengths: dict[str, Decimal] = {}
    place = 0
    while place < len(words):
        if lengths and words[place] == "and":
            place += 1
        counted = number(words[place:])
        if counted is None:
            return None
        value, taken = counted
        place += taken
        name = words[place] if place < len(words) else ""
        if name == "m" and "TH" in lengths:
            name = "min"
        unit, factor = UNITS.get(name, ("", Decimal(0)))
        if not unit or unit in lengths:
            return None
        if lengths and _UNIT_ORDER.index(unit) < _UNIT_ORDER.index(list(lengths)[-1]):
            return None
        lengths[unit] = value * factor
        place += 1
    return _iso_duration(lengths) if lengths else None


def _iso_duration(lengths: dict[str, Decimal]) -> str:
    days, hours = "", ""
    for unit, value in lengths.items():
        figure = f"{value.normalize():f}{unit[-1]}"
        if unit.startswith("T"):
            hours += figure
        else:
            days += figure
    return f"P{days}T{hours}" if hours else f"P{days}"


def duration_range(words: Sequence[str]) -> tuple[str, str] | None:
    """The shorter and the longer end of a range: `two to three hours`."""

    def ranges() -> Iterator[tuple[str, str]]:
        for left, right in splits(words):
            ending = read_duration(right)
            unit = [word for word in right if word in UNITS or word == "old"]
            beginning = read_duration(left) or read_duration([*left, *unit])
            if beginning and ending and _shorter(beginning, ending):
                yield beginning, ending

    return only(ranges())


def _shorter(first: str, second: str) -> bool:
    """Whether of two durations in one and the same unit the first is the shorter."""
    figures = [re.fullmatch(r"(PT?)([\d.]+)([A-Z])", duration) for duration in (first, second)]
    one, other = figures
    if one is None or other is None or one.group(1, 3) != other.group(1, 3):
        return False
    return Decimal(one[2]) < Decimal(other[2])
