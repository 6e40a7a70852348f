"""Which encoding a file is in: what its first bytes prove, or what can hardly be anything else.

A guess that is wrong would be answered without a word, so there is one only for texts of Western Europe in cp1252
(Windows), which cannot be other Windows encodings by their letters. Leaves out opening files (opening.py).
"""

import codecs
import re

from textloom.cli.errors import Stop

_BOMS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_LETTERS = frozenset("àâäáãåæçéèêëíìîïñóòôöõøœúùûüßÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜ")
_MARKS = frozenset("€‘’‚“”„–—…«»‹›°£§©®¿¡•·™²³½¼¾ºª\u00a0\u00ad")
_ALONE = frozenset("àÀôÔéÉ")
"""Words of one letter."""
_WORD = re.compile(r"[^\W\d_]+")
_NO_MARK = re.compile(r"[A-Za-z][€‚„…«»‹›°£§©®¿¡•™³½¼¾ºª][A-Za-z]|[£³][A-Za-z]")
"""Marks where they are letters of other encodings."""


def encoding_of(sample: bytes, name: str) -> str:
    """The encoding of what begins with `sample`. Raises Stop if it is no text, or must be named.

    UTF-8 with a single bad line is UTF-8: the line is reported when it is read.
    """
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            return encoding
    if b"\0" in sample:
        return _sixteen(sample, name)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError as error:
        if _has_utf_8(sample) or len(_bad_lines(sample)) < 2:
            return "utf-8"
        if is_western(sample.decode("cp1252", "replace")):
            return "cp1252"
        line = sample.count(b"\n", 0, error.start) + 1
        raise Stop(
            f"{name} is not UTF-8 (line {line}); give its encoding, such as --encoding cp1252, or"
            " --encoding utf-8 to have such lines reported"
        ) from None
    return "utf-8"


def is_western(text: str) -> bool:
    """Whether every letter beyond ASCII is one of Western Europe, in a word of which others are plain.

    >>> is_western("Le café était fermé – hélas"), is_western("Pøíliš žluouèký kùò")
    (True, False)
    """
    found = {character for character in text if not character.isascii()}
    if not found <= _LETTERS | _MARKS or _NO_MARK.search(text):
        return False
    words = (word for word in _WORD.findall(text) if not word.isascii())
    return all(any(map(str.isascii, word)) or word in _ALONE for word in words)


def _sixteen(sample: bytes, name: str) -> str:
    """UTF-16 without a mark at its start, told by where its zeros are."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) / 2
    if odd > half / 3 and even < odd / 10:
        return "utf-16-le"
    if even > half / 3 and odd < even / 10:
        return "utf-16-be"
    raise Stop(f"{name} contains NUL bytes: it is not text, or needs --encoding")


def _has_utf_8(sample: bytes) -> bool:
    """Whether more is right of what lies beyond ASCII, as characters of UTF-8, than wrong, as bytes."""
    beyond = [
        "\udc80" <= character <= "\udcff"
        for character in sample.decode("utf-8", "surrogateescape")
        if not character.isascii()
    ]
    return beyond.count(False) > beyond.count(True)


def _bad_lines(sample: bytes) -> list[bytes]:
    *lines, _ = [*sample.split(b"\n"), b""]
    return [line for line in lines if not line.isascii()]
