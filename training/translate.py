"""Trains a translator: a GRU encoder-decoder with attention over shared subwords (Bahdanau et al. 2015).

The decoder has two layers: the first reads the last token and asks the attention, the second reads the answer
(as in Wu et al. 2016). Attention thus needs no loop of its own: in training all steps of a layer run at once.
"""

import json
import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from pydantic import Field
from tokenizers import Tokenizer, models
from torch import Tensor, nn
from torch.nn import functional

from service.registry import bundle
from service.registry.bundle import Limits
from service.tasks.translate.reading import Reader
from service.tasks.translate.task import (
    ALTERNATIVES_WIDTH,
    PAD,
    Translate,
)
from training import behaviour, export, scores, search, start
from training.batches import bucketed, mask, pad
from training.config import Files, Fit, Options, Precision, parse, run_folder
from training.cross_entropy import projected_cross_entropy
from training.data import parallel
from training.data.parallel import Corpus
from training.fit import CHECKPOINT, History, fit, prepare
from training.graph import round_to_half
from training.layers import Attention, Locked, RecurrentStack
from training.tasks.translate.examples import Examples
from training.tasks.translate.stream import Ids, Stream, encoded
from training.tokenization import alphabet, subword_tokenizer
from training.translate_graph import check_parity, write_graphs
from training.translate_weights import read_weights

SUBWORD_CHUNKS = 3
"""Chunks of the training whose texts the subwords are learnt from."""

DEV_SHARES = "dev.jsonl"
"""In the folder of a run: the cross-entropy of each dev file, a line for each validation."""

REPEATS = 2
"""How often a phrase may stand in a row in a translation whose source repeats nothing more often."""

READING = {"reader": 1, "repeats": REPEATS}
"""Options of every new bundle: how texts are read, and how often a phrase may be repeated."""


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
    changed: float = Field(default=0.0, ge=0.0, le=1.0)
    """Share of the training pairs that are changed: more placeholders, capitals, careless typing."""
    label_smoothing: float = 0.1
    """Share of probability that training spreads over all subwords."""
    beam: int = Field(default=1, ge=1, le=ALTERNATIVES_WIDTH)
    """Width of the beam search when serving."""
    length_penalty: float = 1.0
    """Exponent of the length by which a hypothesis's log-probability is divided."""


class Finish(Options):
    """A last phase of the training, in which the rate falls to zero, on what the translator is to be best at."""

    finish_train: tuple[str, ...] = ()
    """Files to train on after the others; none: there is no such phase."""
    finish_epochs: int = Field(default=1, ge=1)
    """Epochs of this phase."""


class Config(Options):
    files: Files = Files(out=Path("models/translate-en-fr"))
    network: Architecture = Architecture()
    fit: Fit = Fit()
    finish: Finish = Finish()
    chunk: int = Field(default=100_000, ge=1)
    """Pairs of an epoch; a corpus read more often (PATH#2x) is in more of them."""
    run: str = ""
    """Folder of checkpoints, in that of runs; named, a training goes on with other options, pairs or epochs."""
    clean: bool = False
    """Leave out pairs that are no translations of each other (training/data/cleaning.py)."""
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
            residual=True,
        )
        memory, decoder = self.encoder.outputs, options.decoder
        self.bridge = nn.Linear(self.encoder.last_outputs, 2 * decoder)
        self.first = RecurrentCell(options.embedding, decoder)
        self.attention = Attention(decoder, memory)
        self.second = RecurrentCell(decoder + memory, decoder)
        self.readout = nn.Linear(decoder + memory + options.embedding, options.embedding)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.locked = Locked(options.dropout)
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
        return self.locked(embedded)

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


def main(argv: Sequence[str]) -> Path:
    """Reads, builds, fits, exports and scores; gives the folder of the published bundle."""
    config = parse(Config, argv, "translate", "Trains a translator and publishes it as a bundle.")
    options = config.network
    data = _load_data(config, config.files.train)
    last = _load_data(config, config.finish.finish_train) if config.finish.finish_train else None
    used = [*data.corpora, *(last.corpora[: len(last.train)] if last else [])]
    begun = start.opened(config.start, options) if config.start else None
    if begun:
        used += [corpus for corpus in begun.manifest.training.corpora if corpus.split == "train"]

    device = prepare(config.fit)
    folder = (
        config.files.runs / config.run if config.run else run_folder(config.files, config, used)
    )
    tokenizer = export.made_once(
        folder / "tokenizer.json",
        lambda: (
            Tokenizer.from_file(str(begun.file("tokenizer.json")))
            if begun
            else _build_tokenizer(data.train, config)
        ),
    )
    network = Network(options, tokenizer.get_vocab_size())
    if begun:
        network.load_state_dict(read_weights(begun.path))
    network.to(device)
    export.announce(network, sum(len(corpus.pairs) for corpus in data.train), data.left_out)
    history = _fit_network(network, tokenizer, data, config, folder)
    if last:
        history = history.then(_finish(network, tokenizer, last, config, folder))
    return _publish_bundle(network, tokenizer, data, config, used, history, folder)


def _load_data(config: Config, train: Sequence[str]) -> parallel.Data:
    return parallel.load(
        config.files.model_copy(update={"train": tuple(train)}),
        languages=(config.network.source, config.network.target),
        reverse=config.network.reverse,
        clean=config.clean,
        seed=config.fit.seed,
    )


def _build_tokenizer(train: Sequence[Corpus], config: Config) -> Tokenizer:
    """Subwords of both languages, learnt from texts as the network reads them."""
    options = config.network
    known = alphabet(
        side for corpus in train for pair in corpus.pairs for side in (pair.text, pair.other)
    )
    examples = Examples(
        Reader(options.source, options.target, known),
        Reader(options.target, options.source, known),
        changed=0.0,
    )
    stream = Stream(
        train,
        examples,
        Tokenizer(models.BPE()),
        chunk=config.chunk,
        longest=0,
        seed=config.fit.seed,
    )
    chance = random.Random(config.fit.seed)
    texts = (
        side
        for number in range(min(SUBWORD_CHUNKS, stream.chunks))
        for pair in stream.pairs(number)
        if (example := examples.make(pair, chance))
        for side in (example.text, example.other)
    )
    return subword_tokenizer(texts, size=options.vocabulary, known=known)


def _examples(tokenizer: Tokenizer, options: Architecture, changed: float) -> Examples:
    known = tokenizer.get_vocab()
    return Examples(
        Reader(options.source, options.target, known),
        Reader(options.target, options.source, known),
        changed,
    )


def _fit_network(
    network: Network, tokenizer: Tokenizer, data: parallel.Data, config: Config, folder: Path
) -> History:
    return _fit(network, tokenizer, data, config.fit, config, folder, None)


def _finish(
    network: Network, tokenizer: Tokenizer, data: parallel.Data, config: Config, folder: Path
) -> History:
    """The phase in which the rate falls, with the optimiser of the one before."""
    update = {"epochs": config.finish.finish_epochs, "schedule": "decay", "warmup": 0.0}
    how = config.fit.model_copy(update=update | {"warmup_steps": 0})
    return _fit(network, tokenizer, data, how, config, folder / "finish", folder / CHECKPOINT)


def _fit(
    network: Network,
    tokenizer: Tokenizer,
    data: parallel.Data,
    how: Fit,
    config: Config,
    folder: Path,
    begun: Path | None,
) -> History:
    options = config.network
    device = next(network.parameters()).device
    stream = Stream(
        data.train,
        _examples(tokenizer, options, options.changed),
        tokenizer,
        chunk=config.chunk,
        longest=options.max_tokens,
        seed=how.seed,
    )
    plain, chance = _examples(tokenizer, options, 0.0), random.Random(how.seed)
    dev = {
        name: encoded(
            [one for pair in pairs if (one := plain.make(pair, chance))],
            tokenizer,
            options.max_tokens,
        )
        for name, pairs in data.dev.items()
    }
    chunk: list[tuple[Ids, Ids]] = []

    def next_chunk(epoch: int) -> list[int]:
        chunk[:] = stream.chunk(epoch)
        return [max(len(source), len(target)) for source, target in chunk]

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
        """Minus the cross-entropy of a dev token, the mean over the files."""
        shares = {name: _cross_entropy(pairs, batch_loss) for name, pairs in dev.items()}
        with (folder / DEV_SHARES).open("a", encoding="utf-8") as log:
            log.write(json.dumps(shares) + "\n")
        return -sum(shares.values()) / len(shares)

    return fit(
        network,
        lengths=next_chunk,
        loss=lambda indices: batch_loss([chunk[i] for i in indices], options.label_smoothing),
        validate=validate,
        options=how,
        folder=folder,
        begun=begun,
    )


def _cross_entropy(
    pairs: Sequence[tuple[Ids, Ids]],
    batch_loss: Callable[[Sequence[tuple[Ids, Ids]], float], tuple[Tensor, int]],
) -> float:
    total, count = 0.0, 0
    order = bucketed([len(source) for source, _ in pairs], tokens=4096, seed=0, epoch=0)
    for indices in order:
        loss, tokens = batch_loss([pairs[index] for index in indices], 0.0)
        total, count = total + loss.item() * tokens, count + tokens
    return total / count


def _publish_bundle(
    network: Network,
    tokenizer: Tokenizer,
    data: parallel.Data,
    config: Config,
    used: list[bundle.Corpus],
    history: History,
    folder: Path,
) -> Path:
    options = config.network
    device = next(network.parameters()).device
    round_to_half(network.cpu())
    draft = export.Draft(
        task="translate",
        languages=[options.source, options.target],
        labels=[],
        limits=Limits(max_tokens=options.max_tokens),
        options={"beam": options.beam, "length_penalty": options.length_penalty, **READING},
        config=config,
        corpora=used,
        history=history,
        parameters=export.parameters(network),
        device=str(device),
    )
    dev = [pair for pairs in data.dev.values() for pair in pairs]
    return export.publish(
        draft,
        folder,
        write=partial(write_graphs, network, tokenizer),
        check=partial(check_parity, network),
        load=Translate,
        score=lambda task: (
            {name: scores.translation(task, pairs) for name, pairs in data.tests.items()}
            | (behaviour.scored(task, config.behaviour) if config.behaviour else {})
        ),
        tune=(
            (lambda task: search.tuned(task, dev, config.length_penalties))
            if config.length_penalties
            else None
        ),
    )
