"""What of a text is a sentence to translate, and what stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tasks.text import LONGEST
from service.tasks.translate.reading import Reader
from service.tasks.translate.segmentation import rewrapped, segments

from .alphabet import KNOWN

FINDER = Reader("en", "fr", KNOWN).finder


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in segments(text, "en", FINDER.find(text))]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One is here. Two is there!", ["One is here.", "Two is there!"]),
        ("Mr. Fox met Dr. Lee. He hid.", ["Mr. Fox met Dr. Lee.", "He hid."]),
        ("  One.\n\n\tTwo.  Three.\r\n", ["One.", "Two.", "Three."]),
        ("", []),
        (" \n\r\n\t\u00a0\u2003", []),
        # wrapped lines
        ("It is quite\nlate now.", ["It is quite\nlate now."]),
        ("It is quite\r\n  late now.", ["It is quite\r\n  late now."]),
        ("> It is quite\n> late.", ["It is quite", "late."]),
        ("A title\nAnother one", ["A title", "Another one"]),
        (
            "The committee of the whole house has met again in\nParis, and it is late.",
            ["The committee of the whole house has met again in\nParis, and it is late."],
        ),
        ("It is late.\nand so on", ["It is late.", "and so on"]),
        ("It is\n\nlate", ["It is", "late"]),
        # lists, headings, indentation
        ("- milk\n- bread\n  * pizza\n• tea", ["milk", "bread", "pizza", "tea"]),
        ("1. milk\n2) bread\n(b) eggs\na) ham", ["milk", "bread", "eggs", "ham"]),
        ("- [ ] open\n- [x] done", ["open", "done"]),
        ("# Title\n## Part two\ntext", ["Title", "Part two", "text"]),
        ("well-known - and cheap!", ["well-known - and cheap!"]),
        # Markdown
        ("**Note** this", ["Note** this"]),
        ("**Note**", ["Note"]),
        ("__All of it__ ~~gone~~", ["All of it__ ~~gone"]),
        ("_so_ it *is*", ["so_ it *is"]),
        ("```\nx = not this\n```\nBut this.", ["But this."]),
        ("~~~ python\nnot this\n~~~", []),
        ("Before it\n```\ncode", ["Before it"]),
        ("| Name | Price |\n|---|---|\n| tea | 5 |", ["Name", "Price", "tea"]),
        ("---\n***\n===", []),
        ("===== Results =====\n-- Part --\n#### Notes ####", ["Results", "Part", "Notes"]),
        ("it ended -- nearly.\na == b", ["it ended -- nearly.", "a == b"]),
        # subtitles
        (
            "1\n00:00:01,000 --> 00:00:02,500\nHello there,\nmy friend.\n\n2\n00:00:03,000 --> 00:00:04,000\nBye.",
            ["Hello there,\nmy friend.", "Bye."],
        ),
        # emoji and markup around a sentence
        ("👍🏽 hello 👨‍👩‍👧❤️", ["hello"]),
        ("I ❤️ Oslo", ["I ❤️ Oslo"]),
        ("<p>Hello <b>you</b></p>", ["Hello <b>you"]),
        # what holds no word
        ("12:30 - 14:00\n+33 1 23 45 67 89\n3.14 %", []),
        ("https://example.org/a?b=1, see@example.org 😀", []),
        ("{name}: %s", []),
        ("?!... --", []),
        ("a) 😀", []),
        # what may not be parted
        ("See WWW.EXAMPLE.ORG/page. It is there.", ["See WWW.EXAMPLE.ORG/page.", "It is there."]),
        ("Use `a. B` here.", ["Use `a. B` here."]),
    ],
)
def test_sentences_are_found_without_what_is_around_them(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


@given(st.text(st.sampled_from("aB1. !?\n\r\t-*_#|`~<>{}@/😀é中\u2028\u200b\ufeff"), max_size=60))
def test_sentences_of_any_text_stand_in_order_and_hold_a_letter(text: str) -> None:
    found = FINDER.find(text)
    end = 0
    for start, stop in segments(text, "en", found):
        assert end <= start < stop <= len(text)
        assert any(map(str.isalpha, text[start:stop]))
        assert not text[start].isspace()
        assert not text[stop - 1].isspace()
        assert not any(first < start < last or first < stop < last for (first, last), _ in found)
        end = stop


def test_a_long_text_without_an_end_is_cut_at_spaces() -> None:
    text = "word " * 2000
    parts = sentences(text)
    assert len(parts) > 1
    assert all(len(part) <= LONGEST for part in parts)
    assert " ".join(parts) == text.strip()
    assert all(len(part) <= LONGEST for part in sentences("x" * 5000))


@pytest.mark.parametrize(
    ("source", "translation", "wanted"),
    [
        ("It is late", "Il est tard", "Il est tard"),
        ("It is quite\n  late now", "Il est assez tard", "Il est assez\n  tard"),
        ("a b\r\nc d\r\ne f", "u v w x y z", "u v\r\nw x\r\ny z"),
        ("aaa\nb", "x yyyyyyyyy", "x\nyyyyyyyyy"),
        ("a\nb\nc", "x y", "x\ny"),
        ("a\nb", "xyz", "xyz"),
        (f"a b\n{' ' * 20}c d\n{' ' * 20}e f", "u v w x y z", f"u v\n{' ' * 20}w x\n{' ' * 20}y z"),
        ("a \n> b", "x y", "x \n> y"),
        ("a\nb\nc\nd", "wwwwwwwww x y z", "wwwwwwwww\nx\ny\nz"),
    ],
)
def test_line_breaks_come_back_at_about_the_same_places(
    source: str, translation: str, wanted: str
) -> None:
    assert rewrapped(source, translation) == wanted


@given(
    st.lists(st.text("ab", min_size=1, max_size=5), min_size=1, max_size=8),
    st.lists(st.text("xy", min_size=1, max_size=5), min_size=1, max_size=8),
)
def test_as_many_line_breaks_come_back_as_there_are_spaces_for(
    source: list[str], translation: list[str]
) -> None:
    written = rewrapped("\n".join(source), " ".join(translation))
    assert written.split() == translation
    assert written.count("\n") <= min(len(source), len(translation)) - 1
    if len(source) > 1 and len(translation) > 1:
        assert "\n" in written
