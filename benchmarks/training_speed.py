"""How fast a translator trains on this CPU: our step beside one that is written plainly with PyTorch's own parts.

The same network, loss and batches for both: 8M parameters, cross-entropy with label smoothing over a whole
vocabulary, clipping and AdamW.
"""

import argparse
import random
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.nn.batches import mask, pad
from training.nn.gru import GRU
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
        with torch.autocast("cpu", torch.bfloat16):
            return network.loss(*one, SMOOTHING)

    return loss


def speed(make: Callable[[Network], Callable[[Batch], Tensor]], tokens: int, rounds: int) -> float:
    """Target tokens a second over `rounds` steps of every length, after one of each to warm up."""
    torch.manual_seed(1)
    network = Network(NETWORK, NETWORK.vocabulary).train()
    loss = make(network)
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    batches = [batch(length, tokens) for length in LENGTHS]

    def step(one: Batch) -> int:
        value = loss(one)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(value)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        return int((one[3] - 1).sum())

    for one in batches:
        step(one)
    began = time.perf_counter()
    done = sum(step(one) for _ in range(rounds) for one in batches)
    return done / (time.perf_counter() - began)


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Prints and gives the speeds in target tokens a second."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training_speed", description=__doc__
    )
    parser.add_argument("--tokens", type=int, default=4096, help="padded target tokens in a step")
    parser.add_argument("--rounds", type=int, default=2, help="steps of each length")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    options = parser.parse_args(argv)
    if options.threads:
        torch.set_num_threads(options.threads)
    speeds = {make.__name__: speed(make, options.tokens, options.rounds) for make in (plain, ours)}
    print(f"| step | target tokens a second, {torch.get_num_threads()} threads | |\n|---|---|---|")
    for name, value in speeds.items():
        print(f"| {name} | {value:,.0f} | {value / speeds['plain']:.1f}x |")
    return speeds


if __name__ == "__main__":
    main()
