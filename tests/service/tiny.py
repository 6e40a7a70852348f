"""A model repository of tiny real bundles, made in a moment: a few words each, and graphs of a few nodes.

The tagger knows two names, the classifier a good, a bad and a neutral word, and the translators write English
in small and French in capital letters.
"""

import string
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from service import tasks
from service.registry import bundle
from service.registry.bundle import Bundle, Corpus, Golden, Limits, Manifest, Training
from service.tasks.base import predict
from service.tasks.translate.reading import SPECIAL

OPSET = 17
EOS = 2

TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
LABELS = ["negative", "neutral", "positive"]
WORDS = {"Ada": "B-PER", "Lovelace": "I-PER", "London": "B-LOC"}
JUDGED = {"good": "positive", "awful": "negative", "table": "neutral"}

INT64, INT32, FLOAT = TensorProto.INT64, TensorProto.INT32, TensorProto.FLOAT


def repository(folder: Path) -> Path:
    """A repository with version 1 of each of the four bundles."""
    ner(folder)
    sentiment(folder)
    translator(folder, "en", "fr")
    translator(folder, "fr", "en")
    return folder


def ner(folder: Path, name: str = "ner", certainty: float = 6.0) -> Bundle:
    """Knows `Ada Lovelace` and `London`, by `certainty` better than that they are no names."""
    staged = bundle.stage(folder, name)
    words = ["[PAD]", "[UNK]", *WORDS]
    _word_tokenizer(words).save(str(staged / "tokenizer.json"))
    table = np.zeros((len(words), len(TAGS)), np.float32)
    table[:2, 0] = 6.0
    for row, word in enumerate(words[2:], start=2):
        table[row, TAGS.index(WORDS[word])] = certainty
    blank = np.zeros(len(TAGS), np.float32)
    _graph(
        staged / "letters.onnx",
        nodes=[
            helper.make_node("Cast", ["characters"], ["numbers"], to=FLOAT),
            helper.make_node("ReduceMax", ["numbers"], ["spelled"], axes=[1]),
        ],
        inputs={"characters": (INT64, 2)},
        outputs={"spelled": (FLOAT, 2)},
        constants={},
    )
    _graph(
        staged / "model.onnx",
        nodes=[
            helper.make_node("Gather", ["table", "words"], ["emissions"]),
            helper.make_node("Identity", ["square"], ["transitions"]),
            helper.make_node("Identity", ["blank"], ["start"]),
            helper.make_node("Identity", ["blank"], ["end"]),
        ],
        inputs={"words": (INT64, 2), "spelled": (FLOAT, 3), "lengths": (INT32, 1)},
        outputs={
            "emissions": (FLOAT, 3),
            "transitions": (FLOAT, 2),
            "start": (FLOAT, 1),
            "end": (FLOAT, 1),
        },
        constants={"table": table, "square": np.diag(blank), "blank": blank},
    )
    return _publish(
        staged,
        task="ner",
        languages=["en"],
        labels=["LOC", "PER"],
        options={"tags": TAGS, "alphabet": "abcdefghijklmnopqrstuvwxyzAL", "word_characters": 8},
        golden=["Ada Lovelace lived in London."],
    )


def sentiment(
    folder: Path,
    judged: dict[str, str] = JUDGED,
    *,
    name: str = "sentiment",
    labels: list[str] = LABELS,
) -> Bundle:
    """Knows that `good` is positive, `awful` negative and `table` neutral, or what else it is told."""
    staged = bundle.stage(folder, name)
    words = ["[PAD]", "[UNK]", *judged]
    _word_tokenizer(words).save(str(staged / "tokenizer.json"))
    table = np.zeros((len(words), len(labels)), np.float32)
    for row, word in enumerate(words[2:], start=2):
        table[row, labels.index(judged[word])] = 3.0
    _graph(
        staged / "model.onnx",
        nodes=[
            helper.make_node("Gather", ["table", "words"], ["gathered"]),
            helper.make_node("ReduceSum", ["gathered", "axis"], ["logits"], keepdims=0),
        ],
        inputs={"words": (INT64, 2), "lengths": (INT32, 1)},
        outputs={"logits": (FLOAT, 2)},
        constants={"table": table, "axis": np.array([1], np.int64)},
    )
    return _publish(
        staged,
        task="sentiment",
        languages=["en"],
        labels=labels,
        options={},
        golden=["a good one", "an awful one"],
    )


SEARCH = {"beam": 2, "length_penalty": 1.0, "repeats": 2, "reader": 1}
ACCENTED = dict(zip("àâçèéêëîïôùû", "aaceeeeiiouu", strict=True))
READABLE = {*map(chr, range(33, 127)), *ACCENTED} - set(string.ascii_uppercase)


def translator(folder: Path, source: str, target: str, name: str = "") -> Bundle:
    """Writes what it reads: in capital letters into French, without accents into English."""
    into_french = {letter: letter.upper() for letter in filter(str.islower, READABLE)}
    known = READABLE | set(into_french.values()) if target == "fr" else READABLE
    changes = into_french if target == "fr" else ACCENTED
    return copier(folder, source, target, known, changes, name=name)


def copier(
    folder: Path,
    source: str,
    target: str,
    known: Collection[str],
    changes: Mapping[str, str],
    options: dict[str, Any] = SEARCH,
    name: str = "",
    log_probability: float = -0.1,
) -> Bundle:
    """Writes what it reads character by character, but for `changes`, each with this log-probability.

    A character that is changed into none ends the translation.
    """
    staged = bundle.stage(folder, name or f"translate-{source}-{target}")
    pieces = ["[PAD]", "[BOS]", "[EOS]", *sorted({*known, *SPECIAL, "▁"})]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    tokenizer.save(str(staged / "tokenizer.json"))
    mapping = [vocabulary[changes.get(piece, piece) or "[EOS]"] for piece in pieces]
    _copying_graphs(staged, mapping, log_probability)
    return _publish(
        staged,
        task="translate",
        languages=[source, target],
        labels=[],
        options=options,
        golden=["The cat sleeps."],
    )


def _copying_graphs(staged: Path, mapping: list[int], log_probability: float) -> None:
    """An encoder and a decoder that write, for each token of the source, the one that `mapping` says."""
    _graph(
        staged / "encoder.onnx",
        nodes=[
            helper.make_node("Gather", ["mapping", "source"], ["values"]),
            helper.make_node("Identity", ["source"], ["keys"]),
            helper.make_node("Unsqueeze", ["lengths", "one"], ["column"]),
            helper.make_node("Cast", ["column"], ["number"], to=INT64),
            helper.make_node("Sub", ["number", "number"], ["position"]),
        ],
        inputs={"source": (INT64, 2), "lengths": (INT32, 1)},
        outputs={"position": (INT64, 2), "keys": (INT64, 2), "values": (INT64, 2)},
        constants={"mapping": np.array(mapping), "one": np.array([1])},
    )
    # the byte at `position`, and as much worse choices some others
    others = np.array([[*range(40, 50), EOS]])
    scores = np.array([[log_probability, *np.linspace(-60, -90, others.size)]], np.float32)
    _graph(
        staged / "decoder.onnx",
        nodes=[
            # with padding at its end, whatever the longest source
            helper.make_node("Pad", ["values", "more"], ["padded"]),
            # a copy of each sentence's values for every row of its beam
            helper.make_node("Shape", ["padded"], ["shape"]),
            helper.make_node("Gather", ["shape", "one"], ["width"]),
            helper.make_node("Shape", ["values"], ["sentences"], end=1),
            helper.make_node("Shape", ["position"], ["rows"], end=1),
            helper.make_node("Div", ["rows", "sentences"], ["beam"]),
            helper.make_node("Concat", ["one", "beam", "one"], ["copies"], axis=0),
            helper.make_node("Unsqueeze", ["padded", "one"], ["deep"]),
            helper.make_node("Tile", ["deep", "copies"], ["tiled"]),
            helper.make_node("Concat", ["rows", "width"], ["flat"], axis=0),
            helper.make_node("Reshape", ["tiled", "flat"], ["copied"]),
            helper.make_node("Sub", ["width", "one"], ["last"]),
            helper.make_node("Min", ["position", "last"], ["index"]),
            helper.make_node("GatherElements", ["copied", "index"], ["best"], axis=1),
            helper.make_node("Sub", ["best", "best"], ["zero"]),
            helper.make_node("Add", ["zero", "others"], ["rest"]),
            helper.make_node("Concat", ["best", "rest"], ["tokens"], axis=1),
            helper.make_node("Cast", ["zero"], ["nothing"], to=FLOAT),
            helper.make_node("Add", ["nothing", "scores"], ["log_probabilities"]),
            helper.make_node("Add", ["position", "one"], ["next_position"]),
            helper.make_node("Reshape", ["position", "minus"], ["attended"]),
        ],
        inputs={
            "token": (INT64, 1),
            "position": (INT64, 2),
            "keys": (INT64, 2),
            "values": (INT64, 2),
            "lengths": (INT32, 1),
        },
        outputs={
            "log_probabilities": (FLOAT, 2),
            "tokens": (INT64, 2),
            "next_position": (INT64, 2),
            "attended": (INT64, 1),
        },
        constants={
            "one": np.array([1]),
            "minus": np.array([-1]),
            "more": np.array([0, 0, 0, 1]),
            "others": others,
            "scores": scores,
        },
    )


def _publish(staged: Path, *, task: str, golden: list[str], **about: Any) -> Bundle:
    manifest = Manifest(
        name=staged.parent.name,
        task=task,
        version=1,
        limits=Limits(max_tokens=50),
        opset=OPSET,
        training=Training(
            recipe={},
            corpora=[Corpus(file="tiny", split="train", examples=1, sha256="0", licence="CC0-1.0")],
            commit="none",
            seed=0,
            libraries={},
            device="cpu",
            seconds=0.0,
            parameters=0,
            finished="2025-01-01T00:00:00Z",
        ),
        scores={"tiny": {"score": 1.0}},
        **about,
    )
    loaded = tasks.open_bundle(bundle.seal(staged, manifest))
    answers = predict(loaded, golden, loaded.request(golden))
    examples = [
        Golden(input=text, answer=answer.model_dump(mode="json"))
        for text, answer in zip(golden, answers, strict=True)
    ]
    (staged / bundle.MANIFEST).unlink()
    return bundle.publish(bundle.seal(staged, manifest.model_copy(update={"golden": examples})))


def _word_tokenizer(words: list[str]) -> Tokenizer:
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def _graph(
    path: Path,
    *,
    nodes: list[onnx.NodeProto],
    inputs: dict[str, tuple[int, int]],
    outputs: dict[str, tuple[int, int]],
    constants: dict[str, Any],
) -> None:
    """A graph whose inputs and outputs have these types and ranks, every size left open."""

    def values(named: dict[str, tuple[int, int]]) -> list[onnx.ValueInfoProto]:
        return [
            helper.make_tensor_value_info(name, kind, [f"{name}_{axis}" for axis in range(rank)])
            for name, (kind, rank) in named.items()
        ]

    graph = helper.make_graph(
        nodes,
        "tiny",
        values(inputs),
        values(outputs),
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
