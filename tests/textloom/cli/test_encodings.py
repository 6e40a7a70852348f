"""Encodings: what is proven is read, what is likely is said, everything else must be named."""

import pytest

from textloom.cli.encodings import encoding_of, is_western
from textloom.cli.errors import Stop

FRENCH = "Le café était fermé.\nJ'ai dîné à l'hôtel – « très bien »…\n"
POLISH = "Zażółć gęślą jaźń.\nWyjechał wcześniej.\n"
RUSSIAN = "Привет, мир.\nКак дела?\n"
JAPANESE = "こんにちは。\nお元気ですか。\n"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
    ],
)
def test_an_encoding_is_told_by_its_first_bytes(written: str, told: str) -> None:
    found = encoding_of(FRENCH.encode(written), "file")
    assert found == told
    assert FRENCH.encode(written).decode(found) == FRENCH


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(POLISH, "cp1250"), (RUSSIAN, "cp1251"), (JAPANESE, "shift-jis"), (RUSSIAN, "koi8-r")],
)
def test_what_may_be_several_encodings_must_be_named(text: str, encoding: str) -> None:
    with pytest.raises(Stop, match=r"file is not UTF-8 \(line 1\); give its encoding"):
        encoding_of(text.encode(encoding), "file")


def test_a_single_bad_line_makes_no_other_encoding() -> None:
    assert encoding_of(b"good\nbad \xff byte\nawful\n", "file") == "utf-8"
    assert encoding_of("éàèû\n".encode() + b"\xff\n\xe9t\xe9\n", "file") == "utf-8"


def test_a_character_that_the_sample_cuts_in_two_is_no_mistake() -> None:
    assert encoding_of("é".encode()[:1], "file") == "utf-8"


def test_zeros_are_no_text() -> None:
    with pytest.raises(Stop, match="file contains NUL bytes"):
        encoding_of(b"a\0b\n" + bytes(range(64)) * 3, "file")


@pytest.mark.parametrize("text", ["naïve Ångström", "5 € – 3 £", "l’été", "plain"])
def test_words_of_western_europe_are_recognised(text: str) -> None:
    assert is_western(text)


@pytest.mark.parametrize("text", ["bad ÿ byte", "žlutý", "³adny", "w¹ski", "ïðèâåò"])
def test_letters_of_others_are_not(text: str) -> None:
    assert not is_western(text)
