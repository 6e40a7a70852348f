"""The translator's two ONNX graphs, encoder and decoder step, and their check against PyTorch."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from service.tasks.session import Session
from service.tasks.translate.task import ALTERNATIVES_WIDTH, PAD, SOURCE_MULTIPLE
from training.config import Precision
from training.export.onnx_graph import Graph
from training.export.parity import check_graph
from training.nn.batches import mask
from training.nn.layers import FORBIDDEN
from training.tasks.translate.network import Network


def write_graphs(
    network: Network, tokenizer: Tokenizer, folder: Path, precision: Precision
) -> None:
    """`encoder.onnx`, `decoder.onnx` (one step) and `tokenizer.json` into `folder`.

    The precision is that of the decoder's recurrent layers and of its product with the whole vocabulary, nearly
    all of a step's work.
    """
    tokenizer.save(str(folder / "tokenizer.json"))
    _encoder_graph(network).save(folder / "encoder.onnx")
    _decoder_graph(network, precision).save(folder / "decoder.onnx")


def _encoder_graph(network: Network) -> Graph:
    graph = Graph()
    source = graph.input("source", "int64", ["batch", "S"])
    lengths = graph.input("lengths", "int32", ["batch"])
    embedded = _embedded(graph, network, graph.node("Transpose", source, perm=[1, 0]))
    outputs, last = graph.recurrent(embedded, lengths, network.encoder, np.inf)
    states = graph.node("Tanh", graph.linear(last, network.bridge))
    state1, state2 = graph.nodes("Split", states, outputs=2, axis=-1, num_outputs=2)
    memory = graph.node("Transpose", outputs, perm=[1, 0, 2])
    decoder, features = network.bridge.out_features // 2, network.encoder.outputs
    parts = _parts(decoder)
    keys = graph.node("Transpose", graph.linear(memory, network.attention.project), perm=[0, 2, 1])
    divided = graph.node("Reshape", keys, graph.constant([0, parts, decoder // parts, -1]))
    graph.output(divided, "keys", "float", ["batch", parts, decoder // parts, "S"])
    graph.output(memory, "values", "float", ["batch", "S", features])
    graph.output(state1, "state1", "float", ["batch", decoder])
    graph.output(state2, "state2", "float", ["batch", decoder])
    return graph


def _decoder_graph(network: Network, precision: Precision) -> Graph:
    graph = Graph(precision)
    decoder, features = network.bridge.out_features // 2, network.encoder.outputs
    token = graph.input("token", "int64", ["rows"])
    state1 = graph.input("state1", "float", ["rows", decoder])
    state2 = graph.input("state2", "float", ["rows", decoder])
    parts = _parts(decoder)
    keys = graph.input("keys", "float", ["sentences", parts, decoder // parts, "S"])
    values = graph.input("values", "float", ["sentences", "S", features])
    lengths = graph.input("lengths", "int32", ["sentences"])

    embedded = _embedded(graph, network, token)
    first = graph.gru_step(embedded, state1, network.first.stack)
    sentences = graph.node("Shape", keys, start=0, end=1)
    shape = [sentences, graph.constant([-1, parts, decoder // parts])]
    query = graph.node("Reshape", first, graph.node("Concat", *shape, axis=0))
    partial_products = graph.node("MatMul", graph.node("Transpose", query, perm=[0, 2, 1, 3]), keys)
    products = graph.node("ReduceSum", partial_products, graph.constant([1]), keepdims=0)
    scaled = graph.node("Mul", products, graph.constant(network.attention.scale, "float32"))
    size = graph.node("Gather", graph.node("Shape", keys), graph.constant(3))
    positions = graph.node("Range", graph.constant(0), size, graph.constant(1))
    limits = graph.node("Unsqueeze", graph.node("Cast", lengths, to=7), graph.constant([1]))
    real = graph.node("Unsqueeze", graph.node("Less", positions, limits), graph.constant([1]))
    masked = graph.node("Where", real, scaled, graph.constant(FORBIDDEN, "float32"))
    nearest = graph.node("ArgMax", masked, axis=-1, keepdims=0)
    looked = graph.node("MatMul", graph.node("Softmax", masked, axis=-1), values)
    context = graph.node("Reshape", looked, graph.constant([-1, features]))
    both = graph.node("Concat", first, context, axis=-1)
    second = graph.gru_step(both, state2, network.second.stack)
    everything = graph.node("Concat", second, context, embedded, axis=-1)
    read = graph.node("Tanh", graph.linear(everything, network.readout))
    product = graph.product(read, network.embedding.weight)
    logits = graph.node("Add", product, graph.weight(network.bias))
    log_probabilities = graph.node("LogSoftmax", logits, axis=-1)
    branches = ALTERNATIVES_WIDTH + 1
    best, tokens = graph.nodes("TopK", log_probabilities, graph.constant([branches]), outputs=2)
    graph.output(best, "log_probabilities", "float", ["rows", branches])
    graph.output(tokens, "tokens", "int64", ["rows", branches])
    attended = graph.node("Reshape", nearest, graph.constant([-1]))
    graph.output(attended, "attended", "int64", ["rows"])
    graph.output(first, "next_state1", "float", ["rows", decoder])
    graph.output(second, "next_state2", "float", ["rows", decoder])
    return graph


def _parts(size: int) -> int:
    """Into how many equal parts of at most 128 a sum over `size` features is divided.

    ONNX Runtime's matrix product adds up longer sums in blocks whose size depends on the other dimensions,
    here on how long the sources of all neighbours are.
    """
    return next(parts for parts in range(1, size + 1) if size % parts == 0 and size <= 128 * parts)


def _embedded(graph: Graph, network: Network, ids: str) -> str:
    rows = graph.embedding(ids, network.embedding)
    return graph.node("Mul", rows, graph.constant(network.scale, "float32"))


def check_parity(network: Network, folder: Path, precision: Precision) -> dict[str, float]:
    """Compares both graphs with PyTorch on ragged random batches, and each text alone and among others."""
    encoder, decoder = Session(folder / "encoder.onnx"), Session(folder / "decoder.onnx")
    worst = {"encoder.onnx": 0.0, "decoder.onnx": 0.0}
    for seed in range(8):
        feeds = _random_sources(network.embedding.num_embeddings, seed)
        source, lengths = feeds["source"], feeds["lengths"]
        with torch.no_grad():
            ids, sizes = torch.from_numpy(source), torch.from_numpy(lengths).long()
            keys, memory, states = network.encode(ids, sizes)
            parts = _parts(keys.shape[2])
            divided = keys.transpose(1, 2).unflatten(1, (parts, -1))
            memories = {"keys": divided.numpy(), "values": memory.numpy()}
            expected = {**memories, "state1": states[0].numpy(), "state2": states[1].numpy()}
            encoder_difference = check_graph(
                encoder, feeds, expected, partial(_alone, feeds), len(lengths), "float32"
            )
            worst["encoder.onnx"] = max(worst["encoder.onnx"], encoder_difference)
            token = np.random.default_rng(seed).integers(
                3, network.embedding.num_embeddings, len(lengths)
            )
            real = mask(sizes, source.shape[1])
            read, (state1, state2) = network.decode(
                torch.from_numpy(token)[:, None], states, keys, memory, real
            )
            best = torch.log_softmax(network.logits(read[:, 0]), -1).topk(ALTERNATIVES_WIDTH + 1)
        step = {"token": token, **expected, "lengths": lengths}
        wanted = {
            "log_probabilities": best.values.numpy(),
            "next_state1": state1.numpy(),
            "next_state2": state2.numpy(),
        }
        decoder_difference = check_graph(
            decoder, step, wanted, partial(_alone, step), len(lengths), precision
        )
        worst["decoder.onnx"] = max(worst["decoder.onnx"], decoder_difference)
    return worst


def _random_sources(vocabulary: int, seed: int) -> dict[str, NDArray[Any]]:
    """A ragged batch of random sources [batch, S] and their lengths."""
    chance = np.random.default_rng(seed)
    lengths = chance.integers(1, 120, chance.integers(2, 20)).astype(np.int32)
    source = chance.integers(3, vocabulary, (len(lengths), _padded(int(lengths.max()))))
    source[np.arange(source.shape[1])[None] >= lengths[:, None]] = PAD
    return {"source": source, "lengths": lengths}


def _padded(length: int) -> int:
    return -(-length // SOURCE_MULTIPLE) * SOURCE_MULTIPLE


def _alone(feeds: dict[str, NDArray[Any]], row: int) -> dict[str, NDArray[Any]]:
    """The feeds of one row by itself, its source padded no further than it would be alone."""
    size = _padded(int(feeds["lengths"][row]))
    single = {name: array[row : row + 1] for name, array in feeds.items()}
    for name, axis in (("source", 1), ("keys", 3), ("values", 1)):
        if name in single:
            single[name] = np.ascontiguousarray(single[name].take(range(size), axis))
    return single
