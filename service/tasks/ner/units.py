"""Names and signs of units and currencies, as the Unicode CLDR has them in English (through Babel).

The tables are made once, on the first question (a tenth of a second). Leaves out numbers (numerals.py).
"""

import re
from functools import cache

from babel import Locale
from babel.numbers import get_currency_name
from babel.units import format_unit

_LOCALE = Locale("en")

_KINDS = "length area volume mass speed temperature energy power digital pressure frequency electric angle force"
"""CLDR's kinds whose units an entity QUANTITY may have; a sign of two kinds is of the first (`pt` is a pint)."""

_PREFIXES = {
    "nano": "n",
    "micro": "μ",
    "milli": "m",
    "centi": "c",
    "kilo": "k",
    "mega": "M",
    "giga": "G",
    "tera": "T",
    "peta": "P",
}
_BASES = {
    "meter": "m",
    "gram": "g",
    "liter": "L",
    "watt": "W",
    "watt hour": "Wh",
    "volt": "V",
    "ampere": "A",
    "hertz": "Hz",
    "joule": "J",
    "pascal": "Pa",
    "electronvolt": "eV",
    "bit": "b",
    "byte": "B",
    "bar": "bar",
    "calorie": "cal",
    "newton": "N",
    "ohm": "Ω",
    "kelvin": "K",
    "mole": "mol",
    "volt ampere": "VA",
    "ton": "t",
}
"""Units that take the prefixes of the SI; CLDR lists some of the pairs only."""

_MORE_UNITS = {
    "°": ("degree", "degrees", "deg", "degs"),
    "°C": (
        "celsius",
        "centigrade",
        "degree c",
        "degrees c",
        "deg c",
        "deg celsius",
        "degrees centigrade",
    ),
    "°F": ("fahrenheit", "degree f", "degrees f", "deg f", "deg fahrenheit"),
    "km/h": ("kph", "kmph", "kmh"),
    "mph": ("mi/h",),
    "kg": ("kilo", "kilos", "kgs"),
    "lb": ("lbs",),
    "t": ("tonne", "tonnes", "metric tonne", "metric tonnes"),
    "μg": ("mcg",),
    "μm": ("micron", "microns"),
    "dB": ("dB", "decibel", "decibels"),
    "L": ("l", "ltr"),
    "mL": ("ml",),
    "cL": ("cl",),
    "kn": ("kt", "kts"),
    "ft": ("foot", "'"),
    "in": ('"',),
    "kWh": ("kilowatt hours",),
    "rpm": ("rpm", "revolutions per minute"),
    "B": ("B",),
    "b": ("bit", "bits"),
    "Å": ("Å", "angstrom", "angstroms"),
    "ppm": ("ppm",),
    "cup": ("cup", "cups"),
    "MiB": ("MiB",),
    "GiB": ("GiB",),
    "TiB": ("TiB",),
}
_SECONDS = {
    "h": ("h", "hr", "hour", "hours"),
    "min": ("min", "minute"),
    "s": ("s", "sec", "second", "seconds"),
    "d": ("day",),
    "y": ("year", "yr"),
}
"""What a unit may be divided by, apart from the others."""

_MORE_CURRENCIES = {
    "USD": (
        "$",
        "dollar",
        "dollars",
        "us$",
        "us $",
        "u s $",
        "us dollar",
        "u s dollar",
        "u s dollars",
        "bucks",
    ),
    "GBP": ("pound", "pounds", "pounds sterling", "sterling", "quid", "stg"),
    "EUR": ("euro", "euros"),
    "JPY": ("yen", "¥"),
    "CNY": ("yuan", "rmb", "renminbi"),
    "INR": ("rs", "rupee", "rupees", "re"),
    "CAD": ("c$", "can$", "cdn$"),
    "AUD": ("au$", "aus$", "a$"),
    "MXN": ("mex$",),
    "SGD": ("s$", "sg$"),
    "CHF": ("sfr",),
    "RUB": ("rouble", "roubles", "ruble", "rubles", "₽"),
    "TRY": ("lira", "₺"),
    "PLN": ("zloty", "zlotys", "zł"),
    "THB": ("baht",),
    "ILS": ("shekel", "shekels"),
    "BRL": ("reais",),
    "FIM": ("markka",),
    "NLG": ("guilder", "guilders"),
    "ESP": ("peseta", "pesetas"),
}
"""Names and signs that CLDR lacks, or shares among several currencies: what English texts mean by them."""

_UNTOLD_CURRENCIES = (
    "franc francs peso pesos krona kronor krone kroner kronas crown crowns dinar dinars dirham dirhams mark marks "
    "riyal riyals rial rials shilling shillings"
)
"""Names of money that do not tell whose."""


@cache
def _units() -> tuple[dict[str, str], dict[str, str]]:
    """Symbols of units by sign, where capitals count (`mW`, `MW`), and by name in small letters."""
    signs: dict[str, str] = {}
    names: dict[str, str] = {}
    keys = sorted(
        (
            key
            for key in map(str, _LOCALE.unit_display_names)
            if key.partition("-")[0] in _KINDS.split()
        ),
        key=lambda key: _KINDS.index(key.partition("-")[0]),
    )
    for key in keys:
        symbol = _unit_form(key, 1, "short")
        if "[" in symbol or not symbol:
            continue
        signs.setdefault(_normal(symbol), symbol)
        for count in (1, 2):
            signs.setdefault(_normal(_unit_form(key, count, "short")), symbol)
            names.setdefault(_normal(_unit_form(key, count, "long").lower()), symbol)
    for name, sign in _BASES.items():
        for prefix, letter in _PREFIXES.items():
            if name in ("bit", "byte") and letter in "nμmc":
                continue
            symbol = signs.setdefault(letter + sign, letter + sign)
            for plural in ("", "s"):
                names.setdefault(prefix + name + plural, symbol)
        if letter_sign := signs.get(sign):
            names.setdefault(name, letter_sign)
    for symbol, forms in _MORE_UNITS.items():
        for form in forms:
            signs[form] = names[form] = symbol
    signs.pop("c", None)  # a cup, or the speed of light
    return signs, names


@cache
def _signs_in_small_letters() -> dict[str, set[str]]:
    """The symbols that a sign of two letters or more may mean when its capitals are not to be relied upon."""
    table: dict[str, set[str]] = {}
    for sign, symbol in _units()[0].items():
        if len(sign) > 1:
            table.setdefault(sign.lower(), set()).add(symbol)
    return table


def _unit_form(key: str, count: int, length: str) -> str:
    formatted = format_unit(count, key, "short" if length == "short" else "long", locale=_LOCALE)
    return re.sub(r"^\d+\s*|\s*\d+$", "", formatted)


def _normal(form: str) -> str:
    return form.replace("²", "2").replace("³", "3").replace("⋅", "").replace("µ", "μ")


def unit(text: str) -> str | None:
    """The symbol of a unit, None if it is not known.

    >>> unit("square kilometres"), unit("kilometers an hour"), unit("GB"), unit("m s -1")
    ('km²', 'km/h', 'GB', 'm/s')
    """
    # `m s-1`, `W m-2`: the exponent of the second unit says that it divides
    text = re.sub(r"(\S+) ?[·. ] ?(\S+?) ?- ?1$", r"\1 per \2", text)
    text = re.sub(r"(\S+) ?[·. ] ?(\S+?) ?- ?([23])$", r"\1 per \2\3", text)
    text = re.sub(r"\s*(?:/|\b(?:per|an|a)\b)\s*", " per ", text).strip()
    whole = _simple(text)
    if whole is not None:
        return whole
    above, _, below = text.partition(" per ")
    top, bottom = _simple(above), _divisor(below)
    if top is None or bottom is None:
        return None
    if top == "mi" and bottom == "h":
        return "mph"
    return f"{top}/{bottom}"


def _simple(text: str) -> str | None:
    """The symbol of a unit that is not divided by another."""
    signs, names = _units()
    text = re.sub(r"^° ", "°", text.removesuffix("."))
    if text in signs:
        return signs[text]
    if re.fullmatch(r"[GMKk]bps|[GMTk]B/s|bps", text):
        return text.replace("ps", "/s")
    lower = re.sub(r"metre\b|metres\b", lambda found: found[0].replace("re", "er"), text.lower())
    lower = lower.replace("litre", "liter").replace("gramme", "gram").replace("-", " ")
    lower = re.sub(r"^sq\.? ", "square ", re.sub(r"^cu\.? ", "cubic ", lower))
    if lower in names:
        return names[lower]
    # a sign in the wrong case, `KM` or `Kg`, if it can be no other
    others = _signs_in_small_letters().get(lower, set())
    if len(others) == 1:
        return next(iter(others))
    squared = re.fullmatch(r"(?:(square|cubic) )?([^\d]+?) ?([23])?", text)
    if squared and (squared[1] or squared[3]):
        base = _simple(squared[2])
        power = squared[3] or ("2" if squared[1] == "square" else "3")
        return None if base is None else base + {"2": "²", "3": "³"}[power]
    return None


@cache
def _divisors() -> dict[str, str]:
    return {form: symbol for symbol, forms in _SECONDS.items() for form in forms}


def _divisor(text: str) -> str | None:
    return _divisors().get(text) or (_simple(text) if text else None)


@cache
def _currencies() -> dict[str, str | None]:
    """Codes of currencies by code, sign and name in small letters; None where a name is that of several."""
    table: dict[str, str | None] = dict.fromkeys(_UNTOLD_CURRENCIES.split())
    codes = sorted(_LOCALE.currencies)
    for code in codes:
        for count in (1, 2):
            table.setdefault(get_currency_name(code, count, _LOCALE).lower(), code)
        symbol = _LOCALE.currency_symbols.get(code, code)
        table.setdefault(symbol.lower(), code)
        table.setdefault(code.lower(), code)
    for code, forms in _MORE_CURRENCIES.items():
        table.update(dict.fromkeys(forms, code))
    return table


def currency(text: str) -> str | None:
    """The ISO 4217 code of a currency, "" if the text names money but not whose, None if it is none.

    `$` alone is USD and `Rs` is INR: what an English text means by them unless it says more.

    >>> currency("$"), currency("Swiss francs"), currency("francs"), currency("apples")
    ('USD', 'CHF', '', None)
    """
    key = text.lower().strip(". ")
    table = _currencies()
    for form in (key, key.replace(" ", "")):
        if form in table:
            return table[form] or ""
    return None


def is_dollar(code: str) -> bool:
    """Whether a currency is one of those written `$`.

    >>> is_dollar("CAD"), is_dollar("EUR")
    (True, False)
    """
    return "Dollar" in _LOCALE.currencies.get(code, "")
