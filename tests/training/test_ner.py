"""What the tagger does to its texts before it reads them, its calibration, and its table of vectors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from service.session import Session
from service.tasks.ner import Reader
from training import ner
from training.data.corpora import Tagged
from training.data.tokenization import word_tokenizer
from training.evaluation.calibration import mean_log_loss
from training.export.onnx_graph import Graph
from training.export.weights import round_to_eight_bits
from training.nn.crf import CRF

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


def test_the_vectors_of_the_words_seen_are_learnt_and_the_others_stay() -> None:
    torch.manual_seed(5)
    options = ner.Architecture(hidden=4, embedding=5, dropout=0, word_dropout=0)
    network = ner.Network(options, 9, 4, TAGS, seen=6)
    before = network.embedding.weight.clone()
    ids, spelled = torch.tensor([[2, 5, 6, 8]]), torch.zeros(1, 4, options.character_filters)
    read = network.tag(ids, spelled, torch.tensor([4]))
    optimizer = torch.optim.SGD((p for p in network.parameters() if p.requires_grad), lr=1.0)
    read.sum().backward()
    optimizer.step()
    assert network.change is not None
    gradient = -network.change.weight.clone()
    read = network.tag(ids, spelled, torch.tensor([4]))
    network.settle()
    torch.testing.assert_close(network.tag(ids, spelled, torch.tensor([4])), read)
    torch.testing.assert_close(network.embedding.weight[:6], before[:6] - gradient)
    assert bool(gradient[[2, 5]].all())
    assert not bool(gradient[[0, 1, 3, 4]].any())
    assert torch.equal(network.embedding.weight[6:], before[6:])
    fixed = ner.Network(ner.Architecture(fixed_vectors=True), 9, 4, TAGS, seen=6)
    assert [name for name, _ in fixed.named_parameters() if "change" in name] == []
    assert not fixed.embedding.weight.requires_grad


def test_the_log_loss_is_least_where_confidence_meets_the_share_that_is_right() -> None:
    emissions = torch.tensor([[[0.0, 3.0, -9.0, -9.0, -9.0]]]).expand(4, 1, 5)
    gold = torch.tensor([[1], [1], [1], [0]])
    batches = [(emissions, gold, torch.tensor([1, 1, 1, 1]))]

    def loss_at(temperature: float) -> float:
        found = ner.graded_predictions(CRF(TAGS), TAGS, batches, temperature)
        assert found["LOC"].right == [True, True, True, False]
        assert found["PER"].right == []
        return mean_log_loss(found.values())

    # three of four are right, so odds of 3 to 1 are best: a score of log 3 instead of 3
    best = 3 / np.log(3)
    losses = [loss_at(best * by) for by in (0.8, 1, 1.25)]
    assert losses[1] == min(losses)
    assert losses[1] == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25), abs=1e-3)


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
    graph.output(graph.quantized_embedding(ids, table), "rows", "float", ["batch", "time", 12])
    graph.save(tmp_path / "rows.onnx")
    assert (tmp_path / "rows.onnx").stat().st_size < 50 * 12 * 2
    asked = np.arange(50).reshape(5, 10)
    (rows,) = Session(tmp_path / "rows.onnx").run({"ids": asked})
    np.testing.assert_array_equal(rows, table(torch.from_numpy(asked)).detach().numpy())
