"""What a training says of its network before it starts."""

from torch import nn
from tqdm import tqdm


def count_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def print_summary(network: nn.Module, examples: int, left_out: int) -> None:
    """The size of the network and of its training data, before the first step."""
    tqdm.write(
        f"{count_parameters(network):,} parameters; {examples:,} training examples"
        + (f"; {left_out:,} left out because dev or test holds the same text" if left_out else "")
    )
