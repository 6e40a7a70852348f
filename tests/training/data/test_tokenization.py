"""Tokenizers on odd texts: saved and loaded they agree, words keep places, subwords lose nothing they know."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from service.tasks.translate.casing import CAPITAL, UPPER
from service.tasks.translate.reading import SPECIAL, Reader
from training.data.tokenization import (
    alphabet,
    subword_tokenizer,
    word_counts,
    word_tokenizer,
    words_of,
)

ODD = [
    "",
    " ",
    "\r\n\r\n",
    "😀 👩‍👩‍👧‍👦 🇫🇷 family",
    "e\u0301te\u0301 n\u0303 \u0301alone",
    "a\r\nb\rc\nd\u2028e\x85f",
    "السلام عليكم، كيف حالك؟",
    "深度学习很有意思。",
    "zero\u200bwidth\u200djoined\ufeff",
    "bell\x07 null\x00 escape\x1b[0m",
    "İstanbul ΑΣ ß ﬁ Ǆ",
    "it’s “quoted” «là» 12,345.67 ٣٤ ½",
    "tab\tand\u00a0space\u202f!\u2009?",
    "<s> </s> <pad> <unk> a</s>b",
    "x" * 20_000,
    "a " * 5_000,
]
KNOWN = alphabet(["àâçéèêëîïôùûüœ"] * 2)
READ = [
    " the cat sleeps.",
    " le chat dort à l' ombre.",
    f"{CAPITAL} price: 12 euros!",
    " {x} \ue020, \ue010",
]
"""As a translator reads its texts."""

SENTENCES = ["The cat sleeps.", "Le chat dort à l'ombre.", "Price: 12 euros!", "Was für 3 Tiere?"]


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    return word_tokenizer(list(word_counts(SENTENCES)))


@pytest.fixture(scope="module")
def subwords() -> Tokenizer:
    return subword_tokenizer(READ * 3, size=180, known=KNOWN)


@pytest.mark.parametrize("kind", ["words", "subwords"])
def test_a_tokenizer_saved_and_loaded_reads_the_same(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    made: Tokenizer = request.getfixturevalue(kind)
    made.save(str(tmp_path / "tokenizer.json"))
    loaded = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in [*ODD, *SENTENCES]:
        one, other = (t.encode(text, add_special_tokens=False) for t in (made, loaded))
        assert one.ids == other.ids
        assert one.offsets == other.offsets
        assert made.decode(one.ids) == loaded.decode(one.ids)
    loaded.save(str(tmp_path / "again.json"))
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "tokenizer.json").read_bytes()


def check_places(text: str) -> None:
    """Each token stands where it says, in order; what lies between is white space."""
    (known,) = words_of([text])
    tokenizer = word_tokenizer(known)
    encoding = tokenizer.encode(text, add_special_tokens=False)
    assert encoding.tokens == known
    end = 0
    for token, (start, stop) in zip(encoding.tokens, encoding.offsets, strict=True):
        assert end <= start < stop <= len(text)
        assert text[end:start].strip() == ""
        assert tokenizer.normalizer.normalize_str(text[start:stop]) == token
        end = stop
    assert text[end:].strip() == ""


@pytest.mark.parametrize("text", [*ODD, *SENTENCES])
def test_a_word_stands_where_it_says(text: str) -> None:
    check_places(text)


@given(st.text())
def test_a_word_of_any_text_stands_where_it_says(text: str) -> None:
    check_places(text)


def test_words_are_as_documented(words: Tokenizer) -> None:
    encoding = words.encode("THE cat’s 47 euros, unheard!", add_special_tokens=False)
    unknown = "<unk>"
    assert encoding.tokens == ["the", "cat", "'", unknown, "00", "euros", unknown, unknown, "!"]
    assert (words.token_to_id("<pad>"), words.token_to_id("<unk>")) == (0, 1)


def test_words_of_the_web_are_as_documented() -> None:
    (known,) = words_of(
        [
            "@Ann see https://t.co/x or www.a.org,<br /><br />10/10 of 1999; I don’t, CANNOT, wo n't, didnt"
        ],
        web=True,
    )
    assert " ".join(known) == (
        "@ user see http or http 10 / 10 of 0000 ; i do not , can not , wo not , did not"
    )
    (plain,) = words_of(["mail ann@a.org: the front went 5 or 500"], web=True)
    assert " ".join(plain) == "mail ann @ a . org : the front went 5 or 000"


def test_words_are_counted_most_frequent_first() -> None:
    assert list(word_counts(["b a b", "C c a", "7 8"]).items()) == [
        ("0", 2),
        ("a", 2),
        ("b", 2),
        ("c", 2),
    ]


@pytest.mark.parametrize(
    "text", [*READ, " a  b", " l' été; j' ai qu' il", f"{UPPER} nasa's,{CAPITAL} o'brien"]
)
def test_subwords_lose_nothing_that_they_know(subwords: Tokenizer, text: str) -> None:
    ids = subwords.encode(text, add_special_tokens=False).ids
    assert subwords.decode(ids) == text
    assert not {0, 1, 2} & set(ids)


@given(st.text(st.sampled_from(sorted(KNOWN - {"▁"} | set(SPECIAL) | {" "}))))
def test_subwords_of_any_known_characters_lose_nothing(text: str) -> None:
    ids = _SUBWORDS.encode(text, add_special_tokens=False).ids
    assert _SUBWORDS.decode(ids, skip_special_tokens=False) == text
    assert not {0, 1, 2} & set(ids)


@given(st.text(st.characters(exclude_characters=SPECIAL, exclude_categories=["Cs"]), max_size=12))
def test_what_a_translator_reads_holds_characters_that_the_subwords_know(text: str) -> None:
    read = Reader("en", "fr", _SUBWORDS.get_vocab()).read(text).text.text
    ids = _SUBWORDS.encode(read, add_special_tokens=False).ids
    assert _SUBWORDS.decode(ids, skip_special_tokens=False) == read


_SUBWORDS = subword_tokenizer(READ, size=160, known=KNOWN)
_SUBWORDS.encode_special_tokens = True  # as training and serving read a text


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (" 12", ["▁1", "2"]),
        ("\ue020\ue020a", ["\ue020", "\ue020", "a"]),
        (f"{CAPITAL} the", [CAPITAL, "▁the"]),
        ("((\ue010))", ["((", "\ue010", "))"]),
        (" don't", ["▁don", "'t"]),
        (" l' eau", ["▁l'", "▁eau"]),
        (" rock'n'roll", ["▁rock", "'", "n", "'", "roll"]),
    ],
)
def test_digits_reserved_characters_and_elisions_stand_alone(text: str, pieces: list[str]) -> None:
    splitter, normalizer = _SUBWORDS.pre_tokenizer, _SUBWORDS.normalizer
    split = splitter.pre_tokenize_str(normalizer.normalize_str(text))
    assert [piece for piece, _ in split] == pieces


def test_the_special_subwords_have_their_ids(subwords: Tokenizer) -> None:
    assert [subwords.token_to_id(token) for token in ("<pad>", "<s>", "</s>")] == [0, 1, 2]
    assert subwords.get_vocab_size() <= 180
    assert {*KNOWN, *SPECIAL, "▁"} <= subwords.get_vocab().keys()


def test_the_alphabet_holds_usual_latin_letters_and_signs_in_small() -> None:
    found = alphabet(["Éa «x» ’ 中 ж ½ € £", "É 😀 \ufffd · \u00ad €", "ñ"] * 2)
    assert {"é", "ñ", "€", "£"} <= found
    assert not found & set("É«»’中ж😀·\u00ad\ufffd ")
    assert set("az09{}~“”–") <= found
    assert "ñ" not in alphabet(["ñ", "a"])
