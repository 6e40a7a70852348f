"""No text, however odd, takes a scanner more than time in proportion to its length."""

import time
from collections.abc import Callable

import pytest

from service.tasks.translate.attempts import AROUND_PLACEHOLDERS, QUOTATION
from service.tasks.translate.casing import Case, cased, lowered
from service.tasks.translate.checks import faults
from service.tasks.translate.normalization import Style, composed, normalized, printed
from service.tasks.translate.reading import Reader
from service.tasks.translate.segmentation import _trimmed, rewrapped, segments
from service.tasks.translate.tracing import TracedText

from .alphabet import KNOWN

READER = Reader("en", "fr", KNOWN)
STYLE = Style(curly=True, apostrophes=True, single=True, em_dash=True, ellipsis=True)

SCANNERS: dict[str, Callable[[str], object]] = {
    "find": READER.finder.find,
    "find every number": lambda text: READER.finder.find(text, every_number=True),
    "normalize": lambda text: normalized(composed(TracedText(text)), "fr"),
    "print": lambda text: printed(TracedText(text), "fr", STYLE),
    "lower": lambda text: lowered(TracedText(text), "en"),
    "case": lambda text: cased(TracedText(text), Case(initial=True), "en"),
    "check": lambda text: faults(text, text),
    "trim": lambda text: _trimmed(text, (0, len(text))),
    "segment": lambda text: segments(text, "en", READER.finder.find(text)),
    "rewrap": lambda text: rewrapped(text.replace(" ", "\n"), text),
    "split around placeholders": AROUND_PLACEHOLDERS.split,
    "find quotations": lambda text: list(QUOTATION.finditer(text)),
}

# what a text begins with, what is repeated, and what ends it
TEXTS = [
    *(("a", mark, "b") for mark in "\"'“«»()[]{}<>*_~#@/\\|`%$&-–.,:;!?+= \t\n\u00a0\ue020\u200d👍\u0301éA1中"),
    *(("a", "|", "b"), ("a", "👍", "b"), ("a", "👍 ", "b"), ("a", "** ", "b"), ("", "|**", "b")),
    *(("[A", "1", "!"), (":", "a", "!"), ("aa.", "a", ".."), ("a1", "1", "_"), ("", "aA", "-")),
    *(("", "a_b", "-"), ("A1", "-A", "é"), ("", "a.", "b"), ("", "..", "a"), ("", "0xf", "")),
    *(("", "1h", "é"), ("+1", "1", "é"), ("", " +111111111111111111111111111", "1"), ("", "1 234 ", "5")),
    *(("", "1.", ""), ("", "12-", ""), ("", "1,234", ","), ("", "://", ""), ("", "http://", "")),
    *(("@", "a.", "@"), ("", "a@", ""), ("", "a@b.", ""), ("<a", " b", ""), ("", "<a", ""), ("", "{", "}")),
    *(("", "](", ""), ("`", "a ", ""), ("", "$(", ""), ("", "%(a", ""), ("", "C:\\", ""), ("", "C:\\a b ", "")),
    *(("", "/a.", ""), ("", "\\a", ""), ("", "-a=", ""), ("", "&a", ";"), ("", ":a", ":"), ("", "e\u0301", "")),
    *(("", "@a ", "b."), ("", "@a b. ", ""), ("", "l'", "a"), ("", "J' ", ""), ("", "a\n", ""), ("", "- a\n", "")),
]  # fmt: skip


def seconds(scan: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    scan(text)
    return time.process_time() - started


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCANNERS)
def test_a_text_four_times_as_long_takes_about_four_times_as_long(name: str) -> None:
    scan = SCANNERS[name]
    for first, unit, last in TEXTS:
        short, long = (first + (unit * size)[:size] + last for size in (10_000, 40_000))
        for _ in range(
            3
        ):  # with n² steps it would be sixteen times, whatever else the machine does
            if (took := seconds(scan, long)) < 0.4 or took < 10 * seconds(scan, short):
                break
        else:
            raise AssertionError(f"{name} takes {took:.2f} s for {first!r} and many {unit!r}")
