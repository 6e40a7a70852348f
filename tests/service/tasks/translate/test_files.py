"""Files: what of them is text, and how a translation takes its place."""

import pytest

from service.errors import InvalidInput, TooLarge
from service.tasks.translate import files

MARKDOWN = """\
---
title: a b
---

# A title

A paragraph with **bold** and
a [link](http://x.y) in it.

> A quote
> of two lines.

* one item
  goes on
* two `code`

```python
print("a b")
```

    indented code

| Name | Age |
|------|----:|
| Cat food | 2 |

<div>a block</div>

Another title
=============

[ref]: http://example.org
The last line"""

SUBTITLES = """\
1
00:00:01,000 --> 00:00:02,000
<i>Hello
there</i>

2
00:00:03,000 --> 00:00:04,500 X1:20
- Yes?
- No.
"""


def test_of_markdown_the_words_are_translated() -> None:
    assert files.read(MARKDOWN, "markdown").texts == [
        "A title",
        "A paragraph with **bold** and\na [link](http://x.y) in it.",
        "A quote\nof two lines.",
        "one item\ngoes on",
        "two `code`",
        "Name",
        "Age",
        "Cat food",
        "2",
        "Another title",
        "The last line",
    ]


def test_of_subtitles_the_cues_are_translated() -> None:
    assert files.read(SUBTITLES, "subtitles").texts == ["<i>Hello\nthere</i>", "- Yes?\n- No."]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("content", "kind"),
    [(MARKDOWN, "markdown"), (SUBTITLES, "subtitles"), (MARKDOWN, "text"), ("", "html"), ("", "markdown")],
)  # fmt: skip
def test_what_is_not_translated_stays_byte_for_byte(content: str, kind: str, end: str) -> None:
    content = content.replace("\n", end)
    file = files.read(content, kind)
    assert file.translated(file.texts) == content
    loud = file.translated([text.upper() for text in file.texts])
    assert loud.lower() == content.lower()
    if kind == "markdown" and content:
        assert "| CAT FOOD | 2 |" in loud
        assert 'print("a b")' in loud
        assert "title: a b" in loud


def test_a_translation_of_fewer_lines_leaves_no_empty_ones() -> None:
    file = files.read("> one\n> two\n> three\n\nfour\n", "markdown")
    assert file.translated(["un deux", "quatre"]) == "> un deux\n\nquatre\n"
    assert file.translated(["un\ndeux", "quatre"]) == "> un\n> deux\n\nquatre\n"
    assert file.translated(["un\ndeux\ntrois", "quatre"]) == "> un\n> deux\n> trois\n\nquatre\n"


@pytest.mark.parametrize("content", ["| a \\| b |\n|---|\n", "* " * 400, "[" * 5000, "`" * 5000])
def test_odd_markdown_is_left_as_it_is(content: str) -> None:
    file = files.read(content, "markdown")
    assert file.translated(file.texts) == content


def test_the_ending_of_its_name_says_what_a_file_is() -> None:
    names = ("a.txt", "A.HTML", "b.htm", "c.tar.srt", "d.md")
    kinds = [files.kind(name) for name in names]
    assert kinds == ["text", "html", "html", "subtitles", "markdown"]
    for name in ("a.pdf", "txt", "", "a."):
        with pytest.raises(InvalidInput, match=r"\.txt, \.html"):
            files.kind(name)


def test_a_file_has_only_so_many_lines() -> None:
    with pytest.raises(TooLarge, match="50000 lines"):
        files.read("\n" * 50_001, "markdown")
