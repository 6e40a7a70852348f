"""Sentences, windows and offsets of any text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tasks.text import Unit, offsets_in, sentences, windows

ODD_WORDS = ["…", "3.14", "深度学习。", "مرحبا؟", "😀", "e\u0301", "\u200b", "\ufeff"]
SPACES = ["\n", "\r\n", "\u2028", "\u00a0", "\x0b", "\x1c"]
PLAIN = ["Mr.", "Fox", "ran.", "He", "hid!", "Why?", "U.S.", '"Yes."', "(No.)"]
WORDS = st.sampled_from([*PLAIN, *ODD_WORDS, *SPACES])
SPEECH = st.lists(WORDS, max_size=30).map(" ".join)
TEXTS = st.one_of(st.text(max_size=60), SPEECH)
LANGUAGES = st.sampled_from(["en", "fr", "de", "es"])


@given(TEXTS, LANGUAGES)
def test_sentences_are_in_order_and_hold_all_but_white_space(text: str, language: str) -> None:
    end = 0
    for start, stop in sentences(text, language):
        assert end <= start < stop <= len(text)
        assert text[end:start].strip() == ""
        assert text[start:stop] == text[start:stop].strip()
        end = stop
    assert text[end:].strip() == ""


def test_sentences_end_at_full_stops_and_line_breaks_only() -> None:
    text = "Mr. Fox ran 3.5 km. He hid!\nThen he  slept\r\n\r\n  The end  "
    found = [text[start:end] for start, end in sentences(text, "en")]
    assert found == ["Mr. Fox ran 3.5 km.", "He hid!", "Then he  slept", "The end"]


@pytest.mark.parametrize("text", ["", " ", "\n\r\n\t", "\u00a0\u2003\u2028"])
def test_a_blank_text_has_no_sentence(text: str) -> None:
    assert sentences(text, "en") == []


@given(SPEECH, st.integers(1, 12), LANGUAGES)
def test_windows_cover_all_tokens_in_runs_of_at_most_the_limit(
    text: str, limit: int, language: str
) -> None:
    tokens = [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]
    end = 0
    for first, stop in windows(text, tokens, limit, language):
        assert first == end
        assert 1 <= stop - first <= limit
        end = stop
    assert end == len(tokens)


def test_a_window_ends_at_the_last_sentence_end_it_can_reach() -> None:
    text = "It ran. He saw it. They all went home with us now."
    tokens = [match.span() for match in re.finditer(r"\w+|\.", text)]
    runs = windows(text, tokens, 8, "en")
    pieces = [text[tokens[first][0] : tokens[stop - 1][1]] for first, stop in runs]
    assert pieces == ["It ran. He saw it.", "They all went home with us now."]
    runs = windows(text, tokens, 5, "en")
    pieces = [text[tokens[first][0] : tokens[stop - 1][1]] for first, stop in runs]
    assert pieces == ["It ran.", "He saw it.", "They all went home with", "us now."]


ENCODINGS: dict[Unit, tuple[str, int]] = {
    "codepoint": ("utf-32-le", 4),
    "utf16": ("utf-16-le", 2),
    "byte": ("utf-8", 1),
}


@pytest.mark.parametrize("unit", ENCODINGS)
@given(st.text(max_size=40))
def test_offsets_are_those_of_pythons_own_encodings(unit: Unit, text: str) -> None:
    place, (encoding, width) = offsets_in(text, unit), ENCODINGS[unit]
    for position in range(len(text) + 1):
        assert place(position) == len(text[:position].encode(encoding)) // width
