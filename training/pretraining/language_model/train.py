"""Learns the first recurrent layer of a tagger or classifier as a language model (Dai and Le 2015, Peters et al.
2017): one direction predicts the next word, the other the one before.

A step compares the right words with each other and with a sample of more, drawn by how often words occur, and
subtracts from every score the logarithm of the probability that its word is among them (Jean et al. 2015).
"""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from service.tasks.ner.reading import Reader
from training.config import training_folder
from training.data.corpora import locate
from training.data.tokenization import word_tokenizer
from training.errors import TrainingError
from training.nn.batches import BatchLoss, bucketed, mask
from training.nn.cross_entropy import projected_cross_entropy
from training.nn.distributed import by_first
from training.nn.fit import fit, prepare
from training.nn.words import UNKNOWN
from training.pretraining.language_model.config import Config
from training.pretraining.language_model.network import Network
from training.pretraining.language_model.texts import Text, read
from training.pretraining.warm_start import Pretrained, fill_embedding, read_pretrained

HELD_OUT = 500
"""One stretch in so many is not trained on but scored."""


@dataclass(frozen=True)
class Data:
    text: Text
    train: NDArray[np.int64]
    """Start and length of each stretch: [stretches, 2]."""
    held_out: NDArray[np.int64]
    frequencies: Tensor
    """Share of each word id in the text: [vocabulary]."""
    characters: Tensor
    """Of each form: [forms, characters]."""
    digests: list[str]
    """Of the files."""


def train(config: Config) -> Path:
    """Gives the file of the weights, from which a tagger or classifier can start."""
    vectors = load_vectors(config)
    device = prepare(config.fit)
    tokenizer = build_tokenizer(config, vectors)
    data = load_data(config, tokenizer)
    network = build_network(config, tokenizer, vectors, data).to(device)
    tqdm.write(
        f"{len(data.text.ids):,} words in {len(data.train) + len(data.held_out):,} stretches"
    )
    fit_network(network, config, data)
    return save(network.cpu(), config, tokenizer, data.text.alphabet)


def load_vectors(config: Config) -> Pretrained:
    if not config.text:
        raise TrainingError("--text needs a file")
    vectors = read_pretrained(config.network.vectors, config.network.embedding)
    if vectors is None:
        raise TrainingError("--vectors needs a file: its words are the vocabulary")
    return vectors


def build_tokenizer(config: Config, vectors: Pretrained) -> Tokenizer:
    return word_tokenizer(vectors.words[: config.network.vocabulary], web=config.web)


def load_data(config: Config, tokenizer: Tokenizer) -> Data:
    options = config.network
    paths = [locate(name, config.data) for name in config.text]
    read_from = [*paths, *([options.vectors] if options.vectors else [])]
    text = read(paths, tokenizer, with_forms=options.character_filters > 0)
    stretches = text.stretches(config.stretch)
    kept = np.delete(stretches, np.s_[::HELD_OUT], axis=0)
    counts = np.bincount(text.ids, minlength=tokenizer.get_vocab_size()).astype(np.float64)
    counts[: UNKNOWN + 1] = 0
    if not len(kept) or not counts.any():
        raise TrainingError("the texts are too short to learn from, or have no word of the vectors")
    reader = Reader(tokenizer, text.alphabet, options.word_characters)
    return Data(
        text=text,
        train=kept,
        held_out=stretches[::HELD_OUT],
        frequencies=torch.from_numpy(counts / counts.sum()).float(),
        characters=torch.from_numpy(reader.letters(text.forms)),
        digests=[hashlib.sha256(path.read_bytes()).hexdigest() for path in read_from],
    )


def build_network(config: Config, tokenizer: Tokenizer, vectors: Pretrained, data: Data) -> Network:
    network = Network(config.network, tokenizer.get_vocab_size(), len(data.text.alphabet) + 2)
    fill_embedding(network.embedding, tokenizer, vectors)
    return network


def fit_network(network: Network, config: Config, data: Data) -> None:
    fit(
        network,
        lengths=data.train[:, 1].tolist(),
        loss=partial(batch_loss, network, data, config.negatives),
        validate=partial(validate, network, data),
        options=config.fit,
        folder=training_folder(config.runs, config.out.stem, config, data.digests),
    )


def batch_loss(network: Network, data: Data, negatives: int, indices: list[int]) -> BatchLoss:
    ids, *others = network_inputs(network, data, data.train[indices])
    predictions, right = network(ids, *others)
    sampled = torch.multinomial(data.frequencies, negatives, replacement=True)
    among, place = torch.cat([right, sampled.to(right.device)]).unique(return_inverse=True)
    frequencies = data.frequencies.to(right.device)[among]
    bias = network.bias[among] - sampling_probability(len(place), frequencies).log()
    loss = projected_cross_entropy(
        predictions, network.embedding.weight[among], bias, place[: len(right)], 0.0
    )
    return BatchLoss(loss, len(right), int(others[-1].sum()))


def validate(network: Network, data: Data) -> float:
    """The mean logarithm of the probability of a held-out word, among all words."""
    surprise, count = 0.0, 0
    sizes = data.held_out[:, 1].tolist()
    for indices in bucketed(sizes, tokens=1024, seed=0, epoch=0):
        predictions, right = network(*network_inputs(network, data, data.held_out[indices]))
        scores = functional.linear(predictions, network.embedding.weight, network.bias)
        surprise += float(functional.cross_entropy(scores.float(), right, reduction="sum"))
        count += len(right)
    return -surprise / max(1, count)


def network_inputs(
    network: Network, data: Data, stretches: NDArray[np.int64]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Ids, characters of the different words, which of these each word has, and lengths of stretches."""
    device = network.bias.device
    sizes = torch.from_numpy(stretches[:, 1])
    places = stretches[:, :1] + np.arange(stretches[:, 1].max())
    real = mask(sizes, places.shape[1])
    places = np.minimum(places, len(data.text.ids) - 1)
    ids = torch.from_numpy(data.text.ids[places]).long() * real
    if network.char_cnn is None:
        return ids.to(device), data.characters, ids, sizes.to(device)
    different, where = np.unique(data.text.written[places], return_inverse=True)
    characters = data.characters[different].long()
    found = torch.from_numpy(where.reshape(places.shape))
    return ids.to(device), characters.to(device), found.to(device), sizes.to(device)


def sampling_probability(draws: int, chance: Tensor) -> Tensor:
    """The probability that a word is sampled at least once, if a draw samples it with probability `chance`.

    >>> sampling_probability(2, torch.tensor([0.5]))
    tensor([0.7500])
    """
    return -torch.expm1(draws * torch.log1p(-chance))


@by_first
def save(network: Network, config: Config, tokenizer: Tokenizer, alphabet: str) -> Path:
    """What `read_pretrained` reads: words and their vectors, alphabet, layer and character CNN."""
    state = network.state_dict()
    config.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(
        {
            "words": [tokenizer.id_to_token(row) for row in range(1, tokenizer.get_vocab_size())],
            "alphabet": alphabet,
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
