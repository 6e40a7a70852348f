"""What lies in deploy/kserve is right by KServe's own models, and the service answers from KServe's layout."""

import ast
import re
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import numpy as np
import pytest
import tritonclient.http as triton
import yaml

from service.settings import PREFIX, Settings

from ..service.conftest import running
from ..service.helpers import until
from .conftest import ROOT

FOLDER = ROOT / "deploy" / "kserve"
RUNTIME = yaml.safe_load((FOLDER / "serving-runtime.yaml").read_text())
SERVICE = yaml.safe_load((FOLDER / "inference-service.yaml").read_text())
(CONTAINER,) = RUNTIME["spec"]["containers"]
ENVIRONMENT = {each["name"]: each["value"] for each in CONTAINER["env"]}
MODELS = Path(sys.prefix) / "share" / "kserve" / "kserve" / "models"
"""Classes made from the Go types of KServe, as are its custom resource definitions."""
PLAIN = {"str": str, "bool": bool, "int": int, "float": float, "object": object}


@cache
def described(kind: str) -> tuple[dict[str, str], set[str]] | None:
    """The types of a kind's fields, and which it must have; None if the kind is of Kubernetes itself."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()
    file = MODELS / f"{name}.py"
    if not file.exists():
        assert kind.startswith("V1"), kind
        return None
    text = file.read_text()
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("openapi_types", "attribute_map")
    }
    names: dict[str, str] = constants["attribute_map"]
    required = set(re.findall(r"Invalid value for `(\w+)`, must not be `None`", text))
    types = {names[each]: kind for each, kind in constants["openapi_types"].items()}
    return types, {names[each] for each in required}


def check(value: Any, kind: str, path: str = "") -> None:
    """Raises ValueError if something is missing, of the wrong type, or unknown. What is of Kubernetes passes."""
    if inner := re.fullmatch(r"list\[(.*)\]", kind):
        if not isinstance(value, list):
            raise ValueError(f"{path}: no list")
        for index, each in enumerate(value):
            check(each, inner[1], f"{path}/{index}")
    elif inner := re.fullmatch(r"dict\(str, (.*)\)", kind):
        if not isinstance(value, dict):
            raise ValueError(f"{path}: no map")
        for name, each in value.items():
            check(each, inner[1], f"{path}/{name}")
    elif kind in PLAIN:
        if not isinstance(value, PLAIN[kind]):
            raise ValueError(f"{path}: {value!r} is no {kind}")
    elif found := described(kind):
        types, required = found
        if unknown := value.keys() - types.keys():
            raise ValueError(f"{path}: there is no {unknown}")
        if missing := required - value.keys():
            raise ValueError(f"{path}: {missing} is missing")
        for name, each in value.items():
            check(each, types[name], f"{path}/{name}")


@pytest.fixture(autouse=True)
def _models() -> None:
    if not MODELS.exists():
        pytest.skip("NOT CHECKED, KServe: its models are not here; `make install` brings them")


def test_the_objects_are_right_by_the_published_models() -> None:
    check(RUNTIME, "V1alpha1ServingRuntime")
    check(SERVICE, "V1beta1InferenceService")
    assert RUNTIME["apiVersion"] == "serving.kserve.io/v1alpha1"
    assert SERVICE["apiVersion"] == "serving.kserve.io/v1beta1"
    # the parts that are of Kubernetes
    parts = {name: RUNTIME["spec"][name] for name in ("containers", "volumes")}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": RUNTIME["metadata"], "spec": parts}
    kubernetes_validate.validate(pod, "1.37", strict=True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"predictor": {"model": {"modelFormat": {"nme": "x"}}}}, "nme"),
        ({"predictor": {"model": {}}}, "modelFormat"),
        ({"predictor": {"minReplicas": "2"}}, "minReplicas"),
        ({}, "predictor"),
    ],
)
def test_what_is_wrong_would_be_found(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check({"spec": wrong}, "V1beta1InferenceService")


def test_the_service_asks_for_what_the_runtime_offers() -> None:
    (offered,) = RUNTIME["spec"]["supportedModelFormats"]
    asked = SERVICE["spec"]["predictor"]["model"]
    assert asked["modelFormat"]["name"] == offered["name"]
    assert asked["protocolVersion"] in RUNTIME["spec"]["protocolVersions"]
    assert asked["runtime"] == RUNTIME["metadata"]["name"]
    # KServe takes the container of this name, and mounts models here
    assert CONTAINER["name"] == "kserve-container"
    assert ENVIRONMENT[PREFIX + "MODELS"] == "/mnt/models"
    assert [port["containerPort"] for port in CONTAINER["ports"]] == [8000]
    assert str(CONTAINER["securityContext"]["runAsUser"]) in (ROOT / "Dockerfile").read_text()


def test_the_service_answers_over_the_protocol_from_a_mount_that_it_cannot_write(
    tiny_models: Path, tmp_path: Path
) -> None:
    mount = tmp_path / "mnt" / "models"
    shutil.copytree(tiny_models, mount)
    folders = [mount, *(path for path in mount.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    flags = {name.removeprefix(PREFIX).lower(): value for name, value in ENVIRONMENT.items()}
    assert flags.keys() <= Settings.model_fields.keys()
    flags["models"] = str(mount)
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
    with running(tmp_path / "log", *arguments, "--workers", "1", ready=False) as (_, client):
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            path = CONTAINER[probe]["httpGet"]["path"]
            until(lambda path=path: client.get(path).status_code == 200)
        text = triton.InferInput("text", [1], "BYTES")
        text.set_data_from_numpy(np.array([b"Ada Lovelace"], dtype=np.object_))
        server = triton.InferenceServerClient(client.base_url.netloc.decode())
        answer = server.infer("ner", [text]).as_numpy("answer")
        assert "Ada" in answer[0]
        server.close()
        metrics = RUNTIME["spec"]["annotations"]["prometheus.kserve.io/path"]
        assert client.get(metrics).status_code == 200
    for folder in folders:
        folder.chmod(0o755)
