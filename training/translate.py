"""Trains a translator: a GRU encoder-decoder with attention over shared subwords (Bahdanau et al. 2015).

The decoder has two layers: the first reads the last token and asks the attention, the second reads the answer
(as in Wu et al. 2016). Attention thus needs no loop of its own: in training all steps of a layer run at once.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from service.bundle import Limits
from service.tasks.translate import (
    ALTERNATIVES_WIDTH,
    BOS,
    EOS,
    PAD,
    Translate,
)
from training import start
from training.config import Files, Fit, Options, Precision, run_folder
from training.data import corpora
from training.data.augmentation import augment
from training.data.tokenization import subword_tokenizer
from training.data.vocabulary import load_or_build_tokenizer
from training.evaluation import behaviour
from training.export.publish import Draft, publish
from training.export.weights import round_to_half
from training.nn.batches import bucketed, mask, pad
from training.nn.cross_entropy import projected_cross_entropy
from training.nn.fit import History, fit, prepare
from training.nn.layers import Attention, RecurrentStack, VariationalDropout
from training.nn.summary import count_parameters, print_summary
from training.tasks.translate import scores, search
from training.translate_graph import check_parity, write_graphs
from training.translate_weights import read_weights

Ids = NDArray[np.int32]

PART = 10_000
"""Pairs that are encoded at a time: an encoding takes many times the memory of its ids."""

REPEATS = 2
"""How often a phrase may stand in a row in a translation whose source repeats nothing more often."""

READING = {
    "repeats": REPEATS,
    "verbatim": True,
    "capitals": True,
    "accents": True,
    "stand_ins": ["Facebook", "Twitter", "Tom", "Paul"],
}
"""Options of every new bundle. stand_ins: read in place of addresses; names that translations keep (LOG.md)."""


class Architecture(Options):
    source: str = "en"
    """Language code to translate from."""
    target: str = "fr"
    """Language code to translate into."""
    reverse: bool = False
    """The files hold the target in the first column and the source in the second."""
    vocabulary: int = Field(default=8000, ge=300)
    """Subwords shared by both languages."""
    max_tokens: int = Field(default=128, ge=8)
    """Longest sentence in subwords; longer ones are cut when serving and left out when training."""
    embedding: int = 256
    """Dimensions of a subword, shared by source, target and output."""
    hidden: int = 256
    """Units of a direction of the encoder."""
    layers: int = 1
    """Layers of the encoder."""
    decoder: int = 384
    """Units of each of the two layers of the decoder."""
    dropout: float = 0.1
    """Share of features that training hides."""
    varied: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of the training pairs that are varied: other names, addresses, emoji, capitals, faults of typing."""
    label_smoothing: float = 0.1
    """Share of probability that training spreads over all subwords."""
    beam: int = Field(default=1, ge=1, le=ALTERNATIVES_WIDTH)
    """Width of the beam search when serving."""
    length_penalty: float = 1.0
    """Exponent of the length by which a hypothesis's log-probability is divided."""


class Finish(Options):
    """A last phase of the training, on what the translator is to be best at."""

    finish_train: tuple[str, ...] = ()
    """Files to train on after the others; none: there is no such phase."""
    finish_epochs: int = Field(default=1, ge=1)
    """Passes over these files."""
    finish_rate: float = 5e-4
    """Highest learning rate of this phase."""


class Config(Options):
    files: Files = Files(out=Path("models/translate-en-fr"))
    network: Architecture = Architecture()
    fit: Fit = Fit()
    finish: Finish = Finish()
    start: Path | None = None
    """A published translator to begin with, as models/translate-en-fr/1; its subwords and sizes are kept."""
    precision: Precision = "float32"
    """Precision of the products in the bundle; int8 is faster and smaller."""
    behaviour: Path | None = None
    """Folder of the small sets of `training behaviour`, which the bundle is then scored on too."""
    length_penalties: tuple[float, ...] = ()
    """Values of length_penalty of which the bundle gets the one with the best BLEU on dev; none: as it stands."""
    notes: str = ""
    """What the bundle's card says of strengths and weaknesses, in Markdown."""


class Network(nn.Module):
    """Shapes: source [batch, S], target [batch, T], memory [batch, S, 2 * hidden]."""

    def __init__(self, options: Architecture, vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, options.embedding)
        nn.init.normal_(self.embedding.weight, std=options.embedding**-0.5)
        self.encoder = RecurrentStack(
            options.embedding,
            options.hidden,
            cell="gru",
            layers=options.layers,
            bidirectional=True,
            merge="concat",
            dropout=options.dropout,
        )
        memory, decoder = self.encoder.outputs, options.decoder
        self.bridge = nn.Linear(self.encoder.last_outputs, 2 * decoder)
        self.first = RecurrentCell(options.embedding, decoder)
        self.attention = Attention(decoder, memory)
        self.second = RecurrentCell(decoder + memory, decoder)
        self.readout = nn.Linear(decoder + memory + options.embedding, options.embedding)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.variational_dropout = VariationalDropout(options.dropout)
        self.dropout = nn.Dropout(options.dropout)
        self.scale = options.embedding**0.5

    def encode(
        self, source: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        """Keys, memory and the first states of the decoder's two layers [batch, decoder]."""
        embedded = self._embedded(source)
        memory, last = self.encoder(embedded, lengths)
        state1, state2 = torch.tanh(self.bridge(last)).chunk(2, dim=-1)
        return self.attention.keys(memory), memory, (state1, state2)

    def decode(
        self,
        target: Tensor,
        states: tuple[Tensor, Tensor],
        keys: Tensor,
        memory: Tensor,
        real: Tensor,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """What each step has read [batch, T, embedding], and the states after the last step."""
        embedded = self._embedded(target)
        first, state1 = self.first(embedded, states[0])
        context = self.attention(first, keys, memory, real)
        second, state2 = self.second(torch.cat([first, context], -1), states[1])
        read = torch.tanh(self.readout(torch.cat([second, context, embedded], -1)))
        return self.dropout(read), (state1, state2)

    def _embedded(self, ids: Tensor) -> Tensor:
        embedded = self.embedding(ids) * self.scale
        if torch.is_autocast_enabled(ids.device.type):  # which leaves sums and copies as they are
            embedded = embedded.to(torch.get_autocast_dtype(ids.device.type))
        return self.variational_dropout(embedded)

    def logits(self, read: Tensor) -> Tensor:
        return functional.linear(read, self.embedding.weight, self.bias)

    def loss(
        self,
        source: Tensor,
        lengths: Tensor,
        target: Tensor,
        target_lengths: Tensor,
        smoothing: float,
    ) -> Tensor:
        """Mean cross-entropy of a target token; `target` starts with BOS and ends with EOS."""
        keys, memory, states = self.encode(source, lengths)
        real = mask(lengths, source.shape[1])
        read, _ = self.decode(target[:, :-1], states, keys, memory, real)
        wanted = mask(target_lengths - 1, target.shape[1] - 1)
        return projected_cross_entropy(
            read[wanted], self.embedding.weight, self.bias, target[:, 1:][wanted], smoothing
        )


class RecurrentCell(nn.Module):
    """One forward GRU layer that starts from a given state."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.stack = RecurrentStack(
            inputs, hidden, cell="gru", layers=1, bidirectional=False, merge="concat"
        )

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, time, inputs] -> [batch, time, hidden], state after the last step [batch, hidden]."""
        outputs, last = self.stack.forwards[0](x, state[None].contiguous())
        return outputs, last[0]


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

    begun = start.opened(config.start, options) if config.start else None
    if begun:
        used += [corpus for corpus in begun.manifest.training.corpora if corpus.split == "train"]

    device = prepare(config.fit)
    folder = run_folder(config.files, config, used)
    tokenizer = load_or_build_tokenizer(
        folder / "tokenizer.json",
        lambda: (
            Tokenizer.from_file(str(begun.file("tokenizer.json")))
            if begun
            else subword_tokenizer(
                (side for pair in train for side in (pair.text, pair.other)),
                size=options.vocabulary,
            )
        ),
    )
    tokenizer.encode_special_tokens = True  # a text that says "</s>" does not end there
    network = Network(options, tokenizer.get_vocab_size())
    if begun:
        network.load_state_dict(read_weights(begun.path))
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
        options={"beam": options.beam, "length_penalty": options.length_penalty, **READING},
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
