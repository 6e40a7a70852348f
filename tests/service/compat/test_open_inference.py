"""The Open Inference Protocol V2, by the client that Triton has for it."""

import json
import struct
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from ..helpers import ask, compat_error


@pytest.fixture
def infer(client: httpx.Client) -> Iterator[triton.InferenceServerClient]:
    server = triton.InferenceServerClient(f"{client.base_url.host}:{client.base_url.port}")
    yield server
    server.close()


def tensor(texts: list[str], shape: list[int] | None = None, *, binary: bool = True) -> Any:
    array = np.array([text.encode() for text in texts], dtype=object).reshape(shape or [-1])
    made = triton.InferInput("text", list(array.shape), "BYTES")
    made.set_data_from_numpy(array, binary_data=binary)
    return made


def test_its_client_finds_a_server_that_is_ready(infer: triton.InferenceServerClient) -> None:
    assert infer.is_server_live()
    assert infer.is_server_ready()
    assert infer.get_server_metadata()["name"] == "textloom"
    for name in ("ner", "sentiment", "translate-fr-en"):
        about = infer.get_model_metadata(name)
        version = about["versions"][0]
        assert infer.is_model_ready(name)
        assert infer.is_model_ready(name, version)
        assert infer.get_model_metadata(name, version) == about
        assert [each["datatype"] for each in about["inputs"] + about["outputs"]] == ["BYTES"] * 2
    assert not infer.is_model_ready("ner", "99")
    assert not infer.is_model_ready("unknown")


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize(
    ("name", "path", "parameters", "options"),
    [
        ("ner", "/ner", {"labels": "PER,LOC", "min_score": 0.3}, {"labels": ["PER", "LOC"], "min_score": 0.3}),
        ("ner", "/ner", {"offsets": "utf16"}, {"offsets": "utf16"}),
        ("sentiment", "/sentiment", {"sentences": True}, {"sentences": True}),
        ("translate-fr-en", "/translate", {"alternatives": 1}, {"alternatives": 1}),
    ],
)  # fmt: skip
def test_its_client_gets_what_the_task_answers(
    infer: triton.InferenceServerClient,
    client: httpx.Client,
    name: str,
    path: str,
    parameters: dict[str, Any],
    options: dict[str, Any],
    binary: bool,
) -> None:
    texts = ["😀 Ada Lovelace lived in London.", "", "A good table.\nÉtonnant!"]
    asked = [tensor(texts, [3, 1], binary=binary)]
    answer = infer.infer(name, asked, request_id="mine", parameters=parameters)
    documents = [json.loads(document) for document in answer.as_numpy("answer")]
    assert documents == ask(client, path, text=texts, **options)["results"]
    response = answer.get_response()
    assert (response["model_name"], response["id"]) == (name, "mine")
    version = response["model_version"]
    wanted = [triton.InferRequestedOutput("answer")]
    again = infer.infer(name, asked, model_version=version, outputs=wanted, parameters=parameters)
    assert [json.loads(document) for document in again.as_numpy("answer")] == documents


def test_its_client_is_told_what_is_wrong_too(infer: triton.InferenceServerClient) -> None:
    asked = [tensor(["a"])]
    for name, arguments, said in (
        ("unknown", {}, "there are: ner"),
        ("ner", {"model_version": "99"}, "not 99"),
        ("ner", {"parameters": {"lables": "PER"}}, "did you mean labels"),
        ("ner", {"parameters": {"labels": "PRE"}}, "unknown label"),
        ("ner", {"outputs": [triton.InferRequestedOutput("tags")]}, "/outputs/0/name"),
    ):
        with pytest.raises(InferenceServerException, match=said):
            infer.infer(name, asked, **arguments)


@pytest.mark.parametrize(
    "parameters",
    [
        {"content_type": "str"},
        {"content_type": "pd", "headers": {"x": "y"}},
        {
            "sequence_id": 5,
            "sequence_start": True,
            "sequence_end": False,
            "priority": 1,
            "timeout": 9,
        },
        {"binary_data_output": True, "triton_enable_empty_final_response": True, "custom": [1]},
        None,
    ],
)
def test_parameters_that_say_nothing_here_are_ignored(
    tiny_client: httpx.Client, parameters: dict[str, Any] | None
) -> None:
    """MLServer's clients send some, and null for what they leave out; Triton's send others."""
    text = {
        "name": "args",
        "datatype": "BYTES",
        "shape": [1, 1],
        "data": ["London"],
        "parameters": parameters,
    }
    query = {"id": None, "parameters": parameters, "inputs": [text], "outputs": None}
    answer = tiny_client.post("/v2/models/ner/infer", json=query)
    assert answer.status_code == 200, answer.text
    assert "LOC" in answer.json()["outputs"][0]["data"][0]
    assert "id" not in answer.json()


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_its_client_may_compress_what_it_sends(
    infer: triton.InferenceServerClient, algorithm: str
) -> None:
    asked = [tensor(["Ada Lovelace lived in London."] * 20)]
    answer = infer.infer("ner", asked, request_compression_algorithm=algorithm)
    assert len(answer.as_numpy("answer")) == 20


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ([], "/inputs"),
        ([{"name": "text", "datatype": "INT64", "shape": [1], "data": [1]}], "/inputs/0/datatype"),
        ([{"name": "text", "datatype": "BYTES", "shape": [2], "data": ["a"]}], "shape"),
        ([{"name": "text", "datatype": "BYTES", "shape": [1], "data": [5]}], "no string"),
        ([{"name": "text", "datatype": "BYTES", "shape": [1]}], "neither"),
        ([{"name": "text", "datatype": "BYTES", "shape": [0], "data": []}], "/text"),
    ],
)
def test_a_wrong_tensor_is_refused(
    tiny_client: httpx.Client, tensors: list[dict[str, Any]], said: str
) -> None:
    response = tiny_client.post("/v2/models/ner/infer", json={"inputs": tensors})
    assert said in compat_error(response, 400)


def test_nested_data_is_read_in_order(tiny_client: httpx.Client) -> None:
    texts = [["London", ""], ["Ada Lovelace", "London"]]
    asked = {"name": "text", "datatype": "BYTES", "shape": [2, 2], "data": texts}
    answer = tiny_client.post("/v2/models/ner/infer", json={"inputs": [asked]}).json()
    found = [json.loads(each)["entities"] for each in answer["outputs"][0]["data"]]
    assert [[entity["text"] for entity in each] for each in found] == [
        ["London"], [], ["Ada Lovelace"], ["London"],
    ]  # fmt: skip
    assert answer["outputs"][0]["shape"] == [4]


@pytest.mark.parametrize(
    "binary",
    [
        struct.pack("<I", 9) + b"London",
        struct.pack("<I", 1) + b"\xff",
        struct.pack("<I", 6) + b"London\x01",
    ],
)
def test_a_damaged_binary_tensor_is_refused(tiny_client: httpx.Client, binary: bytes) -> None:
    asked: dict[str, Any] = {"name": "text", "datatype": "BYTES", "shape": [1]}
    asked["parameters"] = {"binary_data_size": len(binary)}
    head = json.dumps({"inputs": [asked]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    response = tiny_client.post("/v2/models/ner/infer", content=head + binary, headers=headers)
    assert "input tensor" in compat_error(response, 400)
    headers["Inference-Header-Content-Length"] = "9999"
    response = tiny_client.post("/v2/models/ner/infer", content=head, headers=headers)
    assert "Length" in compat_error(response, 400)
