"""Learns the first recurrent layer of a tagger or classifier as a language model (Dai and Le 2015, Peters et al.
2017): one direction foretells the next word, the other the one before.

Both directions foretell through the vectors of the words they read (Press and Wolf 2017), so these are learnt as
well. A step compares the right words with each other and with a sample of more, drawn by how often words occur,
and takes from every score the logarithm of its word's chance to be among them (Jean et al. 2015).
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from service.tasks.ner import Reader
from training import words
from training.config import Fit, Options, training_folder
from training.data.corpora import locate, read_texts
from training.data.tokenization import word_tokenizer
from training.data.vocabulary import frequent_characters
from training.errors import TrainingError
from training.nn.batches import bucketed, mask
from training.nn.cross_entropy import projected_cross_entropy
from training.nn.fit import fit, prepare
from training.nn.layers import Cell, CharCNN, RecurrentStack, VariationalDropout

HELD_OUT = 500
"""Every so manieth stretch is not trained on but scored."""
AT_ONCE = 2000
"""Paragraphs tokenised together."""


class Architecture(Options):
    cell: Cell = "lstm"
    """Recurrent cell."""
    hidden: int = Field(default=200, ge=1)
    """Units of each direction."""
    embedding: int = Field(default=100, ge=1)
    """Dimensions of a word; those of the vectors."""
    vectors: Path | None = None
    """Word vectors to start from (`python -m training vectors`); their words are the vocabulary."""
    vocabulary: int = Field(default=100_000, ge=1)
    """Most words known: the most frequent of the vectors."""
    character_embedding: int = Field(default=24, ge=1)
    """Dimensions of a character."""
    character_filters: int = Field(default=0, ge=0)
    """Convolutions over the characters of a word, as a tagger has them; 0: words are not spelled."""
    word_characters: int = Field(default=16, ge=2)
    """Characters of a word that are read: of a longer one its first and last."""
    dropout: float = 0.1
    """Share of features that training hides."""
    word_dropout: float = 0.05
    """Share of words that training reads as unknown."""


class Config(Options):
    text: tuple[str, ...] = ()
    """Files of plain text, a paragraph a line, or JSON lines with the field `text`; .xz too."""
    data: Path | None = None
    """Folder in which relative file names are looked up, after the current one."""
    out: Path = Path("runs/language-model.pt")
    """File to write."""
    runs: Path = Path("runs")
    """Folder for checkpoints and logs of trainings under way."""
    web: bool = False
    """Read links, names of users and numbers as the classifier does."""
    stretch: int = Field(default=40, ge=2)
    """Most words read as one sequence; longer paragraphs are cut."""
    negatives: int = Field(default=2048, ge=1)
    """Words drawn for a step, which the right ones are compared with beside each other."""
    network: Architecture = Architecture()
    fit: Fit = Fit(epochs=1, batch_tokens=4096, weight_decay=0.0)


class Network(nn.Module):
    """Shapes: words [batch, time], characters of the different words among them [different, letters], where
    each word's characters are [batch, time]."""

    def __init__(self, options: Architecture, vocabulary: int, alphabet: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, options.embedding)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.char_cnn: CharCNN | None = None
        if options.character_filters:
            self.char_cnn = CharCNN(
                alphabet, options.character_embedding, options.character_filters
            )
        self.stack = RecurrentStack(
            options.embedding + options.character_filters,
            options.hidden,
            cell=options.cell,
            layers=1,
            bidirectional=True,
            merge="concat",
        )
        self.ahead = nn.Linear(options.hidden, options.embedding)
        self.behind = nn.Linear(options.hidden, options.embedding)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.variational_dropout, self.dropout = (
            VariationalDropout(options.dropout),
            nn.Dropout(options.dropout),
        )
        self.word_dropout = options.word_dropout

    def forward(
        self, ids: Tensor, characters: Tensor, where: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What is foretold of all known words but at the ends: (guesses [words, embedding], ids [words])."""
        read = words.dropped(ids, self.word_dropout) if self.training else ids
        x = self.embedding(read)
        if self.char_cnn:
            x = torch.cat([x, self.char_cnn(characters)[where]], -1)
        outputs, _ = self.stack(self.variational_dropout(x), lengths)
        ahead, behind = self.dropout(outputs).chunk(2, -1)
        following = mask(lengths, ids.shape[1])[:, 1:]
        later = following & (ids[:, 1:] != words.UNKNOWN)
        earlier = following & (ids[:, :-1] != words.UNKNOWN)
        guesses = [self.ahead(ahead[:, :-1][later]), self.behind(behind[:, 1:][earlier])]
        return torch.cat(guesses), torch.cat([ids[:, 1:][later], ids[:, :-1][earlier]])


def train(config: Config) -> Path:
    """Reads the texts, trains and writes the weights that a tagger or classifier starts from; gives the file."""
    options = config.network
    if not config.text:
        raise TrainingError("--text needs a file")
    vectors = words.read_vectors(options.vectors, options.embedding)
    if vectors is None:
        raise TrainingError("--vectors needs a file: its words are the vocabulary")
    device = prepare(config.fit)
    tokenizer = word_tokenizer(vectors.words[: options.vocabulary], web=config.web)
    paths = [locate(name, config.data) for name in config.text]
    read_from = [*paths, *([options.vectors] if options.vectors else [])]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in read_from]
    text = read(paths, tokenizer, spelled=options.character_filters > 0)
    stretches = text.stretches(config.stretch)
    held = stretches[::HELD_OUT]
    kept = np.delete(stretches, np.s_[::HELD_OUT], axis=0)
    counts = np.bincount(text.ids, minlength=tokenizer.get_vocab_size()).astype(np.float64)
    counts[: words.UNKNOWN + 1] = 0
    if not len(kept) or not counts.any():
        raise TrainingError("the texts are too short to learn from, or have no word of the vectors")
    characters = torch.from_numpy(
        Reader(tokenizer, text.alphabet, options.word_characters).letters(text.forms)
    )
    network = Network(options, tokenizer.get_vocab_size(), len(text.alphabet) + 2).to(device)
    words.fill(network.embedding, tokenizer, vectors)
    lengths = kept[:, 1].tolist()
    tqdm.write(f"{len(text.ids):,} words in {len(stretches):,} stretches")
    expected = torch.from_numpy(counts / counts.sum()).float()

    def inputs(rows: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        sizes = torch.from_numpy(rows[:, 1])
        places = rows[:, :1] + np.arange(rows[:, 1].max())
        real = mask(sizes, places.shape[1])
        places = np.minimum(places, len(text.ids) - 1)
        ids = torch.from_numpy(text.ids[places]).long() * real
        if not options.character_filters:
            return ids.to(device), characters, ids, sizes.to(device)
        different, where = np.unique(text.written[places], return_inverse=True)
        spelled = characters[different].long()
        found = torch.from_numpy(where.reshape(places.shape))
        return ids.to(device), spelled.to(device), found.to(device), sizes.to(device)

    def batch_loss(indices: list[int]) -> tuple[Tensor, int]:
        ids, *others = inputs(kept[indices])
        guesses, right = network(ids, *others)
        drawn = torch.multinomial(expected, config.negatives, replacement=True)
        among, place = torch.cat([right, drawn.to(device)]).unique(return_inverse=True)
        bias = network.bias[among] - chance_in(len(place), expected.to(device)[among]).log()
        loss = projected_cross_entropy(
            guesses, network.embedding.weight[among], bias, place[: len(right)], 0.0
        )
        return loss, int(others[-1].sum())

    def validate() -> float:
        """The mean logarithm of the probability of a word that was held out, among all words."""
        surprise, count = 0.0, 0
        sizes = held[:, 1].tolist()
        for indices in bucketed(sizes, tokens=1024, seed=0, epoch=0):
            guesses, right = network(*inputs(held[indices]))
            scores = functional.linear(guesses, network.embedding.weight, network.bias)
            surprise += float(functional.cross_entropy(scores.float(), right, reduction="sum"))
            count += len(right)
        return -surprise / max(1, count)

    fit(
        network,
        lengths=lengths,
        loss=batch_loss,
        validate=validate,
        options=config.fit,
        folder=training_folder(config.runs, config.out.stem, config, digests),
    )
    state = network.cpu().state_dict()
    config.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(
        {
            "words": [tokenizer.id_to_token(row) for row in range(1, tokenizer.get_vocab_size())],
            "alphabet": text.alphabet,
            "table": state["embedding.weight"][1:].clone(),
            "weights": {
                name: value
                for name, value in state.items()
                if name.startswith(("stack.", "char_cnn."))
            },
        },
        config.out,
    )
    tqdm.write(f"wrote {config.out}")
    return config.out


def chance_in(draws: int, chance: Tensor) -> Tensor:
    """The probability that a word of a `chance` is drawn at least once.

    >>> chance_in(2, torch.tensor([0.5]))
    tensor([0.7500])
    """
    return -torch.expm1(draws * torch.log1p(-chance))


@dataclass(frozen=True)
class Text:
    """All paragraphs, one behind the other."""

    ids: NDArray[np.int32]
    """[words]"""
    written: NDArray[np.int32]
    """[words]: the place of each word among the forms, or nothing."""
    ends: list[int]
    """Where each paragraph ends."""
    forms: list[str]
    """The different words as they are written."""
    alphabet: str

    def stretches(self, longest: int) -> NDArray[np.int64]:
        """Start and length of stretches of 2 to `longest` words of one paragraph: [stretches, 2]."""
        return np.array(
            [
                (start, min(longest, end - start))
                for begin, end in pairwise([0, *self.ends])
                for start in range(begin, end - 1, longest)
            ],
            np.int64,
        ).reshape(-1, 2)


def read(paths: Sequence[Path], tokenizer: Tokenizer, *, spelled: bool) -> Text:
    """The texts as word ids, and with `spelled` as they are written too."""
    ids: list[NDArray[np.int32]] = []
    written: list[NDArray[np.int32]] = []
    ends: list[int] = []
    places: dict[str, int] = {}
    characters: Counter[str] = Counter()
    total = 0
    for texts in _chunks(text for path in paths for text in read_texts(path)):
        for text, encoding in zip(texts, tokenizer.encode_batch(texts), strict=True):
            ids.append(np.array(encoding.ids, np.int32))
            if spelled:
                forms = [text[start:end] for start, end in encoding.offsets]
                found = [places.setdefault(form, len(places)) for form in forms]
                written.append(np.array(found, np.int32))
                characters.update("".join(forms))
            total += len(encoding.ids)
            ends.append(total)
    empty = [np.empty(0, np.int32)]
    return Text(
        ids=np.concatenate(ids or empty),
        written=np.concatenate(written or empty),
        ends=ends,
        forms=[*places],
        alphabet=frequent_characters(characters, at_least=5),
    )


def _chunks(texts: Iterator[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for text in tqdm(texts, unit="line", unit_scale=True, mininterval=5):
        chunk.append(text)
        if len(chunk) == AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
