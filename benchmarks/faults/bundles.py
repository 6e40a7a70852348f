"""New versions of a model that should not be served: damaged, leading elsewhere, exploding, not signed."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults.watch import until
from service.registry import bundle, signatures

NAME = "sentiment"
_versions = itertools.count(1000)
"""No two faults have the same: one worker may still tell of the last when another knows the next."""


def _damaged(path: Path) -> None:
    content = bytearray((path / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (path / "model.onnx").write_bytes(content)


def _link(path: Path) -> None:
    (path / "model.onnx").unlink()
    (path / "model.onnx").symlink_to("/etc/passwd")


def _pipe(path: Path) -> None:
    (path / bundle.MANIFEST).unlink()
    os.mkfifo(path / bundle.MANIFEST)


def _large(path: Path) -> None:
    with (path / "tokenizer.json").open("r+b") as file:
        file.truncate(2 * bundle.MAX_OTHER_BYTES)  # sparse: it takes no room


def _changed(change: Callable[[Any], None]) -> Callable[[Path], None]:
    """Changes the graph and says so in the manifest, as one would who means harm."""

    def write(path: Path) -> None:
        import onnx

        model = onnx.load(path / "model.onnx")
        change(model)
        (path / "model.onnx").write_bytes(model.SerializeToString())
        bundle.seal(path, bundle.read_manifest(path))

    return write


def _bomb(model: Any) -> None:
    """256 GB of zeros, of which the answer takes the first."""
    from onnx import helper, numpy_helper

    answer = model.graph.node[-1]
    answer.output[0] = "before"
    model.graph.initializer.append(numpy_helper.from_array(np.array([2**36]), "huge"))
    model.graph.node.extend(
        [
            helper.make_node("ConstantOfShape", ["huge"], ["zeros"]),
            helper.make_node("ReduceMax", ["zeros"], ["zero"], keepdims=0),
            helper.make_node("Add", ["before", "zero"], ["logits"]),
        ]
    )


def _loop(model: Any) -> None:
    from onnx import TensorProto, helper

    values = [
        helper.make_tensor_value_info(name, kind, [])
        for name, kind in {"n": TensorProto.INT64, "go": TensorProto.BOOL}.items()
    ]
    still = helper.make_tensor_value_info("still", TensorProto.BOOL, [])
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["still"])], "body", values, [still]
    )
    model.graph.node.append(helper.make_node("Loop", ["", ""], [], body=body))


def _external(model: Any) -> None:
    from onnx import TensorProto

    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../etc/passwd")


FAULTS: dict[str, Callable[[Path], None]] = {
    "a bundle with a bit flipped": _damaged,
    "a bundle with a link to /etc/passwd": _link,
    "a bundle with a pipe as its manifest": _pipe,
    "a bundle with a tokenizer of 64 MB": _large,
    "a bundle whose graph makes 256 GB": _changed(_bomb),
    "a bundle whose graph loops for ever": _changed(_loop),
    "a bundle whose graph reads another file": _changed(_external),
}


def unsigned(_: Path) -> None:
    """Nothing is wrong with it but that nobody has signed it."""


def other_manifest(path: Path) -> None:
    """The signature of the version before is put beside it."""
    old = bundle.versions(path.parent.parent, NAME)[0]
    shutil.copy(path.parent / str(old) / signatures.FILE, path)


SIGNED = {
    "a bundle that is not signed, with `trusted_keys`": unsigned,
    "a bundle with the signature of another": other_manifest,
}


def refused(port: int, models: Path, spoil: Callable[[Path], None]) -> str:
    """Publishes a spoiled next version of a model, and says why it was refused."""
    old, version = bundle.versions(models, NAME)[-1], next(_versions)
    staged = models / NAME / ".spoiled"
    shutil.copytree(models / NAME / str(old), staged)
    (staged / signatures.FILE).unlink(missing_ok=True)
    manifest = bundle.read_manifest(staged)
    bundle.seal(staged, manifest.model_copy(update={"version": version}))
    spoil(staged)
    path = staged.rename(models / NAME / str(version))
    reasons: list[str] = []

    def told() -> bool:
        about = _about(port)
        if about["version"] != old:
            raise AssertionError(f"version {about['version']} is served")
        known = about["refused"] or {"version": 0}
        if known["version"] == version:
            reasons.append(known["reason"])
        return bool(reasons)

    try:
        until(told)
    finally:
        shutil.rmtree(path)
    return f"refused: {reasons[0].partition(': ')[2]}"


def make_keys(folder: Path, models: Path) -> Path:
    """Signs every bundle with a new key, whose public half it gives."""
    private, public = folder / "key.pem", folder / "key.pub"
    openssl = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(private)]
    subprocess.run(openssl, check=True, capture_output=True)
    openssl = ["openssl", "pkey", "-in", str(private), "-pubout", "-out", str(public)]
    subprocess.run(openssl, check=True, capture_output=True)
    pairs = [f"{name}={bundle.versions(models, name)[-1]}" for name in bundle.names(models)]
    command = [sys.executable, "-m", "service", "models", "--models", str(models)]
    subprocess.run(
        [*command, "sign", "--key", str(private), *pairs], check=True, capture_output=True
    )
    return public


def _about(port: int) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}/models/{NAME}"
    with urllib.request.urlopen(url, timeout=60) as response:
        found: dict[str, Any] = json.load(response)
    return {"refused": None, **found}
