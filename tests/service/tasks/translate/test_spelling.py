"""What a network cannot spell: capitals are read as usual writing, addresses as stand-ins."""

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from service.tasks.translate.spelling import (
    accented_words,
    addresses,
    holds,
    in_capitals,
    in_sentence_case,
    put_back,
    with_accents,
    with_stand_ins,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See https://example.org/a?b=1.", ["https://example.org/a?b=1"]),
        ("(www.example.org/path/)", ["www.example.org/path/"]),
        ("http://localhost:8000/docs, then", ["http://localhost:8000/docs"]),
        ("from a.b-c+d@mail.example.co.uk!", ["a.b-c+d@mail.example.co.uk"]),
        ("@sam_lee and #GoodNews2", ["@sam_lee", "#GoodNews2"]),
        ("report_v3.pdf, my-site.example.com/a/b.", ["report_v3.pdf", "my-site.example.com/a/b"]),
        ("WWW.EXAMPLE.ORG", ["WWW.EXAMPLE.ORG"]),
        ("#1, C# and a @ b; R&D; 3.5 etc.", []),
        ("Mr.Fox ran.It was late. U.S. a.m.", []),
    ],
)
def test_addresses_are_found_without_the_marks_around_them(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in addresses(text)] == found


@pytest.mark.parametrize(
    ("text", "capitals"),
    [
        ("WHERE IS IT?", True),
        ("J'AI FAIM.", True),
        ("OÙ EST L'ÉCOLE ?", True),
        ("STOP!", True),
        ("WRITE TO anna@example.org", True),
        ("IN 2 DAYS 東京", True),
        ("NATO", False),
        ("UNESCO.", False),
        ("IBM PC", False),
        ("OK!", False),
        ("The USA and NATO", False),
        ("WWW.EXAMPLE.ORG", False),
        ("東京は大きいです", False),
        ("12:30 - 14:00", False),
    ],
)
def test_a_sentence_is_in_capitals_if_all_of_its_many_letters_are(
    text: str, capitals: bool
) -> None:
    assert in_capitals(text) is capitals


WHOLE = {"Paris", "USA", "the", "street"}
"""Words of one subword."""


def subwords(word: str) -> int:
    return 1 if word in WHOLE else 2


@pytest.mark.parametrize(
    ("text", "language", "written"),
    [
        ("THE STREET I LIKE IN PARIS", "en", "The street I like in Paris"),
        ("DO I? I'M IN THE USA.", "en", "Do I? I'm in the USA."),
        ("I, L'ÉTÉ À PARIS", "fr", "I, l'été à Paris"),
        ('"THE END"', "en", '"The end"'),
        ("WRITE TO Ann@EXAMPLE.org!", "en", "Write to Ann@EXAMPLE.org!"),
        ("E\u0301TE\u0301 İSTANBUL", "fr", "E\u0301te\u0301 İstanbul"),
        ("12", "en", "12"),
    ],
)
def test_capitals_are_read_as_one_writes_character_for_character(
    text: str, language: str, written: str
) -> None:
    assert in_sentence_case(text, language, subwords) == written
    assert len(written) == len(text)


def test_an_accented_word_of_one_subword_has_a_plain_spelling_unless_that_is_a_word_too() -> None:
    lines = ["il est très bon", "elle est très grande", "où ou sœur", "où ou sœur"] * 20
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=330, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    words = accented_words(tokenizer)
    assert words["tres"] == "très"
    assert "ou" not in words
    assert all(plain.isascii() for plain in words)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Il est tres bon, bien tres.", "Il est très bon, bien très."),
        ("Tres bon. TRES", "Très bon. TRES"),
        ("Etes-vous la ?", "Êtes-vous la ?"),
        ("Il est à lui, tres bon.", "Il est à lui, tres bon."),
        ("voir tres@example.org et www.tres.fr", "voir tres@example.org et www.tres.fr"),
        ("tresse", "tresse"),
    ],
)
def test_accents_come_to_words_of_a_text_that_has_none(text: str, read: str) -> None:
    assert with_accents(text, {"tres": "très", "etes": "êtes"}) == read


def test_a_stand_in_that_the_text_has_is_not_used() -> None:
    text, addresses = with_stand_ins("zed wrote to a@b.org and c@d.org", ["Zed", "Kim", "Lou"])
    assert text == "zed wrote to Kim and Lou"
    assert addresses == {"Kim": "a@b.org", "Lou": "c@d.org"}


def test_addresses_stay_where_no_stand_in_is_left() -> None:
    assert with_stand_ins("a@b.org, c@d.org, e@f.org", ["Kim"]) == (
        "Kim, c@d.org, e@f.org",
        {"Kim": "a@b.org"},
    )
    assert with_stand_ins("No address.", ["Kim"]) == ("No address.", {})


@pytest.mark.parametrize(
    ("translation", "right"),
    [
        ("Écris à Kim, pas à Lou.", True),
        ("ÉCRIS À KIM ET À LOU", True),
        ("Écris à Kim.", False),
        ("Écris à Kim, Kim et Lou.", False),
        ("Écris à Kimi et à Lou.", False),
    ],
)
def test_each_stand_in_must_be_there_once_as_a_word(translation: str, right: bool) -> None:
    assert holds(translation, ["Kim", "Lou"]) is right


def test_an_address_is_put_back_as_it_was_written() -> None:
    addresses = {"Kim": r"a\1@b.org", "Lou": "www.Example.org/kim"}
    assert put_back("À KIM OU LOU.", addresses) == r"À a\1@b.org OU www.Example.org/kim."
