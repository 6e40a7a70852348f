"""What is fitted on dev is what was put into the logits."""

import torch
from torch.nn import functional

from training.tasks.sentiment.calibration import calibrate_network
from training.tasks.sentiment.config import Architecture
from training.tasks.sentiment.examples import EncodedText
from training.tasks.sentiment.network import Network


def test_calibration_finds_temperature_growth_and_prior() -> None:
    torch.manual_seed(0)
    network = Network(Architecture(hidden=3, embedding=3), 10, 3)
    lengths = torch.randint(1, 200, (60_000,))
    true = torch.randn(60_000, 3) * 2
    gold = torch.distributions.Categorical(logits=true).sample().tolist()
    texts = [
        EncodedText([1] * length, label, 0) for length, label in zip(lengths, gold, strict=True)
    ]
    prejudice = torch.tensor([1.0, 0.0, -1.0])
    given = 2.5 * (true + prejudice) / lengths[:, None].clamp(max=100) ** 0.3
    calibrate_network(network, given, texts, 100)
    assert abs(float(network.temperature) - 2.5) < 0.2
    assert abs(float(network.growth) - 0.3) < 0.02
    assert torch.allclose(network.prior, -prejudice, atol=0.05)


def test_a_label_that_a_file_lacks_does_not_count_in_its_calibration() -> None:
    torch.manual_seed(0)
    network = Network(Architecture(hidden=3, embedding=3), 10, 3)
    logits = torch.randn(2000, 3)
    logits[:, 1] = -10_000.0
    gold = (functional.softmax(logits, -1)[:, 2] > torch.rand(2000)).long() * 2
    calibrate_network(network, logits, [EncodedText([1], int(label), 0) for label in gold], 10)
    assert abs(float(network.prior[1])) < 0.01
