"""Embeddings learned with the task or pretrained on plain text: what each gives for how many labelled orders.

The pretrained vectors are those of the shipped tagger, which were trained on an encyclopedia.
"""

from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from matplotlib import pyplot as plt
from tokenizers import Tokenizer
from torch import Tensor

from training.understand.figure import FigureOptions, save
from training.understand.tagger import Tagger, learn, read_orders, recall, words_in

TAGGER = Path(__file__).parents[2] / "models" / "ner"
STARTS = {
    "learned": "#777777",
    "pretrained, fine-tuned": "#1f5fa8",
    "pretrained, frozen": "#c2571a",
}


class Config(FigureOptions):
    steps: int = 120
    """Steps of a training."""
    sizes: tuple[int, ...] = (5, 10, 20, 40, 80, 160)
    """Labelled orders; a training for each."""


def draw(config: Config) -> list[Path]:
    """Prints accuracies, and draws them."""
    orders, test = read_orders("train"), read_orders("test")
    vectors = shipped_vectors(words_in(orders + test))
    figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
    for start, colour in STARTS.items():
        scores = []
        for size in config.sizes:
            torch.manual_seed(config.seed)
            known = orders[:size]
            if start == "learned":
                tagger = Tagger(words_in(known))
            else:
                tagger = Tagger(dict.fromkeys([*words_in(known), *vectors]))
                fill(tagger, vectors)
                tagger.embedding.requires_grad_("fine-tuned" in start)
            learn(tagger, known, steps=config.steps, seed=config.seed)
            scores.append(recall(tagger, test))
        print(f"{start}: " + ", ".join(f"{score:.0%}" for score in scores))
        axes.plot(config.sizes, scores, marker=".", label=start, color=colour)
    axes.set_xscale("log")
    axes.set_xticks(config.sizes, [str(size) for size in config.sizes])
    axes.minorticks_off()
    axes.set(xlabel="labelled orders", ylabel="words of names tagged right")
    axes.legend()
    path = save(figure, config.out, "embeddings")
    plt.close(figure)
    return [path]


def shipped_vectors(words: Sequence[str]) -> dict[str, Tensor]:
    """The vectors of those words that the newest tagger in `models/` knows."""
    folder = max(TAGGER.iterdir(), key=lambda version: int(version.name))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    initializers = onnx.load(folder / "model.onnx").graph.initializer
    known = tokenizer.get_vocab_size()
    parts = [onnx.numpy_helper.to_array(one) for one in initializers if one.dims[:1] == [known]]
    (table,) = (part for part in parts if part.shape[1] > 1)
    (scale,) = (part for part in parts if part.shape[1] == 1)
    found = {word: row for word in words if (row := tokenizer.token_to_id(word)) is not None}
    return {
        word: torch.from_numpy(table[row].astype("float32") * scale[row].astype("float32"))
        for word, row in found.items()
    }


def fill(tagger: Tagger, vectors: dict[str, Tensor]) -> None:
    """Copies the vectors into their rows; the other rows stay."""
    for word, vector in vectors.items():
        tagger.embedding.weight.data[tagger.rows[word]] = vector
