"""Tokenizers on odd texts: saved and loaded they agree, words keep their places, subwords lose nothing."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from training.data.tokenization import subword_tokenizer, word_counts, word_tokenizer, words_of

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
SENTENCES = ["The cat sleeps.", "Le chat dort à l'ombre.", "Price: 12 euros!", "Was für 3 Tiere?"]


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    return word_tokenizer(list(word_counts(SENTENCES)))


@pytest.fixture(scope="module")
def subwords() -> Tokenizer:
    return subword_tokenizer(SENTENCES * 3, size=330)


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


def normal(tokenizer: Tokenizer, text: str) -> str:
    return str(tokenizer.normalizer.normalize_str(text))


@pytest.mark.parametrize("text", [text for text in ODD if "<s>" not in text] + SENTENCES)
def test_subwords_lose_nothing_but_what_the_normaliser_says(subwords: Tokenizer, text: str) -> None:
    ids = subwords.encode(text, add_special_tokens=False).ids
    assert subwords.decode(ids) == normal(subwords, text)
    assert not {0, 1, 2} & set(ids)


@given(st.text())
@example("<s> and </s>")
def test_subwords_of_any_text_lose_nothing(text: str) -> None:
    tokenizer = _BYTES
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids) == normal(
        tokenizer, text
    )


_BYTES = subword_tokenizer(SENTENCES, size=300)
_BYTES.encode_special_tokens = True  # as training and serving read a text


def test_the_normaliser_composes_and_makes_spaces_and_apostrophes_plain(
    subwords: Tokenizer,
) -> None:
    assert normal(subwords, "e\u0301\u00a0l\u2019eau\u202f!") == "é l'eau !"


def test_digits_stand_alone(subwords: Tokenizer) -> None:
    tokens = subwords.encode("12", add_special_tokens=False).tokens
    assert tokens == ["1", "2"]


def test_the_special_subwords_have_their_ids(subwords: Tokenizer) -> None:
    assert [subwords.token_to_id(token) for token in ("<pad>", "<s>", "</s>")] == [0, 1, 2]
    assert 259 < subwords.get_vocab_size() <= 330
