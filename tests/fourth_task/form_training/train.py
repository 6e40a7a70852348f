"""Trains the classifier and publishes it as a bundle."""

from functools import partial
from pathlib import Path

import torch
from form.task import Form, read  # type: ignore[import-not-found]
from torch import Tensor
from torch.nn import functional

from service.registry.bundle import Limits
from training.config import run_folder
from training.data import corpora
from training.export.publish import Draft, publish
from training.export.weights import round_to_half
from training.nn.batches import BatchLoss, pad
from training.nn.fit import fit, prepare
from training.nn.summary import count_parameters

from .config import Config
from .evaluate import score
from .graph import check_parity, write_graph
from .network import Network


def train(config: Config) -> Path:
    """Gives the folder of the published bundle."""
    options = corpora.file_options(config.files, config.fit.seed)
    data = corpora.load(corpora.read_labelled, **options)
    labels = sorted({example.label for example in data.train})
    device = prepare(config.fit)
    network = Network(config.network, len(labels)).to(device)
    folder = run_folder(config.files, config, data.corpora)

    def batch(examples: list[corpora.Labelled]) -> tuple[Tensor, Tensor, int]:
        ids, sizes = pad([read(example.text) for example in examples])
        gold = torch.tensor([labels.index(example.label) for example in examples])
        return network(ids, sizes), gold, int(sizes.sum())

    def batch_loss(indices: list[int]) -> BatchLoss:
        logits, gold, tokens = batch([data.train[index] for index in indices])
        return BatchLoss(functional.cross_entropy(logits, gold), len(indices), tokens)

    def validate() -> float:
        with torch.no_grad():
            logits, gold, _ = batch(data.dev)
        return float((logits.argmax(1) == gold).double().mean())

    history = fit(
        network,
        lengths=[len(read(example.text)) for example in data.train],
        loss=batch_loss,
        validate=validate,
        options=config.fit,
        folder=folder,
    )
    round_to_half(network)
    draft = Draft(
        task="form",
        languages=config.languages,
        labels=labels,
        limits=Limits(max_tokens=config.network.max_tokens),
        options={},
        config=config,
        corpora=data.corpora,
        history=history,
        parameters=count_parameters(network),
        device=str(device),
    )
    return publish(
        draft,
        folder,
        write=partial(write_graph, network),
        check=partial(check_parity, network),
        load=Form,
        score=lambda task: {name: score(task, examples) for name, examples in data.tests.items()},
    )
