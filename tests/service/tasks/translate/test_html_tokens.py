import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tasks.translate.html_tokens import Token, tokens

PIECES = [
    "<",
    ">",
    "</",
    "<b",
    "<a href=",
    '"',
    "'",
    "=",
    "/>",
    "<!--",
    "-->",
    "<script>",
    "x",
    " ",
    "&amp;",
    "é",
]


def names(html: str) -> list[tuple[str, str]]:
    return [(token.kind, token.name) for token in tokens(html)]


@given(st.lists(st.sampled_from(PIECES)).map("".join) | st.text())
def test_tokens_cover_every_character_in_order(html: str) -> None:
    found = list(tokens(html))
    assert [token.start for token in found] == [0, *(token.end for token in found)][: len(found)]
    assert (found[-1].end if found else 0) == len(html)


@pytest.mark.parametrize(
    ("html", "tag"),
    [
        (
            '<a title="5 > 4" href=x>',
            Token("open", 0, 24, "a", (("title", "5 > 4"), ("href", "x"))),
        ),
        ("<a onclick='if(a>b)go();'>", Token("open", 0, 26, "a", (("onclick", "if(a>b)go();"),))),
        ("<IMG alt=Tom&amp;Anna>", Token("empty", 0, 22, "img", (("alt", "Tom&Anna"),))),
        ("<br/>", Token("empty", 0, 5, "br")),
        ("</P >", Token("close", 0, 5, "p")),
        ("<option selected>", Token("open", 0, 17, "option", (("selected", ""),))),
    ],
)
def test_a_tag_ends_after_its_quoted_attributes(html: str, tag: Token) -> None:
    assert list(tokens(html)) == [tag]


def test_a_less_than_sign_that_begins_no_tag_is_text() -> None:
    assert names("5 < 7 <3 <> a<b>") == [("text", ""), ("open", "b")]


def test_a_tag_that_never_ends_is_text_with_all_after_it() -> None:
    assert names("<b>x</b> <a href='") == [
        ("open", "b"),
        ("text", ""),
        ("close", "b"),
        ("text", ""),
    ]


def test_what_a_script_or_a_title_holds_is_no_markup() -> None:
    html = "<script>if (a<b) x = '<b>';</script><title>a <b> c</TITLE>"
    assert [kind for kind, _ in names(html)] == ["open", "other", "close", "open", "other", "close"]


def test_comments_and_declarations_are_neither_text_nor_tags() -> None:
    assert names("<!doctype html><!-- <b> -->x<?php ?>") == [
        ("other", ""),
        ("other", ""),
        ("text", ""),
        ("other", ""),
    ]


@pytest.mark.parametrize(
    "unit", ["<", "<a ", "<!--", "</", '<a b="', "<a/", "<a =", "<!--->", "<a>", "<script>"]
)
def test_the_number_of_tokens_and_their_time_grow_with_the_length_only(unit: str) -> None:
    assert len(list(tokens(unit * 100_000))) <= 100_001
