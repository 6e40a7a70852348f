"""Values of dates in English text, as ISO 8601 writes them.

Only what stands in the text is told: `June` alone has no value, and neither has `03/04/2025`, of which nobody
knows the month. What is told from a reference date is a short list (`_relative`). Leaves out
times of day (clock.py), durations (durations.py) and amounts (values.py).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from service.tasks.ner.durations import UNITS, duration_range, read_duration
from service.tasks.ner.numerals import number
from service.tasks.ner.ranges import only, splits

_MONTHS = {
    name: index
    for index, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    name: index
    for index, names in enumerate(
        (
            "monday mon",
            "tuesday tues tue",
            "wednesday wed",
            "thursday thurs thur thu",
            "friday fri",
            "saturday sat",
            "sunday sun",
        )
    )
    for name in names.split()
}
_FILLERS = {",", ".", "-", "/", "of", "the", "in", "year", "th", "st", "nd", "rd"}

_QUARTER = re.compile(
    r"(?:q ?([1-4])|([1-4]) ?q|(first|second|third|fourth|1 st|2 nd|3 rd|4 th) quarter)(?: of)?(?: ,)? (\d{4})"
)
_YEAR_QUARTER = re.compile(r"(\d{4}) (?:- )?q ?([1-4])")
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}


@dataclass(frozen=True, slots=True)
class _Parts:
    """A date as far as a text tells it."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None

    def iso(self) -> str | None:
        """`2025-11-29`, `2025-11` or `2025`; None if there is no year, or no such day."""
        if self.year is None or (self.day is not None and self.month is None):
            return None
        if self.month is None:
            return f"{self.year:04}" if self.weekday is None else None
        if self.day is None:
            return f"{self.year:04}-{self.month:02}" if self.weekday is None else None
        try:
            day = date(self.year, self.month, self.day)
        except ValueError:
            return None
        return day.isoformat() if self.weekday in (None, day.weekday()) else None


def read_date(words: Sequence[str], reference: date | None) -> str | tuple[str, str] | None:
    """The value of an entity DATE, or those of its two ends."""
    lower = [word.lower().rstrip(".") or word for word in words]
    if reference is not None and (value := _relative(lower, reference)) is not None:
        return value
    # the 1990s are no number of seconds
    if lower[-1] != "s" and (value := read_duration(lower)) is not None:
        return value
    joined = " ".join(lower)
    if quarter := _QUARTER.fullmatch(joined):
        which = quarter[1] or quarter[2] or str(_ORDINALS.get(quarter[3], quarter[3][:1]))
        return f"{quarter[4]}-Q{which}"
    if quarter := _YEAR_QUARTER.fullmatch(joined):
        return f"{quarter[1]}-Q{quarter[2]}"
    parts = _date_parts(lower)
    if parts is not None and (value := parts.iso()) is not None:
        return value
    return only(_date_ranges(lower)) or duration_range(lower)


def _date_parts(words: Sequence[str]) -> _Parts | None:
    """What a text tells of one date, in figures or with the month's name; None if there is anything else."""
    figures = _figures("".join(words))
    if figures is not None:
        return figures
    parts = _Parts()
    for word in words:
        if word in _MONTHS and parts.month is None:
            parts = replace(parts, month=_MONTHS[word])
        elif word in _WEEKDAYS and parts.weekday is None:
            parts = replace(parts, weekday=_WEEKDAYS[word])
        elif re.fullmatch(r"[12]\d{3}", word, re.ASCII) and parts.year is None:
            parts = replace(parts, year=int(word))
        elif re.fullmatch(r"\d\d?", word, re.ASCII) and parts.day is None and int(word) <= 31:
            parts = replace(parts, day=int(word))
        elif word not in _FILLERS:
            return None
    return parts


def _figures(text: str) -> _Parts | None:
    """A date in figures only, if its order can be told.

    >>> _figures("29/11/2025"), _figures("03/04/2025")
    (_Parts(year=2025, month=11, day=29, weekday=None), None)
    """
    if found := re.fullmatch(r"([12]\d{3})([-/.])(\d{1,2})\2(\d{1,2})", text, re.ASCII):
        return _Parts(int(found[1]), int(found[3]), int(found[4]))
    if found := re.fullmatch(r"(\d{1,2})([-/.])(\d{1,2})\2([12]\d{3})", text, re.ASCII):
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        if first > 12 or first == second or found[2] == ".":
            return _Parts(year, second, first)
        return _Parts(year, first, second) if second > 12 else None
    if found := re.fullmatch(r"([12]\d{3})[-/](\d\d)", text, re.ASCII):
        year, month = int(found[1]), int(found[2])
        # 2005-11 may be six years; 2025-11 is a month
        return _Parts(year, month) if 1 <= month <= 12 and month <= year % 100 else None
    if found := re.fullmatch(r"(\d{1,2})[-/]([12]\d{3})", text, re.ASCII):
        month = int(found[1])
        return _Parts(int(found[2]), month) if 1 <= month <= 12 else None
    return None


def _date_ranges(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Ranges of dates, each end completed by the other: `25-26 October 2016`, `March - June 2022`, `1980-88`."""
    for left, right in splits(words):
        start, end = _date_parts(left), _date_parts(right)
        if start is not None and start == _Parts(year=start.year):
            end = _year_of_same_century(start.year, right) or end
        if start is None or end is None:
            continue
        if start.year is not None and end.year is None and end.month is not None:
            end = replace(end, year=start.year)
        elif start.year is None:
            start = replace(start, year=end.year)
        if start.month is None and start.day is not None:
            start = replace(start, month=end.month)
        if end.month is None and end.day is not None:
            end = replace(end, month=start.month, year=end.year or start.year)
        from_, to = start.iso(), end.iso()
        if from_ is not None and to is not None and len(from_) == len(to) and from_ < to:
            yield from_, to


def _year_of_same_century(start: int | None, words: Sequence[str]) -> _Parts | None:
    """The 88 of `1980-88`; None up to 12, which may be a month."""
    if start is None or len(words) != 1 or not re.fullmatch(r"\d\d", words[0], re.ASCII):
        return None
    short = int(words[0])
    return _Parts(year=start - start % 100 + short) if short > max(12, start % 100) else None


def _relative(words: Sequence[str], reference: date) -> str | None:
    """What a reference date tells surely: days next to it, periods about it, and `N units ago`."""
    near = {"yesterday": -1, "today": 0, "tomorrow": 1}
    if len(words) == 1 and words[0] in near:
        return _shifted(reference, "D", near[words[0]])
    if len(words) == 2 and words[0] in ("last", "this", "next"):
        unit = {"year": "Y", "month": "M", "week": "W"}.get(words[1])
        return (
            _shifted(reference, unit, ("last", "this", "next").index(words[0]) - 1)
            if unit
            else None
        )
    if words[-1:] == ["ago"] or words[-2:] == ["from", "now"]:
        count = number(words)
        if count is None or count[0] != int(count[0]) or count[0] > 10_000:
            return None
        value, taken = count
        rest = list(words[taken:])
        unit, factor = UNITS.get(rest[0], ("", Decimal(0)))
        if rest[1:] in (["ago"], ["from", "now"]) and unit in ("Y", "M", "W", "D"):
            steps = int(value * factor)
            return _shifted(reference, unit, -steps if rest[1] == "ago" else steps)
    return None


def _shifted(reference: date, unit: str, steps: int) -> str | None:
    """The day, week, month or year that lies `steps` of them after that of `reference`."""
    try:
        if unit == "Y":
            return f"{date(reference.year + steps, 1, 1).year:04}"
        if unit == "M":
            months = reference.year * 12 + reference.month - 1 + steps
            return f"{date(months // 12, months % 12 + 1, 1):%Y-%m}"
        day = reference + timedelta(days=steps * (7 if unit == "W" else 1))
    except (ValueError, OverflowError):
        return None
    if unit == "W":
        year, week, _ = day.isocalendar()
        return f"{year:04}-W{week:02}"
    return day.isoformat()
