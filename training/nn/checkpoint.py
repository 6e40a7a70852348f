"""What a training leaves behind: its history, and checkpoints from which it goes on as if it had not stopped."""

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.errors import TrainingError
from training.nn import distributed
from training.nn.optimizer import Optimizer, WeightAverage

CHECKPOINT, LOG = "checkpoint.pt", "log.jsonl"


@dataclass
class Point:
    """One validation: mean training loss since the last one, score on dev (higher is better)."""

    step: int
    epoch: float
    loss: float
    score: float
    seconds: float
    """Training time so far, over all starts."""
    tokens: int = 0
    """What `loss` has counted so far."""


@dataclass
class History:
    points: list[Point] = field(default_factory=list)
    seconds: float = 0.0
    resumed: int = 0
    """How often the run was taken up again."""

    def then(self, later: "History") -> "History":
        """Of a training and one that went on from its weights."""
        last = self.points[-1]
        points = [
            Point(
                step=last.step + point.step,
                epoch=last.epoch + point.epoch,
                loss=point.loss,
                score=point.score,
                seconds=self.seconds + point.seconds,
                tokens=last.tokens + point.tokens,
            )
            for point in later.points
        ]
        return History(
            [*self.points, *points], self.seconds + later.seconds, self.resumed + later.resumed
        )

    @property
    def best(self) -> Point:
        return max(self.points, key=lambda point: point.score)


@dataclass
class Progress:
    """What a checkpoint holds beside weights, optimiser and random state."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    """Batches of this epoch already done."""
    tokens: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    best_score: float = -math.inf
    without_gain: int = 0
    stopped: bool = False


def restore(network: nn.Module, folder: Path) -> History:
    """The weights of the checkpoint in `folder` as they would be validated; gives its history.

    Raises TrainingError if there is none, or none that was validated.
    """

    def first() -> dict[str, Any]:
        if not (folder / CHECKPOINT).exists():
            raise TrainingError(f"{folder} holds no checkpoint")
        return read_checkpoint(folder / CHECKPOINT)

    state = distributed.from_first(first)
    history = _history(state)
    if not history.points:
        raise TrainingError(f"{folder}: the training was not validated yet")
    network.load_state_dict(state["network"])
    learnt = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for weight, mean in zip(learnt, state["mean"] or learnt, strict=True):
        weight.data.copy_(mean)
    return history


def save_checkpoint(
    path: Path,
    network: nn.Module,
    optimizer: Optimizer,
    mean: WeightAverage,
    progress: Progress,
    history: History,
    best: dict[str, Tensor],
) -> None:
    """Written beside and renamed, so that a kill leaves the old checkpoint or the new one."""
    state = {
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "mean": mean.values,
        "progress": asdict(progress),
        "history": asdict(history),
        "best": best,
        "random": torch.get_rng_state(),
        "cuda_random": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def resume(
    state: dict[str, Any], network: nn.Module, optimizer: Optimizer, mean: WeightAverage
) -> tuple[Progress, History, dict[str, Tensor]]:
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    for value, stored in zip(mean.values, state["mean"], strict=True):
        value.copy_(stored)
    torch.set_rng_state(state["random"])
    if state["cuda_random"] and distributed.is_first():
        torch.cuda.set_rng_state_all(state["cuda_random"])
    history = _history(state)
    history.resumed += 1
    progress = Progress(**state["progress"])
    device = next(network.parameters()).device
    best = {name: value.to(device) for name, value in state["best"].items()}
    return progress, history, best


def read_checkpoint(checkpoint: Path) -> dict[str, Any]:
    return torch.load(checkpoint, weights_only=True, map_location="cpu")


def _history(state: dict[str, Any]) -> History:
    points = [Point(**point) for point in state["history"].pop("points")]
    return History(points=points, **state["history"])
