"""A trial says what is wrong with a bundle, and ends by itself."""

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from service.errors import BundleError
from service.registry import bundle, trial

from .. import tiny


def test_a_good_bundle_passes(tiny_models: Path) -> None:
    trial.run(tiny_models / "ner" / "1")


def test_what_is_wrong_is_said(tiny_models: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(tiny_models / "ner" / "1", tmp_path / "ner" / "1"))
    (copied / "model.onnx").write_bytes(b"")
    with pytest.raises(BundleError, match=r"/ner/1: model\.onnx has 0 bytes instead of \d+$"):
        trial.run(copied)


def test_a_bundle_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    path = tiny.sentiment(tmp_path).path
    model = onnx.load(path / "model.onnx")
    # each product takes a tenth of a second, and none takes memory
    side = 1000
    model.graph.node[-1].output[0] = "before"
    names = ["square", *(f"product{number}" for number in range(5_000))]
    model.graph.node.append(helper.make_node("ReduceMax", ["before"], ["most"], keepdims=0))
    model.graph.node.append(helper.make_node("Mul", ["zeros", "most"], ["square"]))
    model.graph.node.extend(
        helper.make_node("MatMul", [each, "zeros"], [following])
        for each, following in pairwise(names)
    )
    model.graph.node.append(helper.make_node("ReduceMax", [names[-1]], ["none"], keepdims=0))
    model.graph.node.append(helper.make_node("Add", ["before", "none"], ["logits"]))
    zeros = np.zeros((side, side), np.float32)
    model.graph.initializer.append(numpy_helper.from_array(zeros, "zeros"))
    onnx.save(model, path / "model.onnx")
    bundle.seal(path, bundle.read_manifest(path))
    with pytest.raises(BundleError, match="it cannot be loaded within 5 s of processor time"):
        trial.run(path, seconds=5)
