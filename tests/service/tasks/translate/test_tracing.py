"""A rewritten text, and where in the original each of its characters stands."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tasks.translate.placeholders import spliced
from service.tasks.translate.reading import Reader
from service.tasks.translate.tracing import TracedText

from .alphabet import KNOWN

READERS = [Reader("en", "fr", KNOWN), Reader("fr", "en", KNOWN)]


def test_what_is_put_in_comes_from_what_it_replaces() -> None:
    text = TracedText.of("aXXbX").sub(re.compile("X+"), "--")
    assert (text.text, list(text.origins or [])) == ("a--b--", [0, 1, 2, 3, 4, 4, 5])
    gone = text.sub(re.compile("-+"), "")
    assert (gone.text, list(gone.origins or [])) == ("ab", [0, 3, 5])


def test_a_replacement_may_depend_on_the_match_and_is_taken_literally() -> None:
    text = TracedText.of("ab").sub(re.compile("(b)"), r"\1")
    assert text.text == r"a\1"
    assert TracedText("ab").sub(re.compile("b"), lambda match: match[0] * 3).text == "abbb"


def test_where_nothing_matches_the_text_is_the_same() -> None:
    text = TracedText.of("abc")
    assert text.sub(re.compile("x"), "y") is text


def test_an_item_comes_from_where_it_began() -> None:
    text = spliced(TracedText.of("say {name} now"), {4: (10, "\ue020")})
    assert text.text == "say \ue020 now"
    assert list(text.origins or []) == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]


ANY = st.text(
    st.sampled_from("aÉs1 .,?!:;'\"’“”«»–—…{}@<>`\n\u00a0\u00ad\u200b\u0301\ufb01👍中I"),
    max_size=30,
)


@pytest.mark.parametrize("reader", READERS, ids=["en", "fr"])
@given(text=ANY)
def test_a_traced_text_reads_as_an_untraced_one_and_its_origins_rise(
    reader: Reader, text: str
) -> None:
    traced, plain = reader.read(text, traced=True), reader.read(text)
    assert traced.text.text == plain.text.text
    assert (traced.items, traced.case, traced.style) == (plain.items, plain.case, plain.style)
    origins = traced.text.origins
    assert plain.text.origins is None
    assert origins is not None
    assert len(origins) == len(traced.text.text) + 1
    assert list(origins) == sorted(origins)
    assert origins[-1] == len(text)
