"""Capitals are marks before small letters, and come back."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.tasks.translate.casing import CAPITAL, UPPER, Case, cased, in_capitals, lowered
from service.tasks.translate.tracing import TracedText

from .alphabet import LETTERS

SENTENCE = Case(initial=True)


@pytest.mark.parametrize(
    ("text", "language", "read", "case"),
    [
        ("In Paris, NASA says", "en", " in⇧ paris,⇑ nasa says", SENTENCE),
        ("hello World", "en", " hello⇧ world", Case()),
        ("A Tale of Two Cities", "en", " a⇧ tale of⇧ two⇧ cities", SENTENCE),
        ("McDonald eBay PhDs", "en", " ⇧mc⇧donald e⇧bay ⇧ph⇧ds", SENTENCE),
        ("NASA's and O'Brien", "en", "⇑ nasa's and⇧ o'⇧brien", SENTENCE),
        ("l' Inde", "fr", " l'⇧ inde", Case()),
        ("(He left)", "en", " (he left)", SENTENCE),
        ("U.S.", "en", " u.⇧s.", SENTENCE),
        ("I think I'm", "en", " i think i'm", SENTENCE),
        ("Moi, I", "fr", " moi,⇧ i", SENTENCE),
        ("WHERE IS IT?", "en", " where is it?", Case(initial=True, capitals=True)),
        ("L'ÉTÉ À PARIS", "fr", " l'été à paris", Case(initial=True, capitals=True)),
        ("5°C", "en", " 5°c", Case(initial=True, after_number=True)),
        ("12", "en", " 12", Case()),
        ("İstanbul ẞ", "en", " İstanbul⇧ ß", SENTENCE),
    ],
)
def test_a_text_is_in_small_letters_with_marks(
    text: str, language: str, read: str, case: Case
) -> None:
    small, found = lowered(TracedText(text), language)
    written = small.text.replace(CAPITAL, "⇧").replace(UPPER, "⇑")
    assert (written, found) == (read, case)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    "text",
    [
        "In Paris, NASA says that it is so.",
        "A Tale of Two Cities",
        "McDonald, MacBook, eBay, iPhone, PhDs, USAs, XXe",
        "NASA's, O'Brien, d'Artagnan, L'OTAN and l'Inde",
        "WHERE IS IT?",
        "ÉTÉ À PARIS",
        "the U.S. and the U.K.",
        "5 Cats",
        "5°C",
        "2.4 GHz and 5GB",
        "(He left.) “So what?”",
        "İstanbul, straße, STRASSE, Škoda, Łódź, œuf, Œuf, ŒUF, cŒur",
        "A",
        "",
        " ",
        "😀 Hello",
        "МОСКВА and ΑΘΗΝΑ",
    ],
)
def test_capitals_come_back_as_they_were(text: str, language: str) -> None:
    small, case = lowered(TracedText(text), language)
    assert cased(small, case, language).text.strip() == text.strip()


@given(
    st.lists(
        st.text(st.sampled_from(LETTERS + LETTERS.upper()), min_size=1, max_size=9), max_size=5
    )
)
@example(["aBC", "ABc", "aB", "Ab"])
def test_any_words_of_known_letters_come_back_as_they_were(words: list[str]) -> None:
    text = " ".join(words)
    small, case = lowered(TracedText(text), "fr")
    if not case.capitals:  # then a word like STRAßE is written with SS
        assert cased(small, case, "fr").text == f" {text}"
    assert not any(letter.isupper() for letter in small.text)


@pytest.mark.parametrize(
    ("text", "capitals"),
    [
        ("WHERE IS IT?", True),
        ("STOP!", True),
        ("J'AI FAIM.", True),
        ("WARNING", True),
        ("NATO", False),
        ("IBM PC", False),
        ("OK!", False),
        ("The USA and NATO", False),
        ("I", False),
        ("", False),
        ("12:30 - 14:00", False),
        ("東京は大きいです", False),
    ],
)
def test_a_sentence_is_in_capitals_if_all_of_its_many_letters_are(
    text: str, capitals: bool
) -> None:
    assert in_capitals(text) is capitals


@pytest.mark.parametrize(
    ("written", "case", "language", "text"),
    [
        (f" le chat{CAPITAL} noir", SENTENCE, "fr", " Le chat Noir"),
        (" where?", Case(initial=True, capitals=True), "en", " WHERE?"),
        (f"{UPPER} nato", Case(capitals=True), "en", " NATO"),
        (" so i am, i.e. i", Case(), "en", " so I am, i.e. I"),
        (" i", Case(), "fr", " i"),
        # what a network may write although it should not
        (f"{CAPITAL}{CAPITAL} paris{UPPER}", Case(), "en", " Paris"),
        (f"{UPPER}{CAPITAL} paris", Case(), "en", " Paris"),
        (f"{CAPITAL} \ue020 and{UPPER}, so{CAPITAL} 5", Case(), "en", " \ue020 and, so 5"),
        (f"{CAPITAL}", SENTENCE, "en", ""),
        ("", SENTENCE, "en", ""),
    ],
)
def test_a_translation_gets_its_capitals_and_keeps_no_mark(
    written: str, case: Case, language: str, text: str
) -> None:
    assert cased(TracedText(written), case, language).text == text


def test_a_first_word_after_a_number_is_raised_only_if_it_was() -> None:
    assert cased(TracedText(" 5 chats"), Case(initial=True), "fr").text == " 5 chats"
    assert (
        cased(TracedText(" 5 chats"), Case(initial=True, after_number=True), "fr").text
        == " 5 Chats"
    )


def test_each_small_letter_comes_from_where_its_capital_stood() -> None:
    small, _ = lowered(TracedText.of("In McDonald"), "en")
    assert small.origins is not None
    assert len(small.origins) == len(small.text) + 1
    for letter, origin in zip(small.text, small.origins, strict=False):
        if letter == "p":
            assert origin == 3
    assert list(small.origins) == sorted(small.origins)
