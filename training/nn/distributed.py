"""Data-parallel training in the processes that `torchrun` starts, by `torch.distributed`.

Every process holds the whole network and reads its share of each batch; gradients are averaged, weighted so that
the result is the gradient of the whole batch. The first process alone validates, and writes checkpoints and
bundles; what it reads or makes reaches the others through the group, so machines need no folder in common.
Without torchrun there is one process, and everything here leaves things as they are.
"""

import os
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
import torch.distributed as dist
from torch import nn

from training.errors import TrainingError
from training.nn.batches import BatchLoss

T = TypeVar("T")
P = ParamSpec("P")

PATIENCE = timedelta(hours=6)
"""How long a process waits for another, which may be validating or scoring. One that dies is noticed at once."""


def join() -> None:
    """Joins the processes that torchrun started; from here on only the first of them prints.

    Gradients on CUDA go through NCCL, all else through gloo.
    """
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, timeout=PATIENCE)
    if not is_first():
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def is_first() -> bool:
    """Whether this is the process that writes and prints; without torchrun it is."""
    return not dist.is_initialized() or dist.get_rank() == 0


def cuda_device() -> torch.device:
    """The CUDA device of this process; raises TrainingError if there are fewer than processes on this machine."""
    if not dist.is_initialized():
        return torch.device("cuda")
    number = int(os.environ["LOCAL_RANK"])
    if number >= torch.cuda.device_count():
        raise TrainingError(
            f"process {number} of this machine finds only {torch.cuda.device_count()} CUDA devices: "
            "lower --nproc-per-node"
        )
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def from_first(make: Callable[[], T]) -> T:
    """What `make` gives in the first process, where alone it is called, for every process.

    A TrainingError that it raises there is raised in every process.
    """
    if not dist.is_initialized():
        return make()
    box: list[Any] = [None, None]
    if is_first():
        try:
            box[0] = make()
        except TrainingError as error:
            box[1] = error
    dist.broadcast_object_list(box)
    if box[1]:
        raise box[1]
    return box[0]


def by_first(function: Callable[P, T]) -> Callable[P, T]:
    """Decorates a function that only the first process runs; all are given its result."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        return from_first(lambda: function(*args, **kwargs))

    return wrapped


def check_equal(value: object, what: str) -> None:
    """Raises TrainingError, in every process, unless all have the same `value`."""
    if dist.is_initialized():
        values: list[Any] = [None] * dist.get_world_size()
        dist.all_gather_object(values, value)
        if values != values[:1] * len(values):
            raise TrainingError(
                f"the processes have different {what}: start all with the same options, files and version"
            )


def share(batch: Sequence[int]) -> list[int]:
    """This process's part of a batch, of like size and lengths as those of the others; it may be empty."""
    if not dist.is_initialized():
        return list(batch)
    return list(batch[dist.get_rank() :: dist.get_world_size()])


def seed_step(seed: int, step: int) -> None:
    """Gives each process but the first random numbers of its own, which depend on nothing before this step."""
    if not is_first():
        torch.manual_seed(random.Random(f"{seed} {dist.get_rank()} {step}").getrandbits(32))


def same_weights(network: nn.Module) -> None:
    """Gives every process the first one's weights: machines of unlike kinds may round a step differently."""
    if dist.is_initialized():
        vector = nn.utils.parameters_to_vector(network.parameters()).detach()
        dist.broadcast(vector, 0)
        nn.utils.vector_to_parameters(vector, network.parameters())


def average(parameters: Iterable[nn.Parameter], part: BatchLoss) -> BatchLoss:
    """Turns the gradients of this process's part of a batch into those of the batch; gives the batch's loss.

    A mean over n things counts n times, as it does in the mean over all. Gradients travel as one tensor.
    """
    if not dist.is_initialized():
        return part
    learnt = list(parameters)
    sizes = [each.numel() for each in learnt]
    flat = torch.zeros(3 + sum(sizes), device=learnt[0].device)
    sums, *gradients = flat.split([3, *sizes])
    sums[1], sums[2] = part.weight, part.tokens
    if part.weight:
        sums[0] = part.mean.detach() * part.weight
        for parameter, gradient in zip(learnt, gradients, strict=True):
            if parameter.grad is not None:
                torch.mul(parameter.grad.flatten(), part.weight, out=gradient)
    dist.all_reduce(flat)
    count, tokens = int(sums[1]), int(sums[2])
    flat /= count
    for parameter, gradient in zip(learnt, gradients, strict=True):
        parameter.grad = gradient.view_as(parameter)
    return BatchLoss(sums[0], count, tokens)
