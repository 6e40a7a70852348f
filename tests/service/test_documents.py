"""Documents: their texts are found, and nothing but their texts changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.documents import READERS, read

MARKDOWN = """\
---
title: left alone
---
# A heading #

A paragraph with **bold**
on two lines.

> quoted
> twice

1. an item
   that goes on
- [ ] a task

```py
code = "left alone"
```

    code, too

| left | right |
|------|------:|
| one  | two   |

[link]: https://example.org "left alone"

<div>left alone</div>

Underlined
==========
The last line"""
SUBTITLES = (
    "1\n00:00:01,000 --> 00:00:02,500\n<i>Where have you\nbeen?</i>\n\n"
    "2\n00:00:03,000-->00:00:04,000 X1:40\n- Home.\n"
)
WEBVTT = "WEBVTT\n\nNOTE left alone\n\nintro\n00:01.000 --> 00:02.000 align:start\nHello.\n"
PAGE = "<p>\n  A page.\n</p>\n"
FILES = [("md", MARKDOWN), ("srt", SUBTITLES), ("srt", WEBVTT), ("text", MARKDOWN), ("html", PAGE)]


def test_of_markdown_only_text_is_text() -> None:
    document = read(MARKDOWN, "md")
    assert document.texts == [
        "A heading", "A paragraph with **bold**\non two lines.", "quoted\ntwice",
        "an item\nthat goes on", "[ ] a task", "left", "right", "one", "two", "Underlined",
        "The last line",
    ]  # fmt: skip
    assert document.lines == [4, 6, 9, 12, 14, 22, 22, 24, 24, 30, 32]
    upper = document.with_texts([text.upper() for text in document.texts])
    assert "> QUOTED\n> TWICE\n" in upper
    assert "1. AN ITEM\n   THAT GOES ON\n" in upper
    assert "| ONE  | TWO   |\n" in upper
    assert [line for line in upper.splitlines() if "left alone" in line] == [
        line for line in MARKDOWN.splitlines() if "left alone" in line
    ]


def test_of_subtitles_the_lines_below_the_times_are_text() -> None:
    document = read(SUBTITLES, "srt")
    assert document.texts == ["<i>Where have you\nbeen?</i>", "- Home."]
    assert document.with_texts(["<i>Où ?</i>", None]) == SUBTITLES.replace(
        "<i>Where have you\nbeen?</i>", "<i>Où ?</i>"
    )
    assert read(WEBVTT, "srt").texts == ["Hello."]


def test_paragraphs_are_the_texts_of_plain_text_and_a_page_is_one_text() -> None:
    assert read("a\n  b\n\n\n c \n", "text").texts == ["a\nb", "c"]
    assert read(PAGE, "html").texts == [PAGE]
    assert all(read(" \n\n", kind).texts == [] for kind in READERS)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("kind", "content"), FILES)
def test_what_is_no_text_stays(kind: str, content: str, end: str, mark: str) -> None:
    given = mark + content.replace("\n", end)
    document = read(given, kind)
    bare = read(content, kind).texts
    assert document.texts == [text.replace("\n", end) if kind == "html" else text for text in bare]
    assert document.with_texts(list(document.texts)) == given
    assert document.with_texts([None] * len(document.texts)) == given
    loud = document.with_texts([text.upper() for text in document.texts])
    assert loud != given
    assert loud.lower() == given.lower()


def test_an_answer_may_have_more_or_fewer_lines_than_its_text() -> None:
    document = read("> one\n> two\n> three\n\nfour\n", "md")
    assert document.with_texts(["un deux", "quatre"]) == "> un deux\n\nquatre\n"
    assert document.with_texts(["un\ndeux", "quatre"]) == "> un\n> deux\n\nquatre\n"
    assert (
        document.with_texts(["un\ndeux\ntrois\nplus", "quatre"])
        == "> un\n> deux\n> trois plus\n\nquatre\n"
    )


@pytest.mark.parametrize(
    "content", ["| a \\| b |\n|---|\n", "* " * 400, "[" * 5000, "`" * 5000, "\ufeff", "\ufeff\n"]
)
def test_odd_files_are_left_as_they_are(content: str) -> None:
    for kind in READERS:
        document = read(content, kind)
        assert document.with_texts(list(document.texts)) == content


PIECES = st.sampled_from(
    [
        "# ", "> ", "- ", "1. ", "\n", "\r\n", "\n\n", "word", "*b*", "`c`", "|", "---", "    ",
        "```", "<p>", "é😀", "\ufeff", "00:01.000 --> 00:02.000\n",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join), st.sampled_from(sorted(READERS)))
def test_no_character_is_lost_whatever_is_in_a_document(content: str, kind: str) -> None:
    document = read(content, kind)
    assert document.with_texts(list(document.texts)) == content
    assert all(text.strip() for text in document.texts)
    assert len(document.lines) == len(document.texts)
