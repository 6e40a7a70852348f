"""Small networks with random weights, written as graphs, for the tests of graphs."""

from itertools import product
from pathlib import Path

import torch
from torch import nn

from training.config import Precision
from training.data.tokenization import word_tokenizer
from training.export.weights import round_to_eight_bits, round_to_half
from training.nn.layers import Cell, Merge
from training.tasks.ner import graph as ner_graph
from training.tasks.ner.config import Architecture as TaggerOptions
from training.tasks.ner.network import Network as Tagger
from training.tasks.sentiment import graph as sentiment_graph
from training.tasks.sentiment.config import Architecture as ClassifierOptions
from training.tasks.sentiment.network import Network as Classifier
from training.tasks.translate import graph as translate_graph
from training.tasks.translate.config import Architecture as TranslatorOptions
from training.tasks.translate.network import Network as Translator

TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
WORDS = word_tokenizer([f"w{number}" for number in range(30)])
MERGES: list[tuple[bool, Merge]] = [
    (True, "concat"),
    (True, "sum"),
    (True, "mean"),
    (True, "max"),
    (False, "concat"),
]
CELLS: list[Cell] = ["rnn", "lstm", "gru"]
ARCHITECTURES = list(product(CELLS, MERGES, [1, 2]))


def randomize(network: nn.Module) -> None:
    """Every weight, bias and transition different, so that none can be mistaken for another."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.25)
    round_to_half(network.eval())


def tagger(
    folder: Path,
    cell: Cell,
    bidirectional: bool,
    merge: Merge,
    layers: int,
    precision: Precision = "float32",
) -> Tagger:
    options = TaggerOptions(
        cell=cell,
        bidirectional=bidirectional,
        merge=merge,
        layers=layers,
        hidden=8,
        embedding=6,
        character_embedding=4,
        character_filters=5,
        word_characters=7,
    )
    network = Tagger(options, WORDS.get_vocab_size(), 12, TAGS, seen=3)
    randomize(network)
    network.merge_change()
    round_to_eight_bits(network.embedding)
    network.temperature.fill_(1.3)
    ner_graph.write_graph(network, WORDS, folder, precision)
    return network


def classifier(
    folder: Path,
    cell: Cell,
    bidirectional: bool,
    merge: Merge,
    layers: int,
    precision: Precision = "float32",
) -> Classifier:
    options = ClassifierOptions(
        cell=cell,
        bidirectional=bidirectional,
        merge=merge,
        layers=layers,
        hidden=8,
        embedding=6,
        pairs=50 if layers == 1 else 0,
    )
    network = Classifier(options, WORDS.get_vocab_size(), 3)
    randomize(network)
    if network.pairs:
        network.pairs.weight.data[0] = 0.0  # that of padding
    network.temperature.fill_(1.3)
    network.growth.fill_(0.2)
    network.prior.copy_(torch.tensor([0.5, -1.0, 0.5]))
    sentiment_graph.write_graph(network, WORDS, folder, precision)
    return network


def translator(folder: Path, layers: int, precision: Precision) -> Translator:
    options = TranslatorOptions(embedding=6, hidden=8, decoder=10, layers=layers)
    network = Translator(options, WORDS.get_vocab_size())
    randomize(network)
    translate_graph.write_graphs(network, WORDS, folder, precision)
    return network
