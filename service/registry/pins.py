"""Pins as a setting has them: versions that serve in place of the highest, whatever the repository says."""

from collections.abc import Mapping


def parse(given: str) -> Mapping[str, int]:
    """Names and versions. Raises ValueError.

    >>> parse("ner=2, sentiment=1")
    {'ner': 2, 'sentiment': 1}
    """
    pairs = [pair.split("=") for pair in given.split(",") if pair.strip()]
    if not all(len(pair) == 2 and pair[1].strip().isdecimal() for pair in pairs):
        raise ValueError("Input should be names and versions, such as ner=2,sentiment=1")
    return {name.strip(): int(version) for name, version in pairs}
