"""What all pictures of the chapter share: their options, the training loop, and how they are written."""

from collections.abc import Callable
from pathlib import Path

import matplotlib
import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor, nn

from training.config import Options

matplotlib.use("Agg")
# Text stays text, and the same numbers give the same file.
matplotlib.rcParams.update(
    {"svg.fonttype": "none", "svg.hashsalt": "textloom", "axes.grid": True, "grid.alpha": 0.25}
)

COLOURS = {"rnn": "#777777", "lstm": "#1f5fa8", "gru": "#c2571a"}
NAMES = {"rnn": "simple RNN", "lstm": "LSTM", "gru": "GRU"}


class FigureOptions(Options):
    out: Path = Path("runs/understand")
    """Folder for the picture."""
    seed: int = 1
    """The same seed and machine give the same picture."""
    steps: int = Field(default=300, ge=1)
    """Most steps of a training."""


def train(
    network: nn.Module,
    loss: Callable[[], Tensor],
    *,
    steps: int,
    learning_rate: float = 0.005,
    solved: Callable[[int], bool] = lambda step: False,
) -> None:
    """Adam on the loss of one batch a step; ends early once `solved(steps done)` says so."""
    optimizer = torch.optim.Adam(network.parameters(), learning_rate)
    network.train()
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        loss().backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if solved(step):
            break
    network.eval()


def save(figure: Figure, folder: Path, name: str) -> Path:
    """Writes the picture as NAME.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.svg"
    figure.savefig(path, metadata={"Date": None})
    return path
