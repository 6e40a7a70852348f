"""Values of times of day in English text, as ISO 8601 writes them: `5:30 pm`, `17:30Z`, `from 9 to 11 am`."""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from service.tasks.ner.durations import duration_range, read_duration
from service.tasks.ner.numerals import number
from service.tasks.ner.ranges import only, splits

_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?(?::(?P<second>\d\d))?(?P<half>[ap]m)?(?P<zone>[a-z]{0,4})",
    re.ASCII,
)
_ZONES = {
    "": "",
    "utc": "Z",
    "gmt": "Z",
    "z": "Z",
    "cet": "+01:00",
    "cest": "+02:00",
    "jst": "+09:00",
    "edt": "-04:00",
    "est": "-05:00",
    "cdt": "-05:00",
    "mdt": "-06:00",
    "pdt": "-07:00",
    "pst": "-08:00",
}
"""Zones that are the same wherever they are written; CST, IST and BST are not, and ET changes with the season."""

_NAMED_CLOCK = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}


def read_time(words: Sequence[str], reference: date | None) -> str | tuple[str, str] | None:
    """The value of an entity TIME, or those of its two ends. `reference` tells nothing of a time of day."""
    lower = [word.lower().rstrip(".") or word for word in words]
    value = read_duration(lower) or _clock(lower)
    if value is not None:
        return value
    return only(_clock_ranges(lower)) or duration_range(lower)


def _clock(words: Sequence[str]) -> str | None:
    """A time of day: `17:30`, `17:30:05`, `17:30Z`.

    Without a.m. or p.m. it must look like one of 24 hours: `11:00` and `08:30` do, `8:30` and `7` do not.
    """
    if len(words) == 1 and words[0] in _NAMED_CLOCK:
        return _NAMED_CLOCK[words[0]]
    hour = number(words[:1]) if words and words[0].isalpha() and len(words) == 2 else None
    text = "".join(words if hour is None else [str(int(hour[0])), *words[1:]])
    found = _CLOCK.fullmatch(text)
    if not found:
        return None
    hours, minutes, seconds = int(found["hour"]), int(found["minute"] or 0), found["second"]
    if found["half"]:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if found["half"] == "pm" else 0)
    elif found["minute"] is None or len(found["hour"]) == 1 or "." in text:
        return None
    if hours > 23 or minutes > 59 or int(seconds or 0) > 59:
        return None
    zone = _ZONES.get(found["zone"])
    return (
        None if zone is None else f"{hours:02}:{minutes:02}{f':{seconds}' if seconds else ''}{zone}"
    )


def _clock_ranges(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Ranges of times, the start with the zone and the half of the day that only the end has: `5 to 6pm`."""
    for left, right in splits(words):
        to = _clock(right)
        if to is None:
            continue
        after = [word for word in right if re.fullmatch(r"[ap]m|[a-z]{1,4}", word)]
        for beginning in (left, [*left, *after], [*left, *after[-1:]]):
            from_ = _clock(beginning)
            if from_ is not None and from_ < to and _zone(from_) == _zone(to):
                yield from_, to
                break


def _zone(time: str) -> str:
    return time.lstrip("0123456789:").partition(":")[0]
