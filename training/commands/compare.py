"""`python -m training compare`: trains the classifier with each of the three recurrent cells on the same data.

Writes `compare.md`, a table, and `compare.png`: loss, score, and how the gradient shrinks on its way back
through time. Publishes no bundle. `compare NAME` draws a picture of the chapter `docs/understand` instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import get_args

import matplotlib
import numpy as np
import torch
import tyro
from numpy.typing import NDArray
from torch.nn import functional
from tqdm import tqdm

from training.config import parse, run_folder
from training.data import corpora
from training.data.vocabulary import build_word_tokenizer
from training.errors import TrainingError
from training.nn.batches import BatchLoss, bucketed, pad
from training.nn.checkpoint import History
from training.nn.fit import fit, prepare
from training.nn.layers import Cell
from training.nn.summary import count_parameters, print_summary
from training.pretraining.warm_start import fill_embedding, read_pretrained
from training.tasks.sentiment.config import Config
from training.tasks.sentiment.examples import EncodedText, encode, labels_in
from training.tasks.sentiment.network import Network
from training.tasks.sentiment.scores import macro_recall

matplotlib.use("Agg")
from matplotlib import pyplot as plt

CELLS: tuple[Cell, ...] = get_args(Cell)
COLOURS = {"rnn": "#999999", "lstm": "#1f5fa8", "gru": "#c2571a"}
FIGURES = ("cells", "gradient", "memory", "layers", "sequences", "attention", "embeddings")
"""Modules of `training/understand`, in the order of the chapter."""
LONG_TEXTS = 64
"""So many of the longest texts of dev show the gradient."""

Encoded = list[EncodedText]


@dataclass(frozen=True)
class Trained:
    cell: Cell
    parameters: int
    history: History
    recalls: dict[str, float]
    """Macro-averaged recall by test set."""
    gradient: NDArray[np.float64]
    """By distance from the end of a text: its norm, as a share of the norm at the end."""

    @property
    def epoch_seconds(self) -> float:
        return self.history.seconds / self.history.points[-1].epoch


def main(argv: Sequence[str]) -> Path:
    """Reads, trains three times, writes; gives the folder. The options are those of `sentiment`."""
    if argv and not argv[0].startswith("-"):
        return draw_figures(argv[0], argv[1:])
    config = parse(
        Config,
        argv,
        "compare",
        "Trains the classifier with each recurrent cell and compares them. --cell is ignored; "
        "--out is the folder for compare.md and compare.png. `compare NAME` draws a picture of "
        f"docs/understand instead: {', '.join(FIGURES)}, or all.",
    )
    if not any(argument.split("=")[0] == "--out" for argument in argv):
        raise TrainingError("--out needs a folder for compare.md and compare.png")
    data = corpora.load(
        corpora.read_labelled, **corpora.file_options(config.files, config.fit.seed)
    )
    trained = [_train(with_cell(config, cell), data) for cell in CELLS]
    folder = config.files.out
    folder.mkdir(parents=True, exist_ok=True)
    draw(folder / "compare.png", trained)
    (folder / "compare.md").write_text("\n".join(report_lines(trained)) + "\n", encoding="utf-8")
    tqdm.write(f"wrote {folder / 'compare.md'} and {folder / 'compare.png'}")
    return folder


def draw_figures(name: str, argv: Sequence[str]) -> Path:
    """One picture of `docs/understand`, or all; gives the folder. Raises TrainingError for an unknown name."""
    if name not in (*FIGURES, "all"):
        raise TrainingError(f"no picture {name!r}; there are {', '.join(FIGURES)}, and all")
    torch.set_num_threads(1)  # sums depend on the number of threads
    for one in FIGURES if name == "all" else (name,):
        module = import_module(f"training.understand.{one}")
        config = tyro.cli(
            module.Config,
            args=list(argv),
            prog=f"python -m training compare {name}",
            description=module.__doc__,
        )
        for path in module.draw(config):
            tqdm.write(f"wrote {path}")
    return Path(config.out)


def with_cell(config: Config, cell: Cell) -> Config:
    return config.model_copy(update={"network": config.network.model_copy(update={"cell": cell})})


def _train(config: Config, data: corpora.Data[corpora.Labelled]) -> Trained:
    """One network of the classifier, trained as `sentiment` does and scored in PyTorch."""
    options = config.network
    labels = labels_in(data)
    device = prepare(config.fit)
    vectors = read_pretrained(options.vectors, options.embedding)
    texts = (example.text for example in data.train)
    tokenizer = build_word_tokenizer(
        texts,
        vectors.words if vectors else [],
        at_least=options.at_least,
        at_most=options.vocabulary,
        web=True,
    )
    network = Network(options, tokenizer.get_vocab_size(), len(labels)).to(device)
    fill_embedding(network.embedding, tokenizer, vectors)
    tqdm.write(f"\n{options.cell}")
    print_summary(network, len(data.train), data.left_out)

    def encoded(examples: list[corpora.Labelled]) -> Encoded:
        texts = encode(examples, [0] * len(examples), tokenizer, labels)
        return [replace(text, ids=text.ids[: options.max_tokens]) for text in texts]

    train, dev = encoded(data.train), encoded(data.dev)
    lengths = [len(text.ids) for text in train]

    def loss(indices: list[int]) -> BatchLoss:
        ids, sizes = pad([train[index].ids for index in indices])
        gold = torch.tensor([train[index].label for index in indices], device=device)
        logits = network(ids.to(device), sizes.to(device))
        mean = functional.cross_entropy(logits.float(), gold)
        return BatchLoss(mean, len(indices), int(sizes.sum()))

    history = fit(
        network,
        lengths=lengths,
        loss=loss,
        validate=lambda: recall(network, dev),
        options=config.fit,
        folder=run_folder(config.files, config, data.corpora),
    )
    network = network.cpu()
    tests = {name: encoded(examples) for name, examples in data.tests.items()}
    return Trained(
        cell=options.cell,
        parameters=count_parameters(network),
        history=history,
        recalls={name: recall(network, examples) for name, examples in tests.items()},
        gradient=gradient_by_distance(network, dev),
    )


def recall(network: Network, examples: Encoded) -> float:
    """Macro-averaged recall."""
    device = next(network.parameters()).device
    order = bucketed([len(text.ids) for text in examples], tokens=8192, seed=0, epoch=0)
    found = np.zeros(len(examples), np.int64)
    for indices in order:
        ids, sizes = pad([examples[index].ids for index in indices])
        with torch.no_grad():
            found[indices] = network(ids.to(device), sizes.to(device)).argmax(1).cpu().numpy()
    return macro_recall(np.array([text.label for text in examples]), found)


def gradient_by_distance(network: Network, examples: Encoded) -> NDArray[np.float64]:
    """Norm of d(loss from the last state)/d(input at t) by the distance of t from the end of the text.

    The loss is that of the forward direction's last state alone: the mean and the maximum over time would
    be short cuts to every step. Each text counts as a share of its norm at the end; shares are averaged
    as logarithms over the longest texts, up to the length that all of these have.
    """
    longest = sorted(examples, key=lambda text: -len(text.ids))[:LONG_TEXTS]
    ids, sizes = pad([text.ids for text in longest])
    gold = torch.tensor([text.label for text in longest])
    inputs = network.embedding(ids).detach().requires_grad_()
    hidden, pooled = network.stack.hidden, 2 * network.stack.outputs
    state = network.stack(inputs, sizes)[1][:, :hidden]
    weight = network.output.weight[:, pooled : pooled + hidden]
    logits = functional.linear(state, weight, network.output.bias)
    loss = functional.cross_entropy(logits, gold, reduction="sum")
    norms = torch.autograd.grad(loss, inputs)[0].double().norm(dim=-1)
    back = sizes[:, None] - 1 - torch.arange(int(sizes.min()))[None]
    by_distance = norms.gather(1, back).clamp_min(1e-30)
    shares: NDArray[np.float64] = (by_distance / by_distance[:, :1]).log().mean(0).exp().numpy()
    return shares


def draw(path: Path, trained: Sequence[Trained]) -> None:
    figure, (losses, recalls, gradients) = plt.subplots(
        1, 3, figsize=(12, 3.6), layout="constrained"
    )
    for one in trained:
        style = {"color": COLOURS[one.cell], "label": one.cell}
        epochs = [point.epoch for point in one.history.points]
        losses.plot(epochs, [point.loss for point in one.history.points], marker=".", **style)
        recalls.plot(epochs, [point.score for point in one.history.points], marker=".", **style)
        gradients.semilogy(one.gradient, **style)
    losses.set(xlabel="epoch", ylabel="training loss")
    recalls.set(xlabel="epoch", ylabel="macro recall on dev")
    gradients.set(xlabel="words before the end", ylabel="gradient, as a share of that at the end")
    for axes in (losses, recalls, gradients):
        axes.grid(alpha=0.25)
    losses.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def report_lines(trained: Sequence[Trained]) -> list[str]:
    """The lines of compare.md."""
    tests = list(trained[0].recalls)
    far = len(trained[0].gradient) - 1
    return [
        "# Three recurrent cells on the same data",
        "",
        f"| cell | {' | '.join(f'macro recall on {name}' for name in tests)} | parameters "
        "| seconds | seconds an epoch |",
        "|---" * (len(tests) + 4) + "|",
        *(
            f"| {one.cell} | {' | '.join(f'{one.recalls[name]:.4f}' for name in tests)} "
            f"| {one.parameters:,} | {one.history.seconds:.1f} | {one.epoch_seconds:.1f} |"
            for one in trained
        ),
        "",
        "![Loss, score and gradient of the three cells](compare.png)",
        "",
        "The picture on the right asks how much a word far from the end still matters to what the network "
        "learns: the norm of the gradient of the loss, taken from the last state alone, with respect to "
        "the input at each step, in the trained networks, averaged over the longest texts of dev. "
        f"{far} words before the end it is, as a share of that at the last word: "
        + ", ".join(f"{one.cell} {one.gradient[far]:.1e}" for one in trained)
        + ".",
        "",
        "A simple RNN sends the gradient back through the same matrix and a tanh at every step, so it shrinks "
        "(or explodes) by about the same factor each time (Bengio et al. 1994). LSTM and GRU can learn gates "
        f"that let it pass. On short texts that often decides little. Here {short_texts(trained)} What they "
        "are for shows where something must be remembered for a hundred steps: `python -m training compare "
        "memory`. The scores may lie closer than the gradients do, because the classifier also pools over "
        "time, which gives every step a short way to the loss.",
    ]


def short_texts(trained: Sequence[Trained]) -> str:
    """How far the simple RNN is from the better of the other two, on each test set."""
    gaps = []
    for name in trained[0].recalls:
        simple, *gated = (one.recalls[name] for one in trained)
        gaps.append(f"{100 * (simple - max(gated)):+.1f} points on {name}")
    return f"the simple RNN is at {', '.join(gaps)} against the better of the two."
