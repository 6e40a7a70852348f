"""What the tagger does to its texts before it reads them, its calibration, and its table of vectors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from service.session import Session
from service.tasks.ner import Reader
from training import ner
from training.corpora import Tagged
from training.graph import Graph, round_to_eight_bits
from training.layers import CRF
from training.tokenization import word_tokenizer

TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


def test_a_third_of_the_other_cases_each_is_small_large_and_capitalised() -> None:
    written = ["Ada", "met", "IBM"]
    assert ner.recased(written, 0.1) == ["ada", "met", "ibm"]
    assert ner.recased(written, 0.4) == ["ADA", "MET", "IBM"]
    assert ner.recased(written, 0.99) == ["Ada", "Met", "Ibm"]
    assert ner.recased(written, 1.0) == written


def test_joined_texts_are_neighbours_and_as_many_as_asked_for() -> None:
    sentences = [Tagged((f"w{number}",), ("B-PER",)) for number in range(11)]
    pairs = ner.joined(sentences, 0.5, seed=1)
    assert len(pairs) == 5
    for pair in pairs:
        first, second = (int(word[1:]) for word in pair.tokens)
        assert second == first + 1
        assert pair.tags == ("B-PER", "B-PER")
    assert ner.joined(sentences, 0.0, seed=1) == []


def test_a_corpus_token_of_several_words_loses_the_signs_at_its_ends() -> None:
    sentence = Tagged(("#Kiev's", "U.S.", "mayor"), ("B-LOC", "B-LOC", "O"))
    reader = Reader(word_tokenizer(["kiev"]), "abc", 8)
    ((features, gold),) = ner.encoded([sentence], reader, TAGS, longest=20)
    assert features.words == ["#", "Kiev", "'", "s", "U", ".", "S", ".", "mayor"]
    assert [TAGS[tag] for tag in gold] == [
        *("O", "B-LOC", "O", "O"),
        *("B-LOC", "I-LOC", "I-LOC", "I-LOC", "O"),
    ]


def test_doubt_falls_where_confidence_meets_the_share_that_is_right() -> None:
    emissions = torch.tensor([[[0.0, 3.0, -9.0, -9.0, -9.0]]]).expand(4, 1, 5)
    gold = torch.tensor([[1], [1], [1], [0]])
    batches = [(emissions, gold, torch.tensor([1, 1, 1, 1]))]
    # three of four are right, so odds of 3 to 1 are best: a score of log 3 instead of 3
    best = 3 / np.log(3)
    doubts = [float(ner.doubt(CRF(TAGS), TAGS, batches, best * by)) for by in (0.8, 1, 1.25)]
    assert doubts[1] == min(doubts)
    assert doubts[1] == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25), abs=1e-3)
    assert float(ner.doubt(CRF(TAGS), TAGS, [], 1.0)) == 0.0


def test_a_table_in_eight_bits_gives_the_rows_that_it_was_rounded_to(tmp_path: Path) -> None:
    torch.manual_seed(0)
    table = nn.Embedding(50, 12)
    before = table.weight.detach().clone()
    table.weight.data[3] = 0.0
    before[3] = 0.0
    round_to_eight_bits(table)
    largest = before.abs().amax(1, keepdim=True)
    assert bool(((table.weight - before).abs() <= largest / 127 * 0.51 + 1e-6).all())
    graph = Graph()
    ids = graph.input("ids", "int64", ["batch", "time"])
    graph.output(graph.vectors(ids, table), "rows", "float", ["batch", "time", 12])
    graph.save(tmp_path / "rows.onnx")
    assert (tmp_path / "rows.onnx").stat().st_size < 50 * 12 * 2
    asked = np.arange(50).reshape(5, 10)
    (rows,) = Session(tmp_path / "rows.onnx").run({"ids": asked})
    np.testing.assert_array_equal(rows, table(torch.from_numpy(asked)).detach().numpy())
