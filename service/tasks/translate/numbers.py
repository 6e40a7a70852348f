"""Numbers, times of day and dates, and how another language writes them.

Only what can be told from the number itself is rewritten: grouped digits and decimals (1,250.5 and 1 250,5),
and times of day with am or pm, or with an h between hours and minutes. Everything else is copied.
"""

import re

from service.tasks.translate.tracing import TracedText

SPACES = " \u00a0\u202f\u2009"
"""What may stand between groups of digits."""

# language -> what it writes between groups of three digits, and before decimals
_SEPARATORS = {
    "en": (",", "."),
    "fr": (" ", ","),
    "de": (".", ","),
    "es": (".", ","),
    "it": (".", ","),
    "nl": (".", ","),
    "pt": (".", ","),
}

_SPACED = rf"\d{{1,3}}(?:[{SPACES}]\d{{3}})+"
_EDGES = r"(?<![\w.,:/+-])(?:{})(?!\d|[.,:/-]\d)"


def _number(group: str, decimal: str) -> str:
    grouped = rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})+" if group != " " else _SPACED
    return rf"{grouped}(?:{re.escape(decimal)}\d+)?|\d+{re.escape(decimal)}\d+"


_TIMES = {
    "en": r"(?P<hour>1[0-2]|0?[1-9])(?::(?P<minute>[0-5]\d))? ?(?P<half>[ap])\.?m\b(?:\.(?=\s+[a-z]))?",
    "fr": r"(?P<hour>2[0-3]|1\d|0?\d) ?h ?(?P<minute>[0-5]\d)(?!\w)",
}

_OTHER = "|".join(
    [
        r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5}|/\d{1,2})",  # IP addresses with a port or a mask
        r"\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}",  # dates
        r"\d{4}-\d\d-\d\d",
        r"\+\d{1,3}(?:[ .\u00a0-]?\(?\d{1,4}\)?){2,6}|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}",  # telephone numbers
        r"\d{2,4}(?:[ .\u00a0-]\d{2,4}){3,}",
        r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?",  # times of day, durations
        r"\d+(?:\.\d+){2,}",  # versions, IP addresses
        _SPACED,
        r"\d{1,3}(?:[.,']\d{3})+",
        r"\d{5,}",
        r"\d+/\d+",
        r"\d{2,}(?:-\d{2,})+",
    ]
)


_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_MONTH_FIRST = re.compile(
    rf"\b(?P<month>{_MONTHS}) (?P<day>[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?"
    r"(?:(?P<year>, \d{4})\b|(?![\w:/–-]|[.,]\d))"
)


def with_days_first(text: TracedText, language: str) -> TracedText:
    """A text with its dates in the order of most languages.

    >>> with_days_first(TracedText("from May 1 to June 2nd, 2025"), "en").text
    'from 1 May to 2 June 2025'
    """

    def day_first(match: re.Match[str]) -> str:
        year = match["year"] or ""
        if match.start() == 0 and not year:  # `May 5 people come?`
            return match[0]
        return f"{match['day']} {match['month']}{year.lstrip(',')}"

    return text.sub(_MONTH_FIRST, day_first) if language == "en" else text


_NUMBER_SIGN = {
    "en": re.compile(r"\b([Nn])[Oo]\. ?(?=\d)"),
    "fr": re.compile(r"\b([Nn])[°º] ?(?=\d)"),
}


def with_number_sign(text: TracedText, source: str, target: str) -> TracedText:
    """A text between English and French with `n°` before numbers, which a network copies; `no.` it may negate.

    >>> with_number_sign(TracedText("invoice no. 5"), "en", "fr").text
    'invoice n° 5'
    """
    if {source, target} != {"en", "fr"}:
        return text
    return text.sub(_NUMBER_SIGN[source], lambda match: f"{match[1]}° ")


def _compiled(language: str) -> re.Pattern[str]:
    number = _number(*_SEPARATORS[language]) if language in _SEPARATORS else r"(?!)"
    time = _TIMES.get(language, r"(?!)")
    return re.compile(
        _EDGES.format(rf"(?P<time>{time})|(?P<number>{number})|{_OTHER}"),
        re.IGNORECASE,
    )


_PATTERNS: dict[str, re.Pattern[str]] = {}


def pattern(language: str) -> re.Pattern[str]:
    """What of a text is a number that no network should spell: of five digits or more, or with separators."""
    if language not in _PATTERNS:
        _PATTERNS[language] = _compiled(language)
    return _PATTERNS[language]


def renderings(match: re.Match[str], target: str) -> list[str]:
    """How the language `target` may write what `pattern` found, the usual way first."""
    found = match[0]
    if match["time"]:
        return [*_time(match, target), found]
    source = _separators_of(match.re)
    if match["number"] and source and target in _SEPARATORS:
        usual = _localized(found, source, _SEPARATORS[target])
        others = [usual.replace(" ", space) for space in "\u00a0\u202f\u2009" if " " in usual]
        return list(dict.fromkeys([usual, *others, found, re.sub(rf"[{SPACES}]", " ", found)]))
    return [found]


def _separators_of(compiled: re.Pattern[str]) -> tuple[str, str] | None:
    language = next(name for name, one in _PATTERNS.items() if one is compiled)
    return _SEPARATORS.get(language)


def _localized(number: str, source: tuple[str, str], target: tuple[str, str]) -> str:
    """
    >>> _localized("1,250.5", (",", "."), (" ", ","))
    '1 250,5'
    >>> _localized("1 250,5", (" ", ","), (",", "."))
    '1,250.5'
    """
    whole, _, decimals = number.partition(source[1])
    groups = re.split(rf"[{SPACES}]" if source[0] == " " else re.escape(source[0]), whole)
    return target[0].join(groups) + (target[1] + decimals if decimals else "")


def _time(match: re.Match[str], target: str) -> list[str]:
    parts = match.groupdict()
    hour, minute = int(parts["hour"]), parts["minute"]
    if half := parts.get("half"):
        hour = hour % 12 + (12 if half in "pP" else 0)
    if target == "en":
        twelve, half = (hour - 1) % 12 + 1, "pm" if hour >= 12 else "am"
        time = f"{twelve}:{minute}" if minute else str(twelve)
        forms = [f"{time} {half}", f"{hour}:{minute or '00'}", f"{time} {half[0]}.m."]
        return [*forms, f"{time}{half}"]
    if target == "fr":
        short = [f"{hour} h", f"{hour} heures", f"{hour}h", f"{hour} heure"]
        if not minute or minute == "00":
            return short if not minute else [*short, f"{hour} h 00", f"{hour}h00", f"{hour}:00"]
        return [
            f"{hour} h {minute}",
            f"{hour}h{minute}",
            f"{hour}:{minute}",
            f"{hour} heures {minute}",
        ]
    return [f"{hour}:{minute or '00'}"]
