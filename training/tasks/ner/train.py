"""Trains a tagger and publishes it as a bundle."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from tokenizers import Tokenizer

from service.registry.bundle import Limits
from service.tasks.ner.reading import Reader
from service.tasks.ner.task import Ner
from training.config import run_folder
from training.data import corpora, guidelines
from training.data.corpora import Tagged
from training.data.vocabulary import build_word_tokenizer, load_or_build_tokenizer
from training.errors import TrainingError
from training.evaluation.calibration import GradedPredictions
from training.evaluation.scores import Scores
from training.export.publish import Draft, publish
from training.export.weights import round_to_eight_bits, round_to_half
from training.nn.batches import BatchLoss, bucketed, pad
from training.nn.checkpoint import History
from training.nn.distributed import from_first
from training.nn.fit import fit, prepare
from training.nn.summary import count_parameters, print_summary
from training.nn.words import drop_words
from training.pretraining.warm_start import Pretrained, read_pretrained, warm_start
from training.tasks.ner import scores
from training.tasks.ner.calibration import Batch, calibrate_network, crf_decoder
from training.tasks.ner.config import Architecture, Config
from training.tasks.ner.examples import (
    Example,
    alphabet_of,
    encode,
    join_neighbours,
    recase,
    tags_in,
)
from training.tasks.ner.graph import check_parity, write_graph
from training.tasks.ner.network import Network
from training.tasks.ner.warm_start import Published, read_published


@dataclass(frozen=True)
class Data:
    splits: corpora.Data[Tagged]
    """After the rules of the guidelines."""
    written_tests: dict[str, list[Tagged]]
    """As the corpora have them."""
    tags: list[str]


@dataclass(frozen=True)
class Examples:
    train: list[Example]
    dev: list[Example]


def train(config: Config) -> Path:
    """Gives the folder of the published bundle."""
    data = load_data(config)
    start = read_start(config)
    device = prepare(config.fit)
    used = [*data.splits.corpora, *(start.corpora if start else [])]
    folder = run_folder(config.files, config, used)
    vectors = config.network.vectors
    pretrained = start.pretrained if start else read_pretrained(vectors, config.network.embedding)
    tokenizer = build_tokenizer(config, data, pretrained, folder)
    alphabet = build_alphabet(data, pretrained)
    reader = Reader(tokenizer, alphabet, config.network.word_characters)
    examples = encode_data(config, data, reader)
    network = build_network(config, data, examples, tokenizer, alphabet, pretrained)
    if start:
        start.copy_tags(network, data.tags)
    network = network.to(device)
    print_summary(network, len(data.splits.train), data.splits.left_out)
    history = fit_network(network, config, data, examples, reader, folder)
    log_odds = finish_network(network, config, data, examples, reader)
    draft = Draft(
        task="ner",
        languages=config.languages,
        labels=sorted({tag[2:] for tag in data.tags if tag != "O"}),
        limits=Limits(max_tokens=config.network.max_tokens),
        options={
            "tags": data.tags,
            "alphabet": alphabet,
            "word_characters": config.network.word_characters,
            "log_odds": log_odds,
        },
        config=config,
        corpora=used,
        history=history,
        parameters=count_parameters(network),
        device=str(device),
    )
    return publish_bundle(draft, folder, network, tokenizer, data)


def read_start(config: Config) -> Published | None:
    """Raises TrainingError for a bundle that cannot be used, and beside vectors."""
    if config.start is None:
        return None
    if config.network.vectors:
        raise TrainingError("--start and --vectors: give one of them")
    return read_published(config.start, config.network)


def load_data(config: Config) -> Data:
    """Raises TrainingError for files that cannot be used."""
    files = corpora.file_options(config.files, config.fit.seed)
    read = partial(guidelines.read, annotated=config.annotated)
    written = corpora.load(partial(read, guidelines={}), **files)
    splits = corpora.load(partial(read, guidelines=config.guidelines), **files)
    return Data(splits=splits, written_tests=written.tests, tags=tags_in(splits))


def build_tokenizer(
    config: Config, data: Data, pretrained: Pretrained | None, folder: Path
) -> Tokenizer:
    def build() -> Tokenizer:
        return build_word_tokenizer(
            (example.text for example in data.splits.train),
            pretrained.words if pretrained else [],
            at_least=config.network.at_least,
            at_most=config.network.vocabulary,
        )

    return from_first(lambda: load_or_build_tokenizer(folder / "tokenizer.json", build))


def build_alphabet(data: Data, pretrained: Pretrained | None) -> str:
    """That of the language model to start from, if it has one; else that of the training texts."""
    if pretrained and pretrained.alphabet:
        return pretrained.alphabet
    return alphabet_of(data.splits.train)


def encode_data(config: Config, data: Data, reader: Reader) -> Examples:
    share, longest = config.network.joined, config.network.max_tokens
    sentences = data.splits.train
    texts = [*sentences, *join_neighbours(sentences, share, config.fit.seed)]
    return Examples(
        train=encode(texts, reader, data.tags, longest),
        dev=encode(data.splits.dev, reader, data.tags, longest),
    )


def build_network(
    config: Config,
    data: Data,
    examples: Examples,
    tokenizer: Tokenizer,
    alphabet: str,
    pretrained: Pretrained | None,
) -> Network:
    """With the weights to start from."""
    seen = 1 + max(max(example.features.ids) for example in examples.train)
    size = tokenizer.get_vocab_size()
    network = Network(config.network, size, len(alphabet) + 2, data.tags, seen=seen)
    warm_start(network, tokenizer, pretrained)
    return network


def fit_network(
    network: Network, config: Config, data: Data, examples: Examples, reader: Reader, folder: Path
) -> History:
    def batch_loss(indices: list[int]) -> BatchLoss:
        batch = [examples.train[index] for index in indices]
        emissions, gold, sizes, unknown = predict_batch(network, config.network, reader, batch)
        words = int(sizes.sum())
        loss = network.crf.loss(emissions.float(), gold, sizes, unknown=unknown)
        return BatchLoss(loss, words, words)

    def validate() -> float:
        batches = predict_dev(network, config.network, reader, examples.dev)
        return entity_f1(network, data.tags, batches)

    return fit(
        network,
        lengths=[example.features.length for example in examples.train],
        loss=batch_loss,
        validate=validate,
        options=config.fit,
        folder=folder,
    )


def predict_batch(
    network: Network, options: Architecture, reader: Reader, examples: Sequence[Example]
) -> Batch:
    """In training some words are read as unknown or in another case."""
    ids, sizes = pad([example.features.ids for example in examples])
    gold, _ = pad([example.tags for example in examples])
    unknown = torch.tensor([example.unknown for example in examples])
    written = [example.features.words for example in examples]
    if network.training:
        chances = torch.rand(len(examples)) / max(options.other_case, 1e-9)
        written = [recase(*pair) for pair in zip(written, chances.tolist(), strict=True)]
        ids = torch.where(gold > 0, drop_words(ids, options.name_dropout), ids)
    places: dict[str, int] = {}
    where, _ = pad([[places.setdefault(word, len(places)) for word in row] for row in written])
    characters = torch.from_numpy(reader.letters(list(places)))
    device = network.embedding.weight.device
    emissions = network(*(part.to(device) for part in (ids, characters, where, sizes)))
    return Batch(emissions, gold.to(device), sizes.to(device), unknown.to(device))


def predict_dev(
    network: Network, options: Architecture, reader: Reader, examples: Sequence[Example]
) -> list[Batch]:
    lengths = [example.features.length for example in examples]
    order = bucketed(lengths, tokens=8192, seed=0, epoch=0)
    with torch.no_grad():
        return [
            predict_batch(network, options, reader, [examples[index] for index in indices])
            for indices in order
        ]


def entity_f1(network: Network, tags: list[str], batches: Sequence[Batch]) -> float:
    """On the words of the texts, which may be parts of the corpus's tokens; labels that are not annotated in a
    text do not count."""
    decoder = crf_decoder(network.crf, tags)
    found, gold = [], []
    for emissions, gold_tags, sizes, unknown in batches:
        paths = decoder.viterbi(emissions.double().cpu().numpy(), sizes.cpu().numpy())
        found += [
            ["O" if other[tag] else tags[tag] for tag in path]
            for path, other in zip(paths, unknown.tolist(), strict=True)
        ]
        gold += [
            [tags[tag] for tag in row[:size]]
            for row, size in zip(gold_tags.tolist(), sizes.tolist(), strict=True)
        ]
    return scores.entity_f1(gold, found)


def finish_network(
    network: Network, config: Config, data: Data, examples: Examples, reader: Reader
) -> dict[str, float]:
    """Rounds the weights as a graph holds them and calibrates; gives the offsets of the log-odds by label."""
    network.merge_change()
    round_to_half(network.cpu())
    round_to_eight_bits(network.embedding)
    batches = predict_dev(network, config.network, reader, examples.dev)
    return calibrate_network(network, data.tags, batches)


def publish_bundle(
    draft: Draft, folder: Path, network: Network, tokenizer: Tokenizer, data: Data
) -> Path:
    tests = data.splits.tests

    def score(task: Ner) -> Scores:
        sets = scores.test_sets(task, data.written_tests, tests)
        return {name: scores.score(task, sentences) for name, sentences in sets.items()}

    def graded_predictions(task: Ner) -> dict[str, GradedPredictions]:
        return {
            name: scores.graded_predictions(task, sentences) for name, sentences in tests.items()
        }

    return publish(
        draft,
        folder,
        write=partial(write_graph, network, tokenizer),
        check=partial(check_parity, network),
        load=Ner,
        score=score,
        confusion=lambda task: scores.confusion(task, next(iter(tests.values()))),
        predictions=graded_predictions,
    )
