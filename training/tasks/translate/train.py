"""Trains a translator and publishes it as a bundle."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from service.bundle import Limits
from service.tasks.translate import (
    BOS,
    EOS,
    PAD,
    Translate,
)
from training.config import Fit, run_folder
from training.data import corpora
from training.data.augmentation import augment
from training.data.tokenization import subword_tokenizer
from training.data.vocabulary import load_or_build_tokenizer
from training.evaluation import behaviour
from training.export.publish import Draft, publish
from training.export.weights import round_to_half
from training.nn.batches import bucketed, pad
from training.nn.fit import History, fit, prepare
from training.nn.summary import count_parameters, print_summary
from training.tasks.translate import scores, search, warm_start
from training.tasks.translate.config import BUNDLE_OPTIONS, Config
from training.tasks.translate.graph import check_parity, write_graphs
from training.tasks.translate.network import Network
from training.tasks.translate.weights import read_weights

Ids = NDArray[np.int32]

PART = 10_000
"""Pairs that are encoded at a time: an encoding takes many times the memory of its ids."""


def train(config: Config) -> Path:
    """Reads, builds, fits, exports and scores; gives the folder of the published bundle."""
    options = config.network
    data = _loaded(config, config.files.train)
    train, used = data.train, list(data.corpora)
    last: list[corpora.Pair] = []
    if config.finish.finish_train:
        finish = _loaded(config, config.finish.finish_train)
        last = finish.train
        used += [corpus for corpus in finish.corpora if corpus.split == "train"]

    published = warm_start.open_bundle(config.start, options) if config.start else None
    if published:
        used += [
            corpus for corpus in published.manifest.training.corpora if corpus.split == "train"
        ]

    device = prepare(config.fit)
    folder = run_folder(config.files, config, used)
    tokenizer = load_or_build_tokenizer(
        folder / "tokenizer.json",
        lambda: (
            Tokenizer.from_file(str(published.file("tokenizer.json")))
            if published
            else subword_tokenizer(
                (side for pair in train for side in (pair.text, pair.other)),
                size=options.vocabulary,
            )
        ),
    )
    tokenizer.encode_special_tokens = True  # a text that says "</s>" does not end there
    network = Network(options, tokenizer.get_vocab_size())
    if published:
        network.load_state_dict(read_weights(published.path))
    network.to(device)
    print_summary(network, len(train), data.left_out)
    dev_ids = encoded(data.dev, tokenizer, options.max_tokens)

    def batch_loss(pairs: Sequence[tuple[Ids, Ids]], smoothing: float) -> tuple[Tensor, int]:
        source, source_lengths = pad([source for source, _ in pairs], value=PAD)
        target, target_lengths = pad([target for _, target in pairs], value=PAD)
        loss = network.loss(
            source.to(device),
            source_lengths.to(device),
            target.to(device),
            target_lengths.to(device),
            smoothing,
        )
        return loss, int(target_lengths.sum()) - len(pairs)

    def validate() -> float:
        """Minus the mean cross-entropy of a dev token."""
        total, count = 0.0, 0
        order = bucketed([len(s) for s, _ in dev_ids], tokens=4096, seed=0, epoch=0)
        for indices in order:
            loss, tokens = batch_loss([dev_ids[index] for index in indices], 0.0)
            total, count = total + loss.item() * tokens, count + tokens
        return -total / count

    def train_on(pairs: Sequence[corpora.Pair], how: Fit, where: Path) -> History:
        ids = encoded(augment(pairs, options.varied, how.seed), tokenizer, options.max_tokens)
        lengths = [max(len(source), len(target)) for source, target in ids]
        return fit(
            network,
            lengths=lengths,
            loss=lambda indices: batch_loss([ids[i] for i in indices], options.label_smoothing),
            validate=validate,
            options=how,
            folder=where,
        )

    history = train_on(train, config.fit, folder)
    if last:
        lower = {"epochs": config.finish.finish_epochs, "learning_rate": config.finish.finish_rate}
        how = config.fit.model_copy(update=lower)
        history = history.then(train_on(last, how, folder / "finish"))
    round_to_half(network.cpu())
    draft = Draft(
        task="translate",
        languages=[options.source, options.target],
        labels=[],
        limits=Limits(max_tokens=options.max_tokens),
        options={"beam": options.beam, "length_penalty": options.length_penalty, **BUNDLE_OPTIONS},
        config=config,
        corpora=used,
        history=history,
        parameters=count_parameters(network),
        device=str(device),
    )
    return publish(
        draft,
        folder,
        write=partial(write_graphs, network, tokenizer),
        check=partial(check_parity, network),
        load=Translate,
        score=lambda task: (
            {name: scores.score(task, pairs) for name, pairs in data.tests.items()}
            | (behaviour.score_sets(task, config.behaviour) if config.behaviour else {})
        ),
        tune=(
            (lambda task: search.tune(task, data.dev, config.length_penalties))
            if config.length_penalties
            else None
        ),
    )


def _loaded(config: Config, train: Sequence[str]) -> corpora.Data[corpora.Pair]:
    """The splits with these training files, sources first."""
    files = corpora.file_options(config.files, config.fit.seed) | {"train": train}
    data = corpora.load(corpora.read_pairs, **files)
    if not config.network.reverse:
        return data
    return replace(
        data,
        train=[pair.swapped() for pair in data.train],
        dev=[pair.swapped() for pair in data.dev],
        tests={name: [pair.swapped() for pair in pairs] for name, pairs in data.tests.items()},
    )


def encoded(
    pairs: Sequence[corpora.Pair], tokenizer: Tokenizer, longest: int
) -> list[tuple[Ids, Ids]]:
    """Pairs as ids (source + EOS, BOS + target + EOS); those over the limit are left out."""
    kept = []
    for first in range(0, len(pairs), PART):
        part = pairs[first : first + PART]
        sides = [
            [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]
            for texts in ([pair.text for pair in part], [pair.other for pair in part])
        ]
        kept += [
            (np.array([*source, EOS], np.int32), np.array([BOS, *target, EOS], np.int32))
            for source, target in zip(*sides, strict=True)
            if len(source) < longest and len(target) < longest
        ]
    return kept
