"""Trains a tagger: words and their characters through recurrent layers into a CRF (Ma and Hovy 2016)."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

import torch
from pydantic import Field
from torch import Tensor, nn

from service.bundle import Limits
from service.tasks.chain import Chain
from service.tasks.ner import Ner, Reader
from service.tasks.ner import Words as Features
from training.config import Files, Fit, Options, Pairs, Precision, run_folder
from training.data import corpora, guidelines
from training.data.vocabulary import (
    build_word_tokenizer,
    frequent_characters,
    load_or_build_tokenizer,
)
from training.errors import TrainingError
from training.evaluation.calibration import (
    GradedPredictions,
    best_temperature,
    log_odds_offsets,
    mean_log_loss,
)
from training.evaluation.perturbations import Perturbation, perturb
from training.export.publish import Draft, publish
from training.export.weights import round_to_eight_bits, round_to_half
from training.ner_graph import check_parity, write_graph
from training.nn.batches import bucketed, pad
from training.nn.crf import CRF
from training.nn.fit import fit, prepare
from training.nn.layers import CharCNN, RecurrentStack, VariationalDropout
from training.nn.summary import count_parameters, print_summary
from training.nn.words import WordNetworkOptions, drop_words
from training.pretraining.warm_start import read_pretrained, warm_start
from training.tasks.ner import scores


class Architecture(WordNetworkOptions):
    hidden: int = Field(default=200, ge=1)
    """Units of a direction of a layer."""
    vocabulary: int = Field(default=40_000, ge=1)
    """Most words known: those of the training files, then the most frequent of the vectors."""
    at_least: int = Field(default=2, ge=1)
    """Times that a word without a vector must occur in the training files."""
    max_tokens: int = Field(default=128, ge=1)
    """Longest window in words; a longer text is cut into several, in training at its end."""
    character_embedding: int = Field(default=24, ge=1)
    """Dimensions of a character."""
    character_filters: int = Field(default=48, ge=1)
    """Convolutions over the answers of half as many others, each over three characters; the strongest answer
    of each describes the word."""
    word_characters: int = Field(default=16, ge=2)
    """Characters of a word that are read: of a longer one its first and last."""
    name_dropout: float = 0.0
    """Share of the words of names that training reads as unknown, beside those of `word_dropout`."""
    other_case: float = 0.0
    """Share of training texts read in small letters, in capitals or with Every Word Capitalised."""
    joined: float = 0.0
    """Share of training texts that are read once more, together with the one that follows."""
    fixed_vectors: bool = False
    """Keeps the word vectors as they are: training then learns what is made of them. Those of words that the
    training texts lack always stay."""


class Config(Options):
    files: Files = Files(out=Path("models/ner"))
    guidelines: Pairs = {}
    """Rules that bring a corpus's labels to ours (training/data/guidelines.py), by a part of its path, as
    `btc "mentions titles"`; tests are scored as they are written and under these rules."""
    network: Architecture = Architecture()
    fit: Fit = Fit(epochs=15, batch_tokens=512, learning_rate=3e-3)
    precision: Precision = "float32"
    """Precision of the recurrent layers in the bundle; int8, for the cell lstm, is faster and smaller."""
    notes: str = ""
    """What the bundle's card says of strengths and weaknesses, in Markdown."""


class Network(nn.Module):
    """Shapes: words [batch, time], characters of the different words among them [different, letters], where
    each word's characters are [batch, time], emissions [batch, time, tags]."""

    def __init__(
        self, options: Architecture, vocabulary: int, alphabet: int, tags: list[str], *, seen: int
    ) -> None:
        """seen: the words of ids below it stand in the training texts."""
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, options.embedding)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.embedding.requires_grad_(False)
        self.change: nn.Embedding | None = None
        """What training adds to the vectors of the words seen; a step then never touches the whole table."""
        if not options.fixed_vectors:
            self.change = nn.Embedding(seen, options.embedding)
            nn.init.zeros_(self.change.weight)
        self.char_cnn = CharCNN(alphabet, options.character_embedding, options.character_filters)
        self.stack = RecurrentStack(
            options.embedding + options.character_filters,
            options.hidden,
            cell=options.cell,
            layers=options.layers,
            bidirectional=options.bidirectional,
            merge=options.merge,
            dropout=options.dropout,
        )
        self.output = nn.Linear(self.stack.outputs, len(tags))
        self.crf = CRF(tags)
        self.dropout = nn.Dropout(options.dropout)
        self.variational_dropout = VariationalDropout(options.dropout)
        self.word_dropout = options.word_dropout
        self.word_characters = options.word_characters
        self.temperature: Tensor
        self.register_buffer("temperature", torch.ones(()))

    def forward(self, ids: Tensor, characters: Tensor, where: Tensor, lengths: Tensor) -> Tensor:
        return self.tag(ids, self.char_cnn(characters)[where], lengths)

    def look_up(self, ids: Tensor) -> Tensor:
        """The vectors of words [batch, time, embedding]."""
        vectors: Tensor = self.embedding(ids)
        if self.change is None:
            return vectors
        seen = ids < self.change.num_embeddings
        return vectors + self.change(ids * seen) * seen[..., None]

    def settle(self) -> None:
        """Puts what was learnt of the vectors into their table, as graphs have it; they then stay as they are."""
        if self.change is not None:
            self.embedding.weight.data[: self.change.num_embeddings] += self.change.weight.data
            self.change = None

    def tag(self, ids: Tensor, spelled: Tensor, lengths: Tensor) -> Tensor:
        """Emissions from words [batch, time] and what their letters say [batch, time, filters]."""
        ids = drop_words(ids, self.word_dropout) if self.training else ids
        x = self.variational_dropout(torch.cat([self.look_up(ids), spelled], -1))
        outputs, _ = self.stack(x, lengths)
        emissions: Tensor = self.output(self.dropout(outputs))
        return emissions


def train(config: Config) -> Path:
    """Reads, builds, fits, exports and scores; gives the folder of the published bundle."""
    options = config.network
    files = corpora.file_options(config.files, config.fit.seed)
    written = corpora.load(corpora.read_conll, **files).tests
    data = corpora.load(partial(guidelines.read, guidelines=config.guidelines), **files)
    tags = tags_of(data)

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
        ),
    )
    alphabet = vectors.alphabet if vectors and vectors.alphabet else alphabet_of(data.train)
    reader = Reader(tokenizer, alphabet, options.word_characters)
    texts = [*data.train, *joined(data.train, options.joined, config.fit.seed)]
    train = encoded(texts, reader, tags, options.max_tokens)
    seen = 1 + max(max(features.ids) for features, _ in train)
    size = tokenizer.get_vocab_size()
    network = Network(options, size, len(alphabet) + 2, tags, seen=seen).to(device)
    warm_start(network, tokenizer, vectors)
    print_summary(network, len(data.train), data.left_out)
    dev = encoded(data.dev, reader, tags, options.max_tokens)
    lengths = [features.length for features, _ in train]

    def forward(examples: Sequence[tuple[Features, list[int]]]) -> tuple[Tensor, Tensor, Tensor]:
        ids, sizes = pad([features.ids for features, _ in examples])
        gold, _ = pad([tags for _, tags in examples])
        written = [features.words for features, _ in examples]
        if network.training:
            chances = torch.rand(len(examples)) / max(options.other_case, 1e-9)
            written = [recased(*pair) for pair in zip(written, chances.tolist(), strict=True)]
            ids = torch.where(gold > 0, drop_words(ids, options.name_dropout), ids)
        places: dict[str, int] = {}
        where, _ = pad([[places.setdefault(word, len(places)) for word in row] for row in written])
        characters = torch.from_numpy(reader.letters(list(places)))
        inputs = (ids, characters, where, sizes)
        emissions = network(*(part.to(device) for part in inputs))
        return emissions, gold.to(device), sizes.to(device)

    def batch_loss(indices: list[int]) -> tuple[Tensor, int]:
        emissions, gold, sizes = forward([train[index] for index in indices])
        return network.crf.loss(emissions.float(), gold, sizes), int(sizes.sum())

    def dev_batches() -> list[tuple[Tensor, Tensor, Tensor]]:
        order = bucketed([features.length for features, _ in dev], tokens=8192, seed=0, epoch=0)
        with torch.no_grad():
            return [forward([dev[index] for index in indices]) for indices in order]

    def validate() -> float:
        """Entity F1 on the words of dev."""
        found, wanted = [], []
        for emissions, gold, sizes in dev_batches():
            paths = chain(network.crf, tags).viterbi(
                emissions.double().cpu().numpy(), sizes.cpu().numpy()
            )
            found += [[tags[tag] for tag in path] for path in paths]
            wanted += [
                [tags[tag] for tag in row[:size]]
                for row, size in zip(gold.tolist(), sizes.tolist(), strict=True)
            ]
        return scores.entity_f1(wanted, found)

    history = fit(
        network,
        lengths=lengths,
        loss=batch_loss,
        validate=validate,
        options=config.fit,
        folder=folder,
    )
    network.settle()
    round_to_half(network.cpu())
    round_to_eight_bits(network.embedding)
    trained_on, device = device, torch.device("cpu")
    batches = dev_batches()
    network.temperature.fill_(
        best_temperature(
            lambda value: mean_log_loss(
                graded_predictions(network.crf, tags, batches, value).values()
            )
        )
    )
    log_odds = log_odds_offsets(
        graded_predictions(network.crf, tags, batches, float(network.temperature))
    )
    draft = Draft(
        task="ner",
        languages=[options.language],
        labels=sorted({tag[2:] for tag in tags if tag != "O"}),
        limits=Limits(max_tokens=options.max_tokens),
        options={
            "tags": tags,
            "alphabet": alphabet,
            "word_characters": options.word_characters,
            "log_odds": log_odds,
        },
        config=config,
        corpora=data.corpora,
        history=history,
        parameters=count_parameters(network),
        device=str(trained_on),
    )
    return publish(
        draft,
        folder,
        write=partial(write_graph, network, tokenizer),
        check=partial(check_parity, network),
        load=Ner,
        score=lambda task: {
            name: scores.score(task, sentences)
            for name, sentences in tests(task, written, data.tests).items()
        },
        confusion=lambda task: scores.confusion(task, next(iter(data.tests.values()))),
        predictions=lambda task: {
            name: scores.graded_predictions(task, sentences)
            for name, sentences in data.tests.items()
        },
    )


def tags_of(data: corpora.Data[corpora.Tagged]) -> list[str]:
    """O, then B- and I- of every entity type of the training files.

    Raises TrainingError if there is none, or if dev or a test has one that training lacks.
    """
    known = _types(data.train)
    if not known:
        raise TrainingError("the training files hold no entity: every tag is O")
    for name, sentences in {"dev": data.dev, **data.tests}.items():
        if unseen := _types(sentences) - known:
            raise TrainingError(
                f"{name} has labels that the training files lack: {', '.join(sorted(unseen))}; "
                "rename or drop them with --labels"
            )
    return ["O", *(f"{prefix}-{label}" for label in sorted(known) for prefix in "BI")]


def _types(sentences: Sequence[corpora.Tagged]) -> set[str]:
    return {tag[2:] for sentence in sentences for tag in sentence.tags if tag != "O"}


def chain(crf: CRF, tags: list[str], temperature: float = 1.0) -> Chain:
    """The trained CRF as serving decodes it."""
    transitions, start, end = (
        potential.detach().double().cpu().numpy() / temperature for potential in crf.potentials()
    )
    return Chain(transitions, start, end, tags)


def tests(
    task: Ner,
    written: Mapping[str, list[corpora.Tagged]],
    reconciled: Mapping[str, list[corpora.Tagged]],
) -> dict[str, list[corpora.Tagged]]:
    """What the bundle is scored on: each test set as its corpus has it, under our rules where these change
    it, and copies of the latter in other cases and with invented names."""
    known = scores.known_words(task)
    everything = {}
    for name, sentences in reconciled.items():
        everything[name] = written[name]
        if sentences != written[name]:
            everything[f"{name}, reconciled"] = sentences
        for perturbation in get_args(Perturbation)[1:]:
            everything[f"{name}, {perturbation}"] = perturb(sentences, perturbation, known=known)
    return everything


def joined(sentences: Sequence[corpora.Tagged], share: float, seed: int) -> list[corpora.Tagged]:
    """Some sentences, each with the next as one text: people send more than one at a time."""
    starts = range(len(sentences) - 1)
    chosen = random.Random(f"{seed} joined").sample(starts, int(share * len(starts)))
    return [
        corpora.Tagged(one.tokens + other.tokens, one.tags + other.tags)
        for one, other in ((sentences[start], sentences[start + 1]) for start in sorted(chosen))
    ]


def recased(written: Sequence[str], chance: float) -> list[str]:
    """In small letters, in capitals or Every Word Capitalised, as `chance` falls into the first, second or
    last third of 0 to 1; beyond 1 as written. The ids of words know no case.

    >>> recased(["Ada", "wrote"], 0.5), recased(["Ada", "wrote"], 2.0)
    (['ADA', 'WROTE'], ['Ada', 'wrote'])
    """
    if chance >= 1:
        return list(written)
    change = (str.lower, str.upper, str.capitalize)[int(3 * chance)]
    return [change(word) for word in written]


def graded_predictions(
    crf: CRF, tags: list[str], batches: Sequence[tuple[Tensor, Tensor, Tensor]], temperature: float
) -> dict[str, GradedPredictions]:
    """By label, how sure the tagger is of each entity that it finds at a temperature, and whether it is right."""
    cooled = chain(crf, tags, temperature)
    found = {tag[2:]: GradedPredictions([], []) for tag in tags if tag != "O"}
    for emissions, gold, sizes in batches:
        scores = emissions.double().cpu().numpy() / temperature
        everything = cooled.entities(scores, sizes.cpu().numpy())
        for row, size, entities in zip(gold.tolist(), sizes.tolist(), everything, strict=True):
            spans = guidelines.spans_of([tags[tag] for tag in row[:size]])
            for first, last, tag, sure in entities:
                label = tags[tag][2:]
                found[label].confidences.append(sure)
                found[label].right.append((first, last + 1, label) in spans)
    return found


def alphabet_of(sentences: Sequence[corpora.Tagged]) -> str:
    """The characters seen at least five times, or at all in a small corpus, in order."""
    characters = Counter(x for one in sentences for token in one.tokens for x in token)
    return frequent_characters(characters, at_least=5 if len(sentences) > 1000 else 1)


def encoded(
    sentences: Sequence[corpora.Tagged], reader: Reader, tags: list[str], longest: int
) -> list[tuple[Features, list[int]]]:
    """Sentences as the tagger reads them, with the index of the tag of each of its words.

    A corpus's token may be several words (`U.S.`): the first carries on the token's tag, the others
    continue the entity. Signs at the ends of an entity that are no part of it are left out.
    """
    examples = []
    for sentence in sentences:
        features = reader.read(sentence.text)
        starts, start = [], 0
        for written in sentence.tokens:
            starts.append(start)
            start += len(written) + 1
        gold: list[str] = []
        token, last = 0, -1
        for begin, _ in features.spans[:longest]:
            while token + 1 < len(starts) and starts[token + 1] <= begin:
                token += 1
            tag = sentence.tags[token]
            if token == last and tag.startswith("B-"):
                tag = "I-" + tag[2:]
            gold.append(tag)
            last = token
        if gold:
            cut = Features(
                features.ids[:longest], features.words[:longest], features.spans[:longest]
            )
            spans = [
                (*guidelines.trimmed(cut.words, first, end), label)
                for first, end, label in guidelines.spans_of(gold)
            ]
            kept = [span for span in spans if span[0] < span[1]]
            trimmed = guidelines.tags_of(kept, len(gold))
            examples.append((cut, [tags.index(tag) for tag in trimmed]))
    return examples
