"""Numbers as they stand in English text: `1,249.50`, `2,50,000`, `7,50`, `10 1/2`, `thirteen`, `half a million`.

Leaves out units and ranges (values.py). A number that can be read in two ways is no number here.
"""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal

LONGEST = 100
"""Characters of the longest text that is read; what is longer is no number, date or amount."""

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+\.?|[^\s\d]")
_RAISED = re.compile(r"\d[⁰¹²³⁴-⁹⁻]")
_VULGAR = re.compile(r"(?<=\d)(?=[¼½¾⅓⅔⅛⅜⅝⅞])")
_GROUP_SPACE = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))")
_ABBREVIATION = re.compile(r"\b(?:[a-z]\.){2,}", re.IGNORECASE)
_DASHES = str.maketrans(
    {"\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2212": "-", "–": "-", "—": "-"}
)

_ENGLISH = re.compile(
    r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?|\d+(?:\.\d+)?"
)
_DECIMAL_COMMA = re.compile(r"(?:\d{1,3}(?:\.\d{3})+|\d+),\d{1,2}|0,\d+")
_CONTINENTAL = re.compile(r"\d{1,3}(?:\.\d{3}){2,}")

_SMALL_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve "
    "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {word: value for value, word in enumerate(_SMALL_WORDS.split())}
_TENS = {word: value * 10 for value, word in enumerate(_TENS_WORDS.split(), start=2)}
_SCALES = {
    "hundred": 10**2,
    "thousand": 10**3,
    "lakh": 10**5,
    "lakhs": 10**5,
    "million": 10**6,
    "crore": 10**7,
    "crores": 10**7,
    "billion": 10**9,
    "trillion": 10**12,
}
MONEY_SCALES = {
    "k": 10**3,
    "lac": 10**5,
    "lacs": 10**5,
    "m": 10**6,
    "mn": 10**6,
    "mln": 10**6,
    "cr": 10**7,
    "b": 10**9,
    "bn": 10**9,
    "tn": 10**12,
}
"""Short magnitudes, which only an amount of money may have: elsewhere `m` is a metre."""

_FRACTIONS = {
    ("half",): Decimal("0.5"),
    ("quarter",): Decimal("0.25"),
    ("three", "quarters"): Decimal("0.75"),
}


def tokens(text: str) -> list[str]:
    """Numbers, words and single signs of a text; [] if it is too long, or has exponents.

    A word keeps its full stop, and so does `U.S.`; the case stays.

    >>> tokens("Rs. 2,50,000"), tokens("12.5 km²")
    (['Rs.', '2,50,000'], ['12.5', 'km', '2'])
    """
    if len(text) > LONGEST or _RAISED.search(text):
        return []
    text = _GROUP_SPACE.sub("", _VULGAR.sub(" ", text))
    text = unicodedata.normalize("NFKC", text).replace("\u2044", "/").translate(_DASHES)
    text = _ABBREVIATION.sub(lambda match: match[0].replace(".", ""), text)
    return _TOKEN.findall(text)


def digits(token: str, *, money: bool = False) -> Decimal | None:
    """The value of a number in digits; None if it can be read in two ways.

    `1,249` is in thousands, as English writes it. `1.249` is a decimal, unless it is money: hardly an amount has
    thousandths, so there it may as well be in thousands.

    >>> digits("1,249.50"), digits("2,50,000"), digits("7,50"), digits("1.249", money=True)
    (Decimal('1249.50'), Decimal('250000'), Decimal('7.50'), None)
    """
    if not token.isascii():
        return None
    if money and re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", token):
        return None
    if _ENGLISH.fullmatch(token):
        return Decimal(token.replace(",", ""))
    if _DECIMAL_COMMA.fullmatch(token):
        return Decimal(token.replace(".", "").replace(",", "."))
    if _CONTINENTAL.fullmatch(token):
        return Decimal(token.replace(".", ""))
    return None


def number(words: Sequence[str], *, money: bool = False) -> tuple[Decimal, int] | None:
    """The number that `words` begin with, and how many of them it takes; None if they begin with none.

    >>> number(["2.5", "million", "barrels"])
    (Decimal('2500000.0'), 2)
    >>> number(["half", "a", "mile"])
    (Decimal('0.5'), 2)
    """
    lower = [word.lower() for word in words]
    return _counted(lower, money) if lower and lower[0][0].isdigit() else _spelled(lower, money)


def _counted(words: list[str], money: bool) -> tuple[Decimal, int] | None:
    """A number in digits, with a fraction or magnitudes after it: `10 1/2`, `2.4 billion`."""
    # `$2.175 million` can be read in one way only
    value = digits(words[0], money=money and _scale(words, 1, money) is None)
    if value is None:
        return None
    taken = 1
    fraction = _fraction(words[1:4])
    if fraction is not None:
        value, taken = value + fraction, 4
    elif words[1:2] == ["/"]:
        alone = _fraction(words[0:3])
        if alone is None:
            return None
        value, taken = alone, 3
    return _with_scales(value, words, taken, money)


def _fraction(words: list[str]) -> Decimal | None:
    if len(words) < 3 or words[1] != "/" or not (words[0].isdigit() and words[2].isdigit()):
        return None
    above, below = int(words[0]), int(words[2])
    # halves to sixteenths: with other figures a stroke is a date, a score or a ratio
    return Decimal(above) / below if above < below and below in (2, 3, 4, 5, 8, 16) else None


def _with_scales(
    value: Decimal, words: list[str], taken: int, money: bool
) -> tuple[Decimal, int] | None:
    while (scale := _scale(words, taken, money)) is not None:
        value, taken = value * scale, taken + 1
    return value, taken


def _scale(words: list[str], place: int, money: bool) -> int | None:
    if place >= len(words):
        return None
    word = words[place].rstrip(".")
    return _SCALES.get(word) or (MONEY_SCALES.get(word) if money else None)


def _spelled(words: list[str], money: bool) -> tuple[Decimal, int] | None:
    """A number in words: `thirteen`, `a hundred and five`, `half a million`, `two and a half`."""
    for size in (2, 1):
        fraction = _FRACTIONS.get(tuple(words[:size]))
        if fraction is not None:
            return _after_fraction(fraction, words, size, money)
    if words[:1] in (["a"], ["an"]):
        if words[1:2] in (["half"], ["quarter"]):
            return _after_fraction(_FRACTIONS[(words[1],)], words, 2, money)
        return _with_scales(Decimal(1), words, 1, money)
    total = current = taken = 0
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if word in _SMALL and _fits(current, _SMALL[word]):
            current += _SMALL[word]
        elif word in _TENS and _fits(current, _TENS[word]):
            current += _TENS[word]
        elif word == "hundred" and 0 < current < 100:
            current *= 100
        elif word in _SCALES and current:
            total, current = total + current * _SCALES[word], 0
        elif word in ("and", "-") and taken == place > 0 and following in _SMALL | _TENS:
            continue
        elif word in _SMALL or word in _TENS:
            return None  # "five six", "ten - twelve": not one number
        else:
            break
        taken = place + 1
    if not taken:
        return None
    value = Decimal(total + current)
    if words[taken : taken + 3] == ["and", "a", "half"]:
        return _with_scales(value + Decimal("0.5"), words, taken + 3, money)
    return value, taken


def _after_fraction(
    fraction: Decimal, words: list[str], taken: int, money: bool
) -> tuple[Decimal, int] | None:
    """`half` of what follows: a magnitude (`half a million`), or one of the unit (`half a mile`)."""
    if words[taken : taken + 1] in (["a"], ["an"]):
        taken += 1
    return _with_scales(fraction, words, taken, money)


def _fits(current: int, small: int) -> bool:
    """Whether a small number may follow `current`: five after twenty or a hundred, not after ten or six."""
    if small < 10:
        return current % 10 == 0 and current % 100 != 10 and not (current and small == 0)
    return current % 100 == 0


def plain(value: Decimal) -> int | float:
    """A whole number as an int, any other as a float.

    >>> plain(Decimal("1200000000.0")), plain(Decimal("12.5"))
    (1200000000, 12.5)
    """
    return int(value) if value == value.to_integral_value() else float(value)
