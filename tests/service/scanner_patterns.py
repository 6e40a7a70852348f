"""Texts that are hard on scanners, and how the time of a scanner grows with them."""

import time
from collections.abc import Callable

# what is repeated: quotes, brackets, tags, addresses, digits, dots, combining marks, joiners
PATTERNS = [
    '"', "'", "«", "« ", "“", "“ ”", "`", "( ", "((", "[", "]", "{", "<", "< ", "<a", "<a ", "<b>", "</b>",
    "<!--", "&", "&a", "&#1", "@", "a@", "a@b.", "http://", "#", "\\", "/a.", "*", "_", "-", ".", ". ", "..",
    "! ", ": ", "::", "[PER-1] ",
    "1", "1 ", "1.", "1 234 ", "+1 415 555 26 ", "AA11 ", "GB82 WEST ", "fe80:", "A ", "a b ", "aA", "中",
    "\n", "a\n", "\r", "\t", "\u00a0", "\u2028", "\u200d", "\u0301", "e\u0301", "👍", "👩\u200d👩\u200d👧",
]  # fmt: skip

SIZES = (10_000, 100_000, 1_000_000)
QUICK = 0.2
"""Seconds that say nothing of growth."""


def repeated(pattern: str, size: int) -> str:
    return (pattern * (size // len(pattern) + 1))[:size]


def seconds(scan: Callable[[str], object], text: str) -> float:
    started = time.thread_time()
    scan(text)
    return time.thread_time() - started


def check_linear(name: str, scan: Callable[[str], object]) -> None:
    """Ten times the text takes about ten times as long; with n² steps it would be a hundred times.

    The pattern that took longest is tried at a million characters too, unless that would take seconds.
    """
    took = [(_grows(name, scan, pattern, *SIZES[:2]), pattern) for pattern in PATTERNS]
    longest, pattern = max(took)
    if longest < 3 * QUICK:
        _grows(name, scan, pattern, *SIZES[1:])


def _grows(name: str, scan: Callable[[str], object], pattern: str, short: int, long: int) -> float:
    for _ in range(3):  # whatever else the machine does
        took = seconds(scan, repeated(pattern, long))
        if took < QUICK or took < 35 * seconds(scan, repeated(pattern, short)):
            return took
    raise AssertionError(f"{name} takes {took:.2f} s for {long} characters of {pattern!r}")
