"""The tagger's two ONNX graphs, the character CNN and the rest, and their check against PyTorch."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from service.tasks.session import Session
from training.config import Precision
from training.export.onnx_graph import Graph
from training.export.parity import check_graph, random_word_batch, single_row
from training.tasks.ner.network import Network


def write_graph(network: Network, tokenizer: Tokenizer, folder: Path, precision: Precision) -> None:
    """`letters.onnx` (of each word once), `model.onnx` and `tokenizer.json` into `folder`."""
    tokenizer.save(str(folder / "tokenizer.json"))
    cnn = Graph()
    filters = network.char_cnn.second.out_channels
    characters = cnn.input("characters", "int64", ["words", "letters"])
    embedded = cnn.embedding(characters, network.char_cnn.embedding)
    hidden = cnn.convolution(
        cnn.node("Transpose", embedded, perm=[0, 2, 1]), network.char_cnn.first
    )
    features = cnn.convolution(cnn.node("Relu", hidden), network.char_cnn.second)
    strongest = cnn.node("ReduceMax", features, cnn.constant([2]), keepdims=0)
    cnn.output(strongest, "spelled", "float", ["words", filters])
    cnn.save(folder / "letters.onnx")

    graph = Graph(precision)
    tags = network.output.out_features
    ids = graph.input("words", "int64", ["batch", "time"])
    spelled = graph.input("spelled", "float", ["batch", "time", filters])
    lengths = graph.input("lengths", "int32", ["batch"])
    known = graph.quantized_embedding(graph.node("Transpose", ids, perm=[1, 0]), network.embedding)
    x = graph.node("Concat", known, graph.node("Transpose", spelled, perm=[1, 0, 2]), axis=-1)
    largest = float(network.embedding.weight.detach().abs().max())
    outputs, _ = graph.recurrent(x, lengths, network.stack, largest)
    temperature = float(network.temperature)
    logits = graph.node("Transpose", graph.linear(outputs, network.output), perm=[1, 0, 2])
    emissions = graph.node("Div", logits, graph.constant(temperature, "float32"))
    graph.output(emissions, "emissions", "float", ["batch", "time", tags])
    for name, potential in zip(
        ("transitions", "start", "end"), network.crf.potentials(), strict=True
    ):
        value = graph.constant(potential.detach().numpy() / temperature, "float32")
        graph.output(value, name, "float", list(potential.shape))
    graph.save(folder / "model.onnx")


def check_parity(network: Network, folder: Path, precision: Precision) -> dict[str, float]:
    """Compares the graphs with PyTorch on ragged random batches, and each text alone and among others."""
    letters, session = Session(folder / "letters.onnx"), Session(folder / "model.onnx")
    worst = {"letters.onnx": 0.0, "model.onnx": 0.0}
    for seed in range(8):
        feeds = random_word_batch(network.embedding.num_embeddings, seed)
        rng = np.random.default_rng(seed)
        shape = feeds["words"].shape
        size = (feeds["words"].size, network.word_characters)
        characters = rng.integers(0, network.char_cnn.embedding.num_embeddings, size)
        ids, lengths = torch.from_numpy(feeds["words"]), torch.from_numpy(feeds["lengths"]).long()
        with torch.no_grad():
            spelled = network.char_cnn(torch.from_numpy(characters))
            emissions = network.tag(ids, spelled.unflatten(0, shape), lengths)
        difference = check_graph(
            letters,
            {"characters": characters},
            {"spelled": spelled.numpy()},
            partial(_word_alone, characters),
            len(characters),
            "float32",
        )
        worst["letters.onnx"] = max(worst["letters.onnx"], difference)
        feeds["spelled"] = spelled.unflatten(0, shape).numpy()
        expected = {"emissions": (emissions / network.temperature).numpy()}
        rows = len(feeds["lengths"])
        difference = check_graph(
            session, feeds, expected, partial(single_row, feeds), rows, precision
        )
        worst["model.onnx"] = max(worst["model.onnx"], difference)
    return worst


def _word_alone(characters: NDArray[np.int64], row: int) -> dict[str, NDArray[np.int64]]:
    return {"characters": characters[row : row + 1]}
