"""Trains a translator and publishes it as a bundle."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from tokenizers import Tokenizer, models

from service.registry.bundle import Bundle, Limits
from service.registry.bundle import Corpus as UsedCorpus
from service.tasks.translate.lexicon import FILE as LEXICON
from service.tasks.translate.reading import Reader
from service.tasks.translate.spelling import FILE as WORDS
from service.tasks.translate.task import PAD, Translate
from training.config import Fit, Precision, run_folder
from training.data import parallel
from training.data.parallel import Corpus
from training.data.tokenization import alphabet, subword_tokenizer
from training.data.vocabulary import load_or_build_tokenizer
from training.evaluation import behaviour
from training.export.publish import Draft, publish
from training.export.weights import round_to_half
from training.nn.batches import BatchLoss, bucketed, pad
from training.nn.checkpoint import CHECKPOINT, History, restore
from training.nn.distributed import from_first
from training.nn.fit import fit, prepare
from training.nn.summary import count_parameters, print_summary
from training.tasks.translate import lexicon, scores, search, spelling, warm_start
from training.tasks.translate.config import BUNDLE_OPTIONS, Architecture, Config
from training.tasks.translate.examples import Examples
from training.tasks.translate.graph import check_parity, write_graphs
from training.tasks.translate.network import Network
from training.tasks.translate.stream import Ids, Stream, encoded
from training.tasks.translate.weights import read_weights

SUBWORD_CHUNKS = 3
"""Chunks of the training whose texts the subwords are learnt from."""

FINISH = "finish"
"""Folder of the last phase, in that of a run."""

DEV_SHARES = "dev.jsonl"
"""In the folder of a run: the cross-entropy of each dev file, a line for each validation."""


def train(config: Config) -> Path:
    """Reads, builds, fits, exports and scores; gives the folder of the published bundle."""
    data = load_data(config)
    last = parallel.reweighted(data.train, config.finish.finish_train)
    used = [*data.corpora]
    published = warm_start.open_bundle(config.start, config.network) if config.start else None
    if published:
        corpora = published.manifest.training.corpora
        used += [corpus for corpus in corpora if corpus.split == "train"]
    device = prepare(config.fit)
    runs = config.files.runs
    folder = runs / config.run if config.run else run_folder(config.files, config, used)
    tokenizer = build_tokenizer(data.train, config, published, folder)
    network = build_network(tokenizer, config, published).to(device)
    print_summary(network, sum(len(corpus.pairs) for corpus in data.train), data.left_out)
    if config.finish.finish_now:
        history = restore(network, folder)
    else:
        history = fit_network(network, tokenizer, data, config, folder)
    if last:
        ended = replace(data, train=last)
        history = history.then(finish_network(network, tokenizer, ended, config, folder))
    words = word_list(data.train, config, published)
    return publish_bundle(network, tokenizer, data, words, config, used, history, folder)


def load_data(config: Config) -> parallel.Data:
    return parallel.load(
        config.files,
        languages=(config.network.source, config.network.target),
        reverse=config.network.reverse,
        clean=config.clean,
        seed=config.fit.seed,
    )


def build_tokenizer(
    train: Sequence[Corpus], config: Config, published: Bundle | None, folder: Path
) -> Tokenizer:
    """That of the published translator, or of this run, or a new one."""
    if published:
        return Tokenizer.from_file(str(published.file("tokenizer.json")))
    path = folder / "tokenizer.json"
    return from_first(lambda: load_or_build_tokenizer(path, lambda: _learn_subwords(train, config)))


def build_network(tokenizer: Tokenizer, config: Config, published: Bundle | None) -> Network:
    network = Network(config.network, tokenizer.get_vocab_size())
    if published:
        network.load_state_dict(read_weights(published.path))
    return network


def word_list(train: Sequence[Corpus], config: Config, published: Bundle | None) -> list[str]:
    """Of the targets, and of the published translator."""
    if not config.words:
        return []
    name = published.manifest.options.get("words") if published else None
    known = published.content(name).decode().split() if published and name else []
    return spelling.words(train, config.words, known)


def _learn_subwords(train: Sequence[Corpus], config: Config) -> Tokenizer:
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


def fit_network(
    network: Network, tokenizer: Tokenizer, data: parallel.Data, config: Config, folder: Path
) -> History:
    return _fit(network, tokenizer, data, config.fit, config, folder, None)


def finish_network(
    network: Network, tokenizer: Tokenizer, data: parallel.Data, config: Config, folder: Path
) -> History:
    """The phase in which the rate falls, with the optimiser of the one before."""
    update = {"epochs": config.finish.finish_epochs, "schedule": "decay", "warmup": 0.0}
    how = config.fit.model_copy(update=update | {"warmup_steps": 0})
    return _fit(network, tokenizer, data, how, config, folder / FINISH, folder / CHECKPOINT)


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

    def batch_loss(pairs: Sequence[tuple[Ids, Ids]], smoothing: float) -> BatchLoss:
        source, source_lengths = pad([source for source, _ in pairs], value=PAD)
        target, target_lengths = pad([target for _, target in pairs], value=PAD)
        loss = network.loss(
            source.to(device),
            source_lengths.to(device),
            target.to(device),
            target_lengths.to(device),
            smoothing,
            options.sampled if network.training else 1.0,
        )
        tokens = int(target_lengths.sum()) - len(pairs)
        return BatchLoss(loss, tokens, tokens)

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
    batch_loss: Callable[[Sequence[tuple[Ids, Ids]], float], BatchLoss],
) -> float:
    total, count = 0.0, 0
    order = bucketed([len(source) for source, _ in pairs], tokens=4096, seed=0, epoch=0)
    for indices in order:
        loss, tokens, _ = batch_loss([pairs[index] for index in indices], 0.0)
        total, count = total + loss.item() * tokens, count + tokens
    return total / count


def publish_bundle(
    network: Network,
    tokenizer: Tokenizer,
    data: parallel.Data,
    words: Sequence[str],
    config: Config,
    used: Sequence[UsedCorpus],
    history: History,
    folder: Path,
) -> Path:
    options = config.network
    device = next(network.parameters()).device
    round_to_half(network.cpu())
    entries = lexicon.read(
        config.lexicon,
        languages=(options.source, options.target),
        reverse=options.reverse,
        known=tokenizer.get_vocab(),
        folder=config.files.data,
    )

    def write(staged: Path, precision: Precision) -> None:
        write_graphs(network, tokenizer, staged, precision)
        if entries:
            lexicon.write(staged / LEXICON, entries)
        if words:
            spelling.write(staged / WORDS, words)

    draft = Draft(
        task="translate",
        languages=config.languages,
        labels=[],
        limits=Limits(max_tokens=options.max_tokens),
        options={
            "beam": options.beam,
            "length_penalty": options.length_penalty,
            **BUNDLE_OPTIONS,
            **({"lexicon": LEXICON} if entries else {}),
            **({"words": WORDS} if words else {}),
        },
        config=config,
        corpora=list(used),
        history=history,
        parameters=count_parameters(network),
        device=str(device),
    )
    dev = [pair for pairs in data.dev.values() for pair in pairs]
    path = publish(
        draft,
        folder,
        write=write,
        check=partial(check_parity, network),
        load=Translate,
        score=lambda task: (
            {name: scores.score(task, pairs) for name, pairs in data.tests.items()}
            | (behaviour.score_sets(task, config.behaviour) if config.behaviour else {})
        ),
        tune=(
            (lambda task: search.tune(task, dev, config.length_penalties))
            if config.length_penalties
            else None
        ),
        keep_checkpoint=bool(config.run),
    )
    (folder / FINISH / CHECKPOINT).unlink(missing_ok=True)  # a later finish begins anew
    return path
