"""What is fitted on dev so that the classifier's confidences mean something."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor
from torch.nn import functional

from training.tasks.sentiment.examples import EncodedText
from training.tasks.sentiment.network import LONG, Network


def calibrate_network(
    network: Network, logits: Tensor, texts: Sequence[EncodedText], longest: int
) -> None:
    """Sets what turns the network's logits into probabilities so that dev is likeliest: a temperature, how much
    more confident longer texts make, and a prior of each label.

    Every file of dev has the same weight, and in a file every label: how often a corpus praises or blames says
    nothing about other texts. `longest`: words of a text that were read.
    """
    labels = torch.tensor([text.label for text in texts])
    groups = torch.tensor([text.file for text in texts]) * logits.shape[1] + labels
    sizes = groups.bincount()[groups].double()
    words = torch.tensor([min(len(text.ids), longest, LONG) for text in texts]).double()[:, None]
    logits = logits.double()

    def loss(values: NDArray[np.float64]) -> float:
        temperature, growth, prior = math.exp(values[0]), float(values[1]), values[2:]
        moved = logits * words**growth / temperature + torch.from_numpy(prior)
        return float((functional.cross_entropy(moved, labels, reduction="none") / sizes).sum())

    widest = math.log(5)
    found = minimize(
        loss,
        np.zeros(2 + logits.shape[1]),
        method="L-BFGS-B",
        bounds=[(-widest, widest), (0, 0.5)] + [(-2.0, 2.0)] * logits.shape[1],
    ).x
    network.temperature.fill_(math.exp(found[0]))
    network.growth.fill_(found[1])
    network.prior.copy_(torch.from_numpy(found[2:] - found[2:].mean()))
