"""The network as an ONNX graph, and its check against PyTorch."""

from functools import partial
from pathlib import Path

import torch

from service.tasks.session import Session
from training.config import Precision
from training.export.onnx_graph import Graph
from training.export.parity import check_graph, random_word_batch, single_row

from .network import Network


def write_graph(network: Network, folder: Path, precision: Precision) -> None:
    graph = Graph(precision)
    ids = graph.input("words", "int64", ["batch", "time"])
    lengths = graph.input("lengths", "int32", ["batch"])
    x = graph.embedding(graph.node("Transpose", ids, perm=[1, 0]), network.embedding)
    total = graph.node("ReduceSum", x, graph.constant([0]), keepdims=0)
    count = graph.node("Unsqueeze", graph.node("Cast", lengths, to=1), graph.constant([1]))
    logits = graph.linear(graph.node("Div", total, count), network.output)
    graph.output(logits, "logits", "float", ["batch", network.output.out_features])
    graph.save(folder / "model.onnx")


def check_parity(network: Network, folder: Path, precision: Precision) -> dict[str, float]:
    feeds = random_word_batch(network.embedding.num_embeddings, seed=1)
    with torch.no_grad():
        logits = network(torch.from_numpy(feeds["words"]), torch.from_numpy(feeds["lengths"]))
    difference = check_graph(
        Session(folder / "model.onnx"),
        feeds,
        {"logits": logits.numpy()},
        partial(single_row, feeds),
        len(feeds["lengths"]),
        precision,
    )
    return {"model.onnx": difference}
