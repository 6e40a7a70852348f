"""How fast a translator trains on this CPU: our step beside one that is written plainly with PyTorch's own parts.

The same network, loss and batches for both: 8M parameters, cross-entropy with label smoothing over a whole
vocabulary, clipping and AdamW. `--processes 2` measures instead what two processes of one thread read, as
`torchrun` starts them, beside one.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.nn import distributed
from training.nn.batches import BatchLoss, mask, pad
from training.nn.gru import GRU
from training.nn.precision import multiplies_bfloat16
from training.tasks.translate.config import Architecture
from training.tasks.translate.network import Network

NETWORK = Architecture(vocabulary=8000, embedding=320, hidden=320, decoder=448)
LENGTHS = (8, 14, 20, 26, 40, 60)
SMOOTHING = 0.1

Batch = tuple[Tensor, Tensor, Tensor, Tensor]


def batch(length: int, tokens: int) -> Batch:
    """Random sentences of nearly one length, as long buckets make them; at most `tokens` of padded target."""
    chance = random.Random(length)

    def ids() -> list[int]:
        return [
            chance.randrange(3, NETWORK.vocabulary)
            for _ in range(chance.randint(max(1, length - 3), length))
        ]

    rows = range(tokens // length)
    return (*pad([ids() for _ in rows]), *pad([[1, *ids()] for _ in rows]))


def plain(network: Network) -> Callable[[Batch], Tensor]:
    """The loss in float32 by PyTorch's own GRU and cross-entropy; turns the network's layers into these."""
    for name, layer in list(network.named_modules()):
        if isinstance(layer, GRU):
            own = nn.GRU(layer.input_size, layer.hidden_size, batch_first=True)
            parent, _, child = name.rpartition(".")
            setattr(network.get_submodule(parent), child, own)

    def loss(one: Batch) -> Tensor:
        source, lengths, target, target_lengths = one
        keys, memory, states = network.encode(source, lengths)
        real = mask(lengths, source.shape[1])
        read, _ = network.decode(target[:, :-1], states, keys, memory, real)
        wanted = mask(target_lengths - 1, target.shape[1] - 1)
        logits = network.logits(read[wanted])
        return functional.cross_entropy(logits, target[:, 1:][wanted], label_smoothing=SMOOTHING)

    return loss


def ours(network: Network) -> Callable[[Batch], Tensor]:
    def loss(one: Batch) -> Tensor:
        with torch.autocast(
            "cpu", torch.bfloat16, enabled=multiplies_bfloat16(torch.device("cpu"))
        ):
            return network.loss(*one, SMOOTHING)

    return loss


def speed(make: Callable[[Network], Callable[[Batch], Tensor]], tokens: int, rounds: int) -> float:
    """Target tokens a second over `rounds` steps of every length, after one of each to warm up.

    Processes of torchrun share each batch.
    """
    torch.manual_seed(1)
    network = Network(NETWORK, NETWORK.vocabulary).train()
    loss = make(network)
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    whole = [batch(length, tokens) for length in LENGTHS]
    batches = [[part[distributed.share(range(len(part)))] for part in one] for one in whole]

    def step(one: list[Tensor]) -> int:
        source, lengths, target, target_lengths = one
        value = loss((source, lengths, target, target_lengths))
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(value)
        read = int((target_lengths - 1).sum())
        read = distributed.average(network.parameters(), BatchLoss(value, read, read)).tokens
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        return read

    for one in batches:
        step(one)
    began = time.perf_counter()
    done = sum(step(one) for _ in range(rounds) for one in batches)
    return done / (time.perf_counter() - began)


def speed_of_processes(count: int, *options: str) -> float:
    """Target tokens a second of our step, by so many processes of one thread each."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    command = [sys.executable, *(torchrun if count > 1 else []), "-m", "benchmarks.training_speed"]
    ran = subprocess.run(
        [*command, "--threads", "1", "--only-ours", *options],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(ran.stdout)


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Prints and gives the speeds in target tokens a second."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training_speed", description=__doc__
    )
    parser.add_argument("--tokens", type=int, default=4096, help="padded target tokens in a step")
    parser.add_argument("--rounds", type=int, default=2, help="steps of each length")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--processes", type=int, default=0, help="compare so many with one")
    parser.add_argument(
        "--only-ours", action="store_true", help="print the speed of our step alone"
    )
    options = parser.parse_args(argv)
    if options.processes:
        sizes = ("--tokens", str(options.tokens), "--rounds", str(options.rounds))
        speeds = {
            f"{count} processes": speed_of_processes(count, *sizes)
            for count in (1, options.processes)
        }
        print_table(speeds, "1 thread each")
        return speeds
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.only_ours:
        if "TORCHELASTIC_RUN_ID" in os.environ:
            distributed.join()
        print(speed(ours, options.tokens, options.rounds))
        return {}
    speeds = {make.__name__: speed(make, options.tokens, options.rounds) for make in (plain, ours)}
    print_table(speeds, f"{torch.get_num_threads()} threads")
    return speeds


def print_table(speeds: dict[str, float], threads: str) -> None:
    print(f"| step | target tokens a second, {threads} | |\n|---|---|---|")
    first, *_ = speeds.values()
    for name, value in speeds.items():
        print(f"| {name} | {value:,.0f} | {value / first:.2g}x |")


if __name__ == "__main__":
    main()
