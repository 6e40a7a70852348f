"""What stands between the columns of a table: told from its first lines. Leaves out reading it (rows.py)."""

import csv
from itertools import islice

from textloom.cli.errors import Stop

CANDIDATES = ",;\t|"
LINES = 50
NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


def named(given: str) -> str:
    """The character that was asked for. Raises Stop."""
    character = NAMES.get(given, given)
    if len(character) != 1 or character in '"\r\n':
        raise Stop(f"--delimiter: one character, or tab, not {given!r}")
    return character


def delimiter_of(sample: str) -> str:
    """That which gives most lines as many columns as the first, more than one; else a comma.

    >>> delimiter_of('id;text\\n1;"well; yes"\\n'), delimiter_of("text\\na, b\\n")
    (';', ',')
    """
    found = {candidate: _columns(sample, candidate) for candidate in CANDIDATES}
    best = max(CANDIDATES, key=lambda candidate: found[candidate])
    return best if found[best] > (0, 0) else ","


def _columns(sample: str, delimiter: str) -> tuple[float, int]:
    """The share of lines that have as many columns as the first, and how many those are; (0, 0) if one."""
    try:
        reader = csv.reader(sample.splitlines(keepends=True), delimiter=delimiter)
        lines = [len(cells) for cells in islice(reader, LINES) if cells]
    except csv.Error:
        return 0, 0
    if not lines or lines[0] < 2:
        return 0, 0
    return round(lines.count(lines[0]) / len(lines), 1), lines[0]
