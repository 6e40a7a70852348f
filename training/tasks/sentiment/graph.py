"""The classifier's ONNX graph, and its check against PyTorch."""

from functools import partial
from pathlib import Path

import torch
from tokenizers import Tokenizer

from service.tasks.session import Session
from training.config import Precision
from training.export.onnx_graph import Graph
from training.export.parity import check_graph, random_word_batch, single_row
from training.nn.layers import FORBIDDEN
from training.tasks.sentiment.network import HASH, LONG, Network


def write_graph(network: Network, tokenizer: Tokenizer, folder: Path, precision: Precision) -> None:
    """`model.onnx` and `tokenizer.json` into `folder`."""
    tokenizer.save(str(folder / "tokenizer.json"))
    graph = Graph(precision)
    ids = graph.input("words", "int64", ["batch", "time"])
    lengths = graph.input("lengths", "int32", ["batch"])
    time_first = graph.node("Transpose", ids, perm=[1, 0])
    x = graph.embedding(time_first, network.embedding)
    largest = float(network.embedding.weight.detach().abs().max())
    outputs, last = graph.recurrent(x, lengths, network.stack, largest)
    size = graph.node("Gather", graph.node("Shape", time_first), graph.constant(0))
    steps = graph.node("Range", graph.constant(0), size, graph.constant(1))
    ends = graph.node("Cast", lengths, to=7)
    column = graph.node("Unsqueeze", steps, graph.constant([1]))
    real = graph.node("Unsqueeze", graph.node("Less", column, ends), graph.constant([2]))
    count = graph.node("Unsqueeze", graph.node("Cast", lengths, to=1), graph.constant([1]))
    total = graph.node("ReduceSum", outputs, graph.constant([0]), keepdims=0)
    masked = graph.node("Where", real, outputs, graph.constant(FORBIDDEN, "float32"))
    highest = graph.node("ReduceMax", masked, graph.constant([0]), keepdims=0)
    pooled = [graph.node("Div", total, count), highest, last]
    if network.pairs:
        following = graph.node("Pad", time_first, graph.constant([-1, 0, 1, 0]))
        spread = graph.node("Add", graph.node("Mul", time_first, graph.constant(HASH)), following)
        rows = graph.node("Mod", spread, graph.constant(network.pairs.num_embeddings))
        found = graph.embedding(rows, network.pairs)
        total = graph.node("ReduceSum", found, graph.constant([0]), keepdims=0)
        pooled.append(graph.node("Div", total, count))
    joined = graph.node("Concat", *pooled, axis=-1)
    # looked up, since a power of many numbers is rounded differently from that of one
    confidence = torch.arange(LONG + 1)[:, None] ** network.growth / network.temperature
    place = graph.node("Min", lengths, graph.constant(LONG, "int32"))
    scale = graph.node("Gather", graph.constant(confidence.numpy(), "float32"), place)
    logits = graph.node("Mul", graph.linear(joined, network.output), scale)
    logits = graph.node("Add", logits, graph.constant(network.prior.numpy(), "float32"))
    graph.output(logits, "logits", "float", ["batch", network.output.out_features])
    graph.save(folder / "model.onnx")


def check_parity(network: Network, folder: Path, precision: Precision) -> dict[str, float]:
    """Compares the graph with PyTorch on ragged random batches, and each text alone and among others."""
    session = Session(folder / "model.onnx")
    worst = 0.0
    for seed in range(8):
        feeds = random_word_batch(network.embedding.num_embeddings, seed)
        with torch.no_grad():
            logits = network(
                torch.from_numpy(feeds["words"]), torch.from_numpy(feeds["lengths"]).long()
            )
        difference = check_graph(
            session,
            feeds,
            {"logits": logits.numpy()},
            partial(single_row, feeds),
            len(feeds["lengths"]),
            precision,
        )
        worst = max(worst, difference)
    return {"model.onnx": worst}
