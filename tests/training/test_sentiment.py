"""The classifier's own parts: stretches of long texts, the labels of a corpus, calibration."""

from collections import Counter

import torch
from torch.nn import functional

from training import sentiment
from training.sentiment import Text


def test_a_stretch_is_of_the_text_and_no_end_is_neglected() -> None:
    torch.manual_seed(0)
    assert sentiment.stretch_of([1, 2, 3], 5) == [1, 2, 3]
    ids = list(range(30))
    seen: Counter[int] = Counter()
    for _ in range(2000):
        stretch = sentiment.stretch_of(ids, 10)
        assert stretch == list(range(stretch[0], stretch[0] + 10))
        seen.update(stretch)
    assert seen.keys() == set(ids)
    assert min(seen.values()) > 2000 * 10 / 30 / 2


def test_a_file_knows_the_labels_it_has() -> None:
    texts = [Text([1], 0, 0), Text([1], 2, 0), Text([1], 1, 1)]
    assert sentiment.labels_by_file(texts, 3).int().tolist() == [[1, 0, 1], [1, 1, 1]]


def test_pairs_are_of_neighbours_and_padding_adds_none() -> None:
    ids = torch.tensor([[5, 7, 9], [5, 7, 0]])
    rows = sentiment.pairs_of(ids, 1_000_003)
    assert rows[0, 0] == rows[1, 0]
    assert rows[0, 1] != rows[1, 1]
    assert sentiment.pairs_of(ids[1:, :2], 1_000_003).tolist() == rows[1:, :2].tolist()


def test_calibration_finds_temperature_growth_and_prior() -> None:
    torch.manual_seed(0)
    network = sentiment.Network(sentiment.Architecture(hidden=3, embedding=3), 10, 3)
    lengths = torch.randint(1, 200, (60_000,))
    true = torch.randn(60_000, 3) * 2
    gold = torch.distributions.Categorical(logits=true).sample().tolist()
    texts = [Text([1] * length, label, 0) for length, label in zip(lengths, gold, strict=True)]
    prejudice = torch.tensor([1.0, 0.0, -1.0])
    given = 2.5 * (true + prejudice) / lengths[:, None].clamp(max=100) ** 0.3
    sentiment.calibrate(network, given, texts, 100)
    assert abs(float(network.temperature) - 2.5) < 0.2
    assert abs(float(network.growth) - 0.3) < 0.02
    assert torch.allclose(network.prior, -prejudice, atol=0.05)


def test_a_label_that_a_file_lacks_does_not_count_in_its_calibration() -> None:
    torch.manual_seed(0)
    network = sentiment.Network(sentiment.Architecture(hidden=3, embedding=3), 10, 3)
    logits = torch.randn(2000, 3)
    logits[:, 1] = -10_000.0
    gold = (functional.softmax(logits, -1)[:, 2] > torch.rand(2000)).long() * 2
    sentiment.calibrate(network, logits, [Text([1], int(label), 0) for label in gold], 10)
    assert abs(float(network.prior[1])) < 0.01
