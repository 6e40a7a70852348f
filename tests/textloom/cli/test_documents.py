"""Documents: their texts are found, and nothing but their texts changes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textloom.cli.documents import loses_markup, parse

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
|------|-------|
| one  | two   |

[link]: https://example.org "left alone"

<div>left alone</div>

Underlined
==========
"""
SUBTITLES = (
    "1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Where have you\r\nbeen?</i>\r\n\r\n"
    "2\r\n00:00:03,000 --> 00:00:04,000 X1:40\r\n- Home.\r\n"
)
WEBVTT = "WEBVTT\n\nNOTE left alone\n\nintro\n00:01.000 --> 00:02.000 align:start\nHello.\n"
CATALOG = r"""# Translators
msgid ""
msgstr ""
"Project-Id-Version: shop\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\n"

#. for the button
#: shop.c:12
#, c-format
msgid "Delete %s?"
msgstr ""

msgid "one file\n"
msgid_plural "%d files\n"
msgstr[0] ""
msgstr[1] ""

#, fuzzy
msgid "Open"
msgstr "Ouvrir"

msgctxt "menu"
msgid "Close"
msgstr "Fermer"

#~ msgid "old"
#~ msgstr "vieux"
"""


def test_of_markdown_only_text_is_text() -> None:
    document = parse("md", MARKDOWN)
    assert document.texts == [
        "A heading", "A paragraph with **bold**\non two lines.", "quoted\ntwice",
        "an item\nthat goes on", "[ ] a task", "left", "right", "one", "two", "Underlined",
    ]  # fmt: skip
    assert document.lines == [4, 6, 9, 12, 14, 22, 22, 24, 24, 30]
    upper = document.with_texts([text.upper() for text in document.texts], "fr")
    assert "> QUOTED\n> TWICE\n" in upper
    assert "1. AN ITEM\n   THAT GOES ON\n" in upper
    assert "| ONE  | TWO   |\n" in upper
    assert [line for line in upper.splitlines() if "left alone" in line] == [
        line for line in MARKDOWN.splitlines() if "left alone" in line
    ]


def test_of_subtitles_the_lines_below_the_times_are_text() -> None:
    document = parse("srt", SUBTITLES)
    assert document.texts == ["<i>Where have you\nbeen?</i>", "- Home."]
    assert document.with_texts(["<i>Où ?</i>", None], "fr") == SUBTITLES.replace(
        "<i>Where have you\r\nbeen?</i>", "<i>Où ?</i>"
    )
    assert parse("srt", WEBVTT).texts == ["Hello."]


@pytest.mark.parametrize(
    ("kind", "content"), [("md", MARKDOWN), ("srt", SUBTITLES), ("srt", WEBVTT)]
)
def test_a_document_whose_texts_stay_stays(kind: str, content: str) -> None:
    document = parse(kind, content)
    assert document.with_texts(list(document.texts), None) == content
    assert document.with_texts([None] * len(document.texts), None) == content


PIECES = st.sampled_from(
    [
        "# ",
        "> ",
        "- ",
        "1. ",
        "\n",
        "\r\n",
        "\n\n",
        "word",
        "*b*",
        "`c`",
        "|",
        "---",
        "    ",
        "```",
        "<p>",
        "é😀",
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join), st.sampled_from(["md", "srt", "text", "html"]))
def test_no_character_is_lost_whatever_is_in_a_document(content: str, kind: str) -> None:
    document = parse(kind, content)
    assert document.with_texts(list(document.texts), None) == content
    assert all(text.strip() for text in document.texts)
    assert len(document.lines) == len(document.texts)


def test_a_catalog_gets_the_translations_that_it_lacks() -> None:
    document = parse("po", CATALOG)
    assert document.texts == ["Delete %s?", "one file\n", "%d files\n"]
    first = [CATALOG.splitlines()[line - 1] for line in document.lines]
    assert first == ["#. for the button", *['msgid "one file\\n"'] * 2]
    translated = document.with_texts(["Supprimer %s ?", "un fichier", "%d fichiers"], "fr")
    expected = (
        CATALOG.replace(
            'msgid "Delete %s?"\nmsgstr ""', 'msgid "Delete %s?"\nmsgstr "Supprimer %s ?"'
        )
        .replace('msgstr[0] ""', 'msgstr[0] "un fichier\\n"')
        .replace('msgstr[1] ""', 'msgstr[1] "%d fichiers\\n"')
        .replace('charset=UTF-8\\n"\n', 'charset=UTF-8\\n"\n"Language: fr\\n"\n')
    )
    assert sorted(translated.splitlines()) == sorted(expected.splitlines())
    assert parse("po", CATALOG).with_texts([None] * 3, None).splitlines() == CATALOG.splitlines()


def test_what_is_no_catalog_says_so() -> None:
    with pytest.raises(ValueError, match="line 1"):
        parse("po", "no catalog at all\n")


@pytest.mark.parametrize(
    ("text", "answer", "lost"),
    [
        ("Open **it** in `vi`.", "Ouvrez-**le** dans `vi`.", False),
        ("See [this](http://a.b).", "Voir [ceci](http://a.c).", True),
        ("{name} has %d files", "{name} a %d fichiers", False),
        ("{name} has %d files", "{nom} a %d fichiers", True),
        (r"{\an8}Up", r"{\an8}Haut", False),
        ("100 % sure", "100 % sûr", False),
    ],
)
def test_lost_markup_is_noticed(text: str, answer: str, lost: bool) -> None:
    assert loses_markup(text, answer) is lost


def test_the_formats_of_documents_are_told_by_their_endings() -> None:
    from textloom.cli.opening import kind_of

    names = ["a.srt", "a.vtt", "a.HTML", "a.htm", "a.md", "a.po.gz", "a.pot", "a.txt", "a"]
    assert [kind_of(str(Path("folder") / name)) for name in names] == [
        "srt", "srt", "html", "html", "md", "po", "po", "text", "text",
    ]  # fmt: skip
