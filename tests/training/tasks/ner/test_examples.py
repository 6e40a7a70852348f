"""What the tagger does to its texts before it reads them."""

from dataclasses import replace

from service.tasks.ner.reading import Reader
from training.data.corpora import Tagged
from training.data.tokenization import word_tokenizer
from training.tasks.ner.examples import encode, join_neighbours, recase

TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


def test_a_third_each_of_the_recased_is_lower_upper_and_capitalised() -> None:
    written = ["Ada", "met", "IBM"]
    assert recase(written, 0.1) == ["ada", "met", "ibm"]
    assert recase(written, 0.4) == ["ADA", "MET", "IBM"]
    assert recase(written, 0.99) == ["Ada", "Met", "Ibm"]
    assert recase(written, 1.0) == written


def test_joined_texts_are_neighbours_and_as_many_as_asked_for() -> None:
    sentences = [Tagged((f"w{number}",), ("B-PER",)) for number in range(11)]
    pairs = join_neighbours(sentences, 0.5, seed=1)
    assert len(pairs) == 5
    for pair in pairs:
        first, second = (int(word[1:]) for word in pair.tokens)
        assert second == first + 1
        assert pair.tags == ("B-PER", "B-PER")
    assert join_neighbours(sentences, 0.0, seed=1) == []
    other = [replace(one, annotated=frozenset({"PER"})) for one in sentences[5:]]
    pairs = join_neighbours([*sentences[:5], *other], 1.0, seed=1)
    assert [pair.annotated for pair in pairs] == [None] * 4 + [frozenset({"PER"})] * 5


def test_a_corpus_token_of_several_words_gets_no_tag_for_punctuation_at_its_ends() -> None:
    sentence = Tagged(("#Kiev's", "U.S.", "mayor"), ("B-LOC", "B-LOC", "O"))
    reader = Reader(word_tokenizer(["kiev"]), "abc", 8)
    ((features, gold, unknown),) = encode([sentence], reader, TAGS, longest=20)
    assert features.words == ["#", "Kiev", "'", "s", "U", ".", "S", ".", "mayor"]
    assert [TAGS[tag] for tag in gold] == [
        *("O", "B-LOC", "O", "O"),
        *("B-LOC", "I-LOC", "I-LOC", "I-LOC", "O"),
    ]
    assert not any(unknown)


def test_an_amount_keeps_its_signs_and_labels_that_are_not_annotated_are_unknown() -> None:
    tags = ["O", "B-MONEY", "I-MONEY", "B-PER", "I-PER"]
    sentence = Tagged(("$", "5", "a", "head"), ("B-MONEY", "I-MONEY", "O", "O"))
    reader = Reader(word_tokenizer([]), "abc", 8)
    only = replace(sentence, annotated=frozenset({"MONEY"}))
    whole, partly = encode([sentence, only], reader, tags, longest=20)
    assert whole.tags == partly.tags == [1, 2, 0, 0]
    assert whole.unknown == [False] * 5
    assert partly.unknown == [False, False, False, True, True]
