"""EMAIL, PHONE, IBAN, CARD and IP: identifiers found by their form and their check digits, not by the network.

What libraries know is asked of them: numbering plans (phonenumbers), structure and checksum of an IBAN and the
Luhn digit (python-stdnum), addresses (ipaddress). A candidate is cut out by an expression of bounded length, so
the time is linear in the text. Positions are code points. Leaves out names (task.py) and hiding what was found
(redaction.py).
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from phonenumbers import Leniency, PhoneNumberMatcher
from stdnum import iban, luhn

from service.tasks.text import Span


@dataclass(frozen=True, slots=True)
class Pattern:
    """An identifier in a text: `text[start:end]`."""

    label: str
    start: int
    end: int


def find(
    text: str, labels: Collection[str], *, regions: Sequence[str] = ("US", "GB")
) -> list[Pattern]:
    """The identifiers of these labels in a text, in order; two never overlap.

    `regions` are the countries whose phone numbers may stand without a country code. Other labels are passed over.

    >>> find("Write to ada@example.org from 192.0.2.7", ["EMAIL", "IP"])
    [Pattern(label='EMAIL', start=9, end=24), Pattern(label='IP', start=30, end=39)]
    """
    finders: dict[str, Callable[[str], Iterator[Span]]] = {
        "EMAIL": _emails,
        "IBAN": _ibans,
        "CARD": _cards,
        "IP": _ips,
        "PHONE": lambda text: _phones(text, regions),
    }
    found = [
        (start, priority, Pattern(label, start, end))
        for priority, (label, spans) in enumerate(finders.items())
        if label in labels
        for start, end in spans(text)
    ]
    # the digits of an IBAN may look like a phone number: the stricter pattern has them
    taken: list[Pattern] = []
    for _, _, pattern in sorted(found, key=lambda item: item[:2]):
        while taken and pattern.start < taken[-1].end:
            if _PRIORITY.index(taken[-1].label) <= _PRIORITY.index(pattern.label):
                break
            taken.pop()
        else:
            taken.append(pattern)
    return taken


_PRIORITY = ["EMAIL", "IBAN", "CARD", "IP", "PHONE"]
"""Labels from the pattern that can hardly be mistaken to the one that may."""

PATTERN_LABELS = frozenset(_PRIORITY)
"""The labels that `find` knows."""

_LOCAL_PART = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w-])")
_NOT_FIRST = ".'*/=?^`{|}~!#$%&-"
"""Signs that are allowed in a mailbox but at its start belong to the text around it."""


def _emails(text: str) -> Iterator[Span]:
    """An address is found from its `@`, so that a text of letters costs nothing."""
    at, after = text.find("@"), 0
    while at >= 0:
        start = at
        while start > max(after, at - 64) and _LOCAL_PART.match(text[start - 1]):
            start -= 1
        while start < at and text[start] in _NOT_FIRST:
            start += 1
        domain = _DOMAIN.match(text, at + 1, at + 256)
        if start < at and domain and text[at - 1] != "." and ".." not in text[start:at]:
            yield start, domain.end()
            after = domain.end()
        at = text.find("@", max(after, at + 1))


_IBAN = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}(?: ?-?[A-Za-z0-9]){11,40}", re.ASCII)


def _ibans(text: str) -> Iterator[Span]:
    place = 0
    while found := _IBAN.search(text, place):
        start, place = found.start(), found.start() + 1
        # words after it may look like more of it: the longest beginning that checks is it
        for end in range(found.end(), start + 14, -1):
            if end < len(text) and text[end].isalnum():
                continue
            # without the check of some countries that the bank is in a list, which ages
            if text[end - 1].isalnum() and iban.is_valid(text[start:end], check_country=False):
                yield start, end
                place = end
                break


_CARD = re.compile(r"(?<![\d.,/+-])\d(?:[ -]?\d){11,18}(?![ -]?\d|[.,/]\d)", re.ASCII)
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12,15}"  # Discover
    r"|3(?:0[0-5]|[689]\d)\d{11,16}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12,15}"  # JCB
    r"|62\d{14,17}"  # UnionPay
    r"|220[0-4]\d{12,15}"  # Mir
    r"|(?:50|5[6-9]|6\d)\d{10,17}",  # Maestro
    re.ASCII,
)


def _cards(text: str) -> Iterator[Span]:
    for found in _CARD.finditer(text):
        number = re.sub(r"[ -]", "", found[0])
        if _ISSUERS.fullmatch(number) and luhn.is_valid(number):
            yield found.span()


_IP = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w)"
    r"|(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{2,39}(?:\.\d{1,3}){0,3}(?![\w:]))",
    re.ASCII,
)


def _ips(text: str) -> Iterator[Span]:
    for found in _IP.finditer(text):
        address = found[0]
        start, end = found.span()
        if address.endswith(":") and not address.endswith("::"):
            address, end = address[:-1], end - 1  # "from fe80::1: no answer"
        if address == "::":
            continue
        try:
            ipaddress.ip_address(address)
        except ValueError:
            continue
        yield start, end


_PHONE = re.compile(r"(?:[+(]{1,2}|(?<!\w))\d(?:[ .()/\u00a0\u2011–-]{0,3}\d){6,40}(?!\d)")
_TRIES = 4
"""Times that the library may fail in one run of digits, which bounds its time for runs that are no numbers."""

_EXTENSION = 16
"""Characters after the digits in which an extension may follow: ` ext. 1234`."""


def _phones(text: str, regions: Sequence[str]) -> Iterator[Span]:
    """Numbers that are valid in their numbering plan.

    The library is shown one run of digits at a time: over a whole text it gives up after so many failures,
    and a run that is no number should cost little.
    """
    for found in _PHONE.finditer(text):
        shown = text[found.start() : found.end() + _EXTENSION]
        for region in regions:
            matches = [
                (found.start() + match.start, found.start() + match.end)
                for match in PhoneNumberMatcher(shown, region, Leniency.VALID, _TRIES)
                if match.start < found.end() - found.start()
            ]
            yield from matches
            if matches:  # two countries would cut the same digits in two ways
                break
