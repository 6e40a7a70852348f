"""Chunks of training examples: each corpus as often as it weighs, and every chunk by its number alone."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from service.tasks.translate.reading import Reader
from service.tasks.translate.task import BOS, EOS
from tests.service.tasks.translate.alphabet import KNOWN
from training.data.corpora import Pair
from training.data.parallel import Corpus
from training.data.tokenization import subword_tokenizer
from training.tasks.translate.examples import Examples
from training.tasks.translate.stream import Stream, encoded

TOKENIZER = subword_tokenizer([" the word", " le mot"], size=300, known=KNOWN)
EXAMPLES = Examples(Reader("en", "fr", KNOWN), Reader("fr", "en", KNOWN), changed=0.0)


def corpus(name: str, size: int, weight: float) -> Corpus:
    return Corpus(name, [Pair(f"{name} word {n}", f"{name} mot {n}") for n in range(size)], weight)


CORPORA = [corpus("a", 10, 1.0), corpus("b", 6, 2.0), corpus("c", 8, 0.5), corpus("d", 9, 1.5)]


def stream(
    corpora: Sequence[Corpus] = CORPORA, chunk: int = 7, seed: int = 1, longest: int = 99
) -> Stream:
    return Stream(corpora, EXAMPLES, TOKENIZER, chunk=chunk, longest=longest, seed=seed)


def read(of: Stream, chunks: range) -> list[str]:
    return [pair.text for number in chunks for pair in of.pairs(number)]


def test_in_a_pass_each_corpus_is_read_as_often_as_it_weighs() -> None:
    whole = stream(chunk=10 + 12 + 4 + 14)
    assert whole.chunks == 1
    counts = Counter(read(whole, range(1)))
    assert Counter(text[0] for text in counts.elements()) == {"a": 10, "b": 12, "c": 4, "d": 14}
    assert {counts[f"a word {n}"] for n in range(10)} == {1}
    assert {counts[f"b word {n}"] for n in range(6)} == {2}
    assert {counts[f"d word {n}"] for n in range(9)} == {1, 2}
    both = Counter(read(whole, range(2)))
    assert {both[f"c word {n}"] for n in range(8)} == {1}  # the other half comes next
    assert {both[f"d word {n}"] for n in range(9)} <= {3, 4}


def test_passes_differ_in_order_and_so_do_seeds() -> None:
    whole = stream(chunk=99)
    first, second = read(whole, range(1)), read(whole, range(1, 2))
    assert sorted(first[:5]) != sorted(second[:5])
    assert read(stream(chunk=99, seed=2), range(1)) != first


@pytest.mark.parametrize("size", [1, 3, 7, 40, 1000])
def test_chunks_of_any_size_are_the_same_stream(size: int) -> None:
    one = stream(chunk=size)
    per = len(one.pairs(0))
    assert per == min(size, 40)
    assert one.chunks == -(-40 // per)
    enough = range(-(-120 // per))
    assert read(one, enough)[:120] == read(stream(chunk=40), range(3))


def test_a_chunk_depends_on_its_number_alone() -> None:
    going, again = stream(), stream()
    wanted = [going.chunk(number) for number in range(9)]
    for number in (8, 0, 3, 8, 5):
        for one, other in zip(again.chunk(number), wanted[number], strict=True):
            assert all(map(np.array_equal, one, other))


def test_examples_are_ids_between_their_marks() -> None:
    for source, target in stream().chunk(0):
        assert source.dtype == np.uint16
        assert source[-1] == EOS
        assert BOS not in source
        assert (target[0], target[-1]) == (BOS, EOS)
        text = TOKENIZER.decode(source[:-1].tolist())
        other = TOKENIZER.decode(target[1:-1].tolist())
        assert text.replace("word", "mot") == other


def test_some_short_pairs_are_read_together_and_none_is_lost() -> None:
    many = stream([corpus("a", 400, 1.0)], chunk=400)
    texts = [TOKENIZER.decode(source[:-1].tolist()) for source, _ in many.chunk(0)]
    double = [text for text in texts if text.count("word") == 2]
    assert 0.02 * 400 < len(double) < 0.12 * 400
    assert {n for text in texts for n in text.split() if n.isdigit()} == set(map(str, range(400)))


def test_long_examples_are_left_out() -> None:
    pairs = [Pair(" a b", " c"), Pair(" a", " a b c d e f g"), Pair("", " a")]
    assert len(encoded(pairs, TOKENIZER, 99)) == 2
    assert len(encoded(pairs, TOKENIZER, 5)) == 1
