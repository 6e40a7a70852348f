"""Trains a classifier: recurrent layers over word vectors, then pooling over time.

The pooled text is the mean, the maximum and the last state of the top layer side by side (as in Howard and
Ruder 2018), and the mean of what a table says of each pair of neighbouring words (as in fastText). A file teaches
only between the labels that it has: reviews, which are never neutral, say nothing of what neutral is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from scipy.optimize import minimize
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from service.bundle import Limits
from service.session import Session
from service.tasks.sentiment import Sentiment
from training.config import Files, Fit, Options, Precision, run_folder
from training.data import corpora
from training.data.vocabulary import build_word_tokenizer, load_or_build_tokenizer
from training.errors import TrainingError
from training.evaluation import behaviour
from training.export.onnx_graph import Graph
from training.export.parity import check_graph, random_word_batch, single_row
from training.export.publish import Draft, publish
from training.export.weights import round_to_half
from training.nn.batches import bucketed, mask, pad
from training.nn.fit import fit, prepare
from training.nn.layers import FORBIDDEN, RecurrentStack, VariationalDropout
from training.nn.summary import count_parameters, print_summary
from training.nn.words import WordNetworkOptions, drop_words
from training.pretraining.warm_start import read_pretrained, warm_start
from training.tasks.sentiment import scores

LABELS = ["negative", "neutral", "positive"]
LONG = 1000
"""Words from which on a longer text makes no surer."""
HASH = 1_000_003
"""Spreads pairs of words over the table; a prime."""


class Architecture(WordNetworkOptions):
    hidden: int = Field(default=128, ge=1)
    """Units of a direction of a layer."""
    vocabulary: int = Field(default=30_000, ge=1)
    """Most words known: those of the training files, then the most frequent of the vectors."""
    at_least: int = Field(default=3, ge=1)
    """Times that a word without a vector must occur in the training files."""
    pairs: int = Field(default=0, ge=0)
    """Rows of the table that pairs of neighbouring words share by hash; 0: pairs are not looked up."""
    pair_features: int = Field(default=8, ge=1)
    """Dimensions of a pair of words."""
    max_tokens: int = Field(default=256, ge=1)
    """Longest window in words; a longer text is cut into several."""
    stretch: int = Field(default=128, ge=1)
    """Most words of a text that a training step reads, from a random place in it."""


class Config(Options):
    files: Files = Files(out=Path("models/sentiment"))
    network: Architecture = Architecture()
    fit: Fit = Fit(batch_tokens=1024)
    precision: Precision = "float32"
    """Precision of the recurrent layers in the bundle; int8, for the cell lstm, is faster and smaller."""
    behaviour: Path | None = None
    """Folder of the small sets of `training behaviour`, which the bundle is then scored on too."""
    notes: str = ""
    """What the bundle's card says of strengths and weaknesses, in Markdown."""


class Network(nn.Module):
    """Shapes: words [batch, time] int64, lengths [batch], logits [batch, labels]."""

    def __init__(self, options: Architecture, vocabulary: int, labels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, options.embedding)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.stack = RecurrentStack(
            options.embedding,
            options.hidden,
            cell=options.cell,
            layers=options.layers,
            bidirectional=options.bidirectional,
            merge=options.merge,
            dropout=options.dropout,
        )
        features = 2 * self.stack.outputs + self.stack.last_outputs
        self.pairs: nn.Embedding | None = None
        if options.pairs:
            self.pairs = nn.Embedding(options.pairs, options.pair_features, padding_idx=0)
            nn.init.normal_(self.pairs.weight[1:], std=0.1)
            features += options.pair_features
        self.output = nn.Linear(features, labels)
        self.variational_dropout = VariationalDropout(options.dropout / 2)
        self.dropout = nn.Dropout(options.dropout)
        self.word_dropout = options.word_dropout
        self.temperature: Tensor
        self.growth: Tensor
        self.prior: Tensor
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("growth", torch.zeros(()))
        self.register_buffer("prior", torch.zeros(labels))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        ids = drop_words(ids, self.word_dropout) if self.training else ids
        outputs, last = self.stack(self.variational_dropout(self.embedding(ids)), lengths)
        real = mask(lengths, ids.shape[1])[..., None]
        mean = outputs.sum(1) / lengths[:, None]
        highest = outputs.masked_fill(~real, FORBIDDEN).amax(1)
        pooled = [mean, highest, last]
        if self.pairs:
            found = self.pairs(pairs_of(ids, self.pairs.num_embeddings))
            pooled.append(found.sum(1) / lengths[:, None])
        logits: Tensor = self.output(self.dropout(torch.cat(pooled, -1)))
        surer = lengths.clamp(max=LONG)[:, None] ** self.growth
        return logits * surer / self.temperature + self.prior


def pairs_of(ids: Tensor, rows: int) -> Tensor:
    """The row of each word and the next one (of the last word and padding) in a table of `rows`; 0 is padding's.

    >>> pairs_of(torch.tensor([[5, 7]]), 1000).tolist()
    [[22, 21]]
    """
    following = functional.pad(ids[:, 1:], (0, 1))
    return (ids * HASH + following) % rows


def train(config: Config) -> Path:
    """Reads, builds, fits, exports and scores; gives the folder of the published bundle."""
    options = config.network
    data = corpora.load(
        corpora.read_labelled, **corpora.file_options(config.files, config.fit.seed)
    )
    labels = labels_of(data)

    device = prepare(config.fit)
    folder = run_folder(config.files, config, data.corpora)
    vectors = read_pretrained(options.vectors, options.embedding)
    tokenizer = load_or_build_tokenizer(
        folder / "tokenizer.json",
        lambda: build_word_tokenizer(
            (example.text for example in data.train),
            vectors.words if vectors else [],
            at_least=options.at_least,
            at_most=options.vocabulary,
            web=True,
        ),
    )
    network = Network(options, tokenizer.get_vocab_size(), len(labels)).to(device)
    warm_start(network, tokenizer, vectors)
    print_summary(network, len(data.train), data.left_out)
    train = encoded(data.train, data.origins, tokenizer, labels)
    dev = encoded(data.dev, data.dev_origins, tokenizer, labels)
    lengths = [min(len(text.ids), options.stretch) for text in train]
    own = labels_by_file(train, len(labels)).to(device)
    dev_own = labels_by_file(dev, len(labels))

    def batch_loss(indices: list[int]) -> tuple[Tensor, int]:
        texts = [train[index] for index in indices]
        ids, sizes = pad([stretch_of(text.ids, options.stretch) for text in texts])
        gold = torch.tensor([text.label for text in texts], device=device)
        logits = network(ids.to(device), sizes.to(device)).float()
        logits = logits.masked_fill(~own[[text.file for text in texts]], FORBIDDEN)
        return functional.cross_entropy(logits, gold), int(sizes.sum())

    def dev_logits() -> Tensor:
        """Of the first window of each text, the labels that its file lacks ruled out."""
        logits = torch.empty(len(dev), len(labels))
        sizes = [min(len(text.ids), options.max_tokens) for text in dev]
        for indices in bucketed(sizes, tokens=8192, seed=0, epoch=0):
            ids, lengths = pad([dev[index].ids[: options.max_tokens] for index in indices])
            with torch.no_grad():
                logits[indices] = network(ids.to(device), lengths.to(device)).float().cpu()
        return logits.masked_fill(~dev_own[[text.file for text in dev]], FORBIDDEN)

    def validate() -> float:
        """Macro-averaged recall, as a mean over the files of dev."""
        found = dev_logits().argmax(1)
        recalls = []
        for file in range(len(dev_own)):
            rows = [row for row, text in enumerate(dev) if text.file == file]
            gold = np.array([dev[row].label for row in rows])
            recalls.append(scores.macro_recall(gold, found[rows].numpy()))
        return float(np.mean(recalls))

    history = fit(
        network,
        lengths=lengths,
        loss=batch_loss,
        validate=validate,
        options=config.fit,
        folder=folder,
    )
    round_to_half(network.cpu())
    trained_on, device = device, torch.device("cpu")
    calibrate(network, dev_logits(), dev, options.max_tokens)
    draft = Draft(
        task="sentiment",
        languages=[options.language],
        labels=labels,
        limits=Limits(max_tokens=options.max_tokens),
        options={},
        config=config,
        corpora=data.corpora,
        history=history,
        parameters=count_parameters(network),
        device=str(trained_on),
    )

    @cache  # IMDB takes minutes
    def answers(task: Sentiment, name: str) -> tuple[list[str], scores.Predicted]:
        return scores.predict_labels(task, data.tests[name])

    return publish(
        draft,
        folder,
        write=partial(write_graph, network, tokenizer),
        check=partial(check_parity, network),
        load=Sentiment,
        score=lambda task: (
            {name: scores.score_predictions(*answers(task, name)) for name in data.tests}
            | (behaviour.score_sets(task, config.behaviour) if config.behaviour else {})
        ),
        confusion=lambda task: scores.confusion(task, next(iter(data.tests.values()))),
        predictions=lambda task: {
            name: scores.graded_predictions(*answers(task, name)) for name in data.tests
        },
    )


def labels_of(data: corpora.Data[corpora.Labelled]) -> list[str]:
    """The labels of the training files, in their usual order.

    Raises TrainingError if there is only one, or if dev or a test has one that training lacks.
    """
    known = {example.label for example in data.train}
    if len(known) < 2:
        raise TrainingError(
            f"the training files have only the label {known.pop()!r}; two are needed"
        )
    for name, examples in {"dev": data.dev, **data.tests}.items():
        if unseen := {example.label for example in examples} - known:
            raise TrainingError(
                f"{name} has labels that the training files lack: {', '.join(sorted(unseen))}; "
                "rename or drop them with --labels"
            )
    return sorted(known, key=lambda label: (LABELS.index(label) if label in LABELS else 9, label))


@dataclass(frozen=True, slots=True)
class Text:
    """An example as the network reads it."""

    ids: list[int]
    label: int
    file: int
    """Which of its split's files it comes from."""


def encoded(
    examples: Sequence[corpora.Labelled],
    files: Sequence[int],
    tokenizer: Tokenizer,
    labels: list[str],
) -> list[Text]:
    """The examples, without those that have no word."""
    encodings = tokenizer.encode_batch([example.text for example in examples])
    return [
        Text(encoding.ids, labels.index(example.label), file)
        for encoding, example, file in zip(encodings, examples, files, strict=True)
        if encoding.ids
    ]


def labels_by_file(texts: Sequence[Text], labels: int) -> Tensor:
    """Which labels occur in each file, or all of them for a file of only one: [files, labels] bool."""
    known = torch.zeros(1 + max(text.file for text in texts), labels, dtype=torch.bool)
    known[[text.file for text in texts], [text.label for text in texts]] = True
    known[known.sum(1) == 1] = True
    return known


def stretch_of(ids: list[int], longest: int) -> list[int]:
    """`longest` ids from a random place, the first and the last ones as often as those between."""
    spare = len(ids) - longest
    if spare <= 0:
        return ids
    place = int(torch.rand(()) * (spare + longest)) - longest // 2
    start = min(max(place, 0), spare)
    return ids[start : start + longest]


def calibrate(network: Network, logits: Tensor, texts: Sequence[Text], longest: int) -> None:
    """Sets what turns the network's logits into probabilities to where dev is likeliest: a temperature, how
    much surer more words make, and a prior of each label.

    Every file of dev counts alike, and in a file every label: how often a corpus happens to praise or to
    blame says nothing of the texts to come. `longest`: words of a text that were read.
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


def write_graph(network: Network, tokenizer: Tokenizer, folder: Path, precision: Precision) -> None:
    """`model.onnx` and `tokenizer.json` into `folder`."""
    tokenizer.save(str(folder / "tokenizer.json"))
    graph = Graph(precision)
    ids = graph.input("words", "int64", ["batch", "time"])
    lengths = graph.input("lengths", "int32", ["batch"])
    turned = graph.node("Transpose", ids, perm=[1, 0])
    x = graph.embedding(turned, network.embedding)
    largest = float(network.embedding.weight.detach().abs().max())
    outputs, last = graph.recurrent(x, lengths, network.stack, largest)
    size = graph.node("Gather", graph.node("Shape", turned), graph.constant(0))
    steps = graph.node("Range", graph.constant(0), size, graph.constant(1))
    ends = graph.node("Cast", lengths, to=7)
    column = graph.node("Unsqueeze", steps, graph.constant([1]))
    real = graph.node("Unsqueeze", graph.node("Less", column, ends), graph.constant([2]))
    count = graph.node("Unsqueeze", graph.node("Cast", lengths, to=1), graph.constant([1]))
    total = graph.node("ReduceSum", outputs, graph.constant([0]), keepdims=0)
    masked = graph.node("Where", real, outputs, graph.constant(FORBIDDEN, "float32"))
    highest = graph.node("ReduceMax", masked, graph.constant([0]), keepdims=0)
    pooled = [graph.node("Div", total, count), highest, last]
    if network.pairs:
        following = graph.node("Pad", turned, graph.constant([-1, 0, 1, 0]))
        spread = graph.node("Add", graph.node("Mul", turned, graph.constant(HASH)), following)
        rows = graph.node("Mod", spread, graph.constant(network.pairs.num_embeddings))
        found = graph.embedding(rows, network.pairs)
        total = graph.node("ReduceSum", found, graph.constant([0]), keepdims=0)
        pooled.append(graph.node("Div", total, count))
    joined = graph.node("Concat", *pooled, axis=-1)
    # looked up, since a power of many numbers is rounded otherwise than that of one
    surer = torch.arange(LONG + 1)[:, None] ** network.growth / network.temperature
    place = graph.node("Min", lengths, graph.constant(LONG, "int32"))
    scale = graph.node("Gather", graph.constant(surer.numpy(), "float32"), place)
    logits = graph.node("Mul", graph.linear(joined, network.output), scale)
    logits = graph.node("Add", logits, graph.constant(network.prior.numpy(), "float32"))
    graph.output(logits, "logits", "float", ["batch", network.output.out_features])
    graph.save(folder / "model.onnx")


def check_parity(network: Network, folder: Path, precision: Precision) -> dict[str, float]:
    """Compares the graph with PyTorch on ragged random batches, and each text alone and among others."""
    session = Session(folder / "model.onnx")
    worst = 0.0
    for seed in range(8):
        feeds = random_word_batch(network.embedding.num_embeddings, seed)
        with torch.no_grad():
            logits = network(
                torch.from_numpy(feeds["words"]), torch.from_numpy(feeds["lengths"]).long()
            )
        difference = check_graph(
            session,
            feeds,
            {"logits": logits.numpy()},
            partial(single_row, feeds),
            len(feeds["lengths"]),
            precision,
        )
        worst = max(worst, difference)
    return {"model.onnx": worst}
