"""Trains a classifier of sentiment and publishes it as a bundle."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from service.registry.bundle import Limits
from service.tasks.sentiment.task import Sentiment
from training.config import run_folder
from training.data import corpora
from training.data.corpora import Labelled
from training.data.vocabulary import build_word_tokenizer, load_or_build_tokenizer
from training.evaluation import behaviour
from training.evaluation.calibration import GradedPredictions
from training.evaluation.scores import Scores
from training.export.publish import Draft, publish
from training.export.weights import round_to_half
from training.nn.batches import BatchLoss, bucketed, pad
from training.nn.checkpoint import History
from training.nn.distributed import from_first
from training.nn.fit import fit, prepare
from training.nn.layers import FORBIDDEN
from training.nn.summary import count_parameters, print_summary
from training.pretraining.warm_start import Pretrained, read_pretrained, warm_start
from training.tasks.sentiment import scores
from training.tasks.sentiment.calibration import calibrate_network
from training.tasks.sentiment.config import Config
from training.tasks.sentiment.examples import (
    EncodedText,
    encode,
    labels_by_file,
    labels_in,
    random_stretch,
)
from training.tasks.sentiment.graph import check_parity, write_graph
from training.tasks.sentiment.network import Network


@dataclass(frozen=True)
class Data:
    splits: corpora.Data[Labelled]
    labels: list[str]


@dataclass(frozen=True)
class Examples:
    train: list[EncodedText]
    dev: list[EncodedText]


def train(config: Config) -> Path:
    """Gives the folder of the published bundle."""
    data = load_data(config)
    device = prepare(config.fit)
    folder = run_folder(config.files, config, data.splits.corpora)
    pretrained = read_pretrained(config.network.vectors, config.network.embedding)
    tokenizer = build_tokenizer(config, data, pretrained, folder)
    network = build_network(config, data, tokenizer, pretrained).to(device)
    print_summary(network, len(data.splits.train), data.splits.left_out)
    examples = encode_data(data, tokenizer)
    history = fit_network(network, config, examples, folder)
    finish_network(network, config, examples)
    draft = Draft(
        task="sentiment",
        languages=config.languages,
        labels=data.labels,
        limits=Limits(max_tokens=config.network.max_tokens),
        options={},
        config=config,
        corpora=data.splits.corpora,
        history=history,
        parameters=count_parameters(network),
        device=str(device),
    )
    return publish_bundle(draft, folder, network, tokenizer, data, config.behaviour)


def load_data(config: Config) -> Data:
    """Raises TrainingError for files that cannot be used."""
    files = corpora.file_options(config.files, config.fit.seed)
    splits = corpora.load(corpora.read_labelled, **files)
    return Data(splits=splits, labels=labels_in(splits))


def build_tokenizer(
    config: Config, data: Data, pretrained: Pretrained | None, folder: Path
) -> Tokenizer:
    def build() -> Tokenizer:
        return build_word_tokenizer(
            (example.text for example in data.splits.train),
            pretrained.words if pretrained else [],
            at_least=config.network.at_least,
            at_most=config.network.vocabulary,
            web=True,
        )

    return from_first(lambda: load_or_build_tokenizer(folder / "tokenizer.json", build))


def encode_data(data: Data, tokenizer: Tokenizer) -> Examples:
    splits, labels = data.splits, data.labels
    return Examples(
        train=encode(splits.train, splits.origins, tokenizer, labels),
        dev=encode(splits.dev, splits.dev_origins, tokenizer, labels),
    )


def build_network(
    config: Config, data: Data, tokenizer: Tokenizer, pretrained: Pretrained | None
) -> Network:
    """With the weights to start from."""
    network = Network(config.network, tokenizer.get_vocab_size(), len(data.labels))
    warm_start(network, tokenizer, pretrained)
    return network


def fit_network(network: Network, config: Config, examples: Examples, folder: Path) -> History:
    stretch, labels = config.network.stretch, network.output.out_features
    device = network.output.weight.device
    labels_of_file = labels_by_file(examples.train, labels).to(device)

    def batch_loss(indices: list[int]) -> BatchLoss:
        texts = [examples.train[index] for index in indices]
        ids, sizes = pad([random_stretch(text.ids, stretch) for text in texts])
        gold = torch.tensor([text.label for text in texts], device=device)
        logits = network(ids.to(device), sizes.to(device)).float()
        logits = logits.masked_fill(~labels_of_file[[text.file for text in texts]], FORBIDDEN)
        return BatchLoss(functional.cross_entropy(logits, gold), len(texts), int(sizes.sum()))

    def validate() -> float:
        return mean_recall(examples.dev, predict_dev(network, config, examples.dev))

    return fit(
        network,
        lengths=[min(len(text.ids), stretch) for text in examples.train],
        loss=batch_loss,
        validate=validate,
        options=config.fit,
        folder=folder,
    )


def predict_dev(network: Network, config: Config, texts: Sequence[EncodedText]) -> Tensor:
    """Logits of the first window of each text, with the labels that its file lacks ruled out."""
    longest, labels = config.network.max_tokens, network.output.out_features
    device = network.output.weight.device
    logits = torch.empty(len(texts), labels)
    sizes = [min(len(text.ids), longest) for text in texts]
    for indices in bucketed(sizes, tokens=8192, seed=0, epoch=0):
        ids, lengths = pad([texts[index].ids[:longest] for index in indices])
        with torch.no_grad():
            logits[indices] = network(ids.to(device), lengths.to(device)).float().cpu()
    labels_of_file = labels_by_file(texts, labels)
    return logits.masked_fill(~labels_of_file[[text.file for text in texts]], FORBIDDEN)


def mean_recall(texts: Sequence[EncodedText], logits: Tensor) -> float:
    """Macro-averaged recall, as a mean over the files of dev."""
    found = logits.argmax(1)
    recalls = []
    for file in range(1 + max(text.file for text in texts)):
        rows = [row for row, text in enumerate(texts) if text.file == file]
        gold = np.array([texts[row].label for row in rows])
        recalls.append(scores.macro_recall(gold, found[rows].numpy()))
    return float(np.mean(recalls))


def finish_network(network: Network, config: Config, examples: Examples) -> None:
    """Rounds the weights as a graph holds them, and calibrates."""
    round_to_half(network.cpu())
    logits = predict_dev(network, config, examples.dev)
    calibrate_network(network, logits, examples.dev, config.network.max_tokens)


def publish_bundle(
    draft: Draft,
    folder: Path,
    network: Network,
    tokenizer: Tokenizer,
    data: Data,
    behaviour_sets: Path | None,
) -> Path:
    tests = data.splits.tests

    @cache  # IMDB takes minutes
    def predict_labels(task: Sentiment, name: str) -> tuple[list[str], scores.Predicted]:
        return scores.predict_labels(task, tests[name])

    def score(task: Sentiment) -> Scores:
        results = {name: scores.score_predictions(*predict_labels(task, name)) for name in tests}
        sets = behaviour.score_sets(task, behaviour_sets) if behaviour_sets else {}
        return results | sets

    def graded_predictions(task: Sentiment) -> dict[str, GradedPredictions]:
        return {name: scores.graded_predictions(*predict_labels(task, name)) for name in tests}

    return publish(
        draft,
        folder,
        write=partial(write_graph, network, tokenizer),
        check=partial(check_parity, network),
        load=Sentiment,
        score=score,
        confusion=lambda task: scores.confusion(task, next(iter(tests.values()))),
        predictions=graded_predictions,
    )
