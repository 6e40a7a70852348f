"""Fits a tiny network with each optimiser and prints each history as a line of JSON; `torchrun` may start it.

usage: shared_fit.py FOLDER [killed]
killed: the second process kills itself in the middle, the first time that it runs.
"""

import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.config import Fit
from training.nn import distributed
from training.nn.batches import BatchLoss
from training.nn.checkpoint import History
from training.nn.fit import fit, prepare

LENGTHS = [1 + number % 3 for number in range(13)]
"""Of the examples; some batches hold one alone, which only one of two processes can read."""


class Counting(nn.Module):
    """Weighs the tokens of an example; its loss is a mean over tokens, of which processes have unlike numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(13, 6)
        self.hidden = nn.Linear(6, 6)
        self.output = nn.Linear(6, 1)

    def forward(self, ids: Tensor) -> Tensor:
        return self.output(torch.tanh(self.hidden(self.embedding(ids))))[..., 0]

    def loss(self, indices: list[int]) -> BatchLoss:
        ids = torch.tensor([index for index in indices for _ in range(LENGTHS[index])])
        mean = functional.mse_loss(self(ids), ids % 5 / 5.0)
        return BatchLoss(mean, len(ids), len(ids))


def run(folder: Path, optimizer: str, kill_at: int = 0) -> History:
    options = Fit.model_validate(
        {
            "epochs": 5,
            "batch_tokens": 4,
            "learning_rate": 0.05,
            "optimizer": optimizer,
            "average": 0.5,
            "device": "cpu",
            "threads": 1,
            "checkpoint_seconds": 0.0,
        }
    )
    prepare(options)
    network = Counting()
    steps = 0

    def loss(indices: list[int]) -> BatchLoss:
        nonlocal steps
        steps += 1
        if steps == kill_at and not distributed.is_first():
            os.kill(os.getpid(), signal.SIGKILL)
        return network.loss(indices)

    def validate() -> float:
        return -network.loss(list(range(13))).mean.item()

    return fit(
        network, lengths=LENGTHS, loss=loss, validate=validate, options=options, folder=folder
    )


def main(folder: Path, killed: bool) -> None:
    distributed.join()
    first_time = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
    for optimizer in ("adamw", "muon"):
        history = run(folder / optimizer, optimizer, 12 if killed and first_time else 0)
        print(json.dumps(asdict(history)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), "killed" in sys.argv)
