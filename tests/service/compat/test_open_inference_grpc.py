"""The Open Inference Protocol V2 over gRPC, by the client that Triton has for it."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from service.auth import api_keys
from service.compat import inference_pb2, open_inference_grpc

from ..conftest import ROOT, running
from ..helpers import ask, until, value

Client = Any  # triton.InferenceServerClient, which has no annotations


@contextmanager
def served(folder: Path, models: Path, *arguments: str) -> Iterator[tuple[Client, httpx.Client]]:
    """Clients of a server's two ports."""
    log = folder / "log"
    arguments = ("--models", str(models), "--grpc", "127.0.0.1:0", *arguments)
    with running(log, *arguments, ready="--keys" not in arguments) as (_, http):
        address = re.search(r"gRPC: ([0-9.:]+)", log.read_text())
        assert address, log.read_text()
        client = triton.InferenceServerClient(address[1])
        try:
            until(lambda: http.get("/health/ready").status_code == 200)
            yield client, http
        finally:
            client.close()


@pytest.fixture(scope="module", params=["1", "2"], ids=["one process", "two processes"])
def both(
    request: pytest.FixtureRequest, tiny_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Client, httpx.Client]]:
    folder = tmp_path_factory.mktemp("grpc")
    limits = ("--workers", request.param, "--max-body-bytes", "100000", "--timeout-ms", "600000")
    with served(folder, tiny_models, *limits) as clients:
        yield clients


def tensor(*texts: Any, shape: list[int] | None = None) -> Any:
    array = np.array(texts, dtype=object).reshape(shape or [-1])
    made = triton.InferInput("text", list(array.shape), "BYTES")
    made.set_data_from_numpy(array)
    return made


def test_its_client_finds_a_server_that_is_ready(both: tuple[Client, httpx.Client]) -> None:
    client, _ = both
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.get_server_metadata().name == "textloom"
    about = client.get_model_metadata("ner")
    assert (about.name, list(about.versions)) == ("ner", ["1"])
    assert [each.datatype for each in [*about.inputs, *about.outputs]] == ["BYTES"] * 2
    assert client.is_model_ready("ner")
    assert client.is_model_ready("ner", "1")
    assert not client.is_model_ready("ner", "99")
    assert not client.is_model_ready("unknown")


@pytest.mark.parametrize(
    ("name", "path", "parameters", "options"),
    [
        ("ner", "/ner", {"labels": "PER,LOC", "min_score": 0.3}, {"labels": ["PER", "LOC"], "min_score": 0.3}),
        ("sentiment", "/sentiment", {"sentences": True}, {"sentences": True}),
        ("translate-fr-en", "/translate", {"alternatives": 1, "custom": 3}, {"alternatives": 1}),
    ],
)  # fmt: skip
def test_its_client_gets_what_the_task_answers(
    both: tuple[Client, httpx.Client],
    name: str,
    path: str,
    parameters: dict[str, Any],
    options: dict[str, Any],
) -> None:
    client, http = both
    texts = ["😀 Ada Lovelace lived in London.", "", "A good table.\nÉtonnant!"]
    asked = [tensor(*texts, shape=[3, 1])]
    answer = client.infer(
        name, asked, request_id="mine", parameters=parameters, compression_algorithm="gzip"
    )
    documents = [json.loads(document) for document in answer.as_numpy("answer")]
    assert documents == ask(http, path, text=texts, **options)["results"]
    response = answer.get_response()
    assert (response.model_name, response.model_version, response.id) == (name, "1", "mine")
    again = client.infer(name, asked, outputs=[triton.InferRequestedOutput("answer")])
    assert len(again.as_numpy("answer")) == 3


def test_texts_may_come_as_contents_and_are_then_answered_so(
    both: tuple[Client, httpx.Client],
) -> None:
    """As clients of KServe and MLServer do it."""
    client, _ = both
    request = inference_pb2.ModelInferRequest(model_name="ner")
    text = request.inputs.add(name="text", datatype="BYTES", shape=[1])
    text.contents.bytes_contents.append(b"London")
    call = client._channel.unary_unary(
        f"/{open_inference_grpc.SERVICE}/ModelInfer",
        request_serializer=inference_pb2.ModelInferRequest.SerializeToString,
        response_deserializer=inference_pb2.ModelInferResponse.FromString,
    )
    answer, ended = call.with_call(request, metadata=[("x-request-id", "mine")])
    assert b"London" in answer.outputs[0].contents.bytes_contents[0]
    assert not answer.raw_output_contents
    assert ("x-request-id", "mine") in ended.trailing_metadata()


def test_its_client_is_told_what_is_wrong(both: tuple[Client, httpx.Client]) -> None:
    client, _ = both
    for name, asked, arguments, code, said in (
        ("unknown", [tensor("a")], {}, "NOT_FOUND", "there are: ner"),
        ("a/b", [tensor("a")], {}, "NOT_FOUND", "there are: ner"),
        ("ner", [tensor("a")], {"model_version": "99"}, "NOT_FOUND", "not 99"),
        ("ner", [tensor("a")], {"parameters": {"lables": "PER"}}, "INVALID_ARGUMENT", "labels?"),
        ("ner", [tensor("a"), tensor("b")], {}, "INVALID_ARGUMENT", "/inputs"),
        ("ner", [tensor(b"\xff")], {}, "INVALID_ARGUMENT", "UTF-8"),
        ("ner", [tensor("a" * 200_000)], {}, "RESOURCE_EXHAUSTED", "larger than max"),
        ("ner", [tensor("a" * 99_950)], {}, "RESOURCE_EXHAUSTED", "over 100000 bytes"),
    ):
        with pytest.raises(InferenceServerException, match=re.escape(said)) as raised:
            client.infer(name, asked, **arguments)
        assert raised.value.status() == f"StatusCode.{code}"


def test_calls_are_counted_with_the_requests(both: tuple[Client, httpx.Client]) -> None:
    client, http = both
    labels = {"route": "/v2/models/{name}/infer", "status": "404"}
    before = value(http, "textloom_http_requests_total", **labels)
    with pytest.raises(InferenceServerException):
        client.infer("unknown", [tensor("a")])
    until(lambda: value(http, "textloom_http_requests_total", **labels) == before + 1)


def test_a_key_is_needed_where_one_is(tiny_models: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    made, sent = api_keys.make(1, "shop")
    api_keys.write(keys, [made])
    with served(tmp_path, tiny_models, "--keys", str(keys), "--workers", "1") as (client, _):
        with pytest.raises(InferenceServerException, match="send a key") as raised:
            client.infer("ner", [tensor("a")])
        assert raised.value.status() == "StatusCode.UNAUTHENTICATED"
        assert client.infer("ner", [tensor("a")], headers={"authorization": f"Bearer {sent}"})


def test_a_deadline_of_the_call_is_that_of_the_request(both: tuple[Client, httpx.Client]) -> None:
    client, _ = both
    with pytest.raises(InferenceServerException) as raised:
        client.infer("ner", [tensor("London " * 14_000)], client_timeout=0.001)
    assert raised.value.status() == "StatusCode.DEADLINE_EXCEEDED"
    for seconds in (600, 10**7):
        assert client.infer("ner", [tensor("London")], client_timeout=seconds)


def test_an_address_that_is_taken_ends_the_server(tiny_models: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        command = [sys.executable, "-m", "service", "--port", "0", "--grpc", address]
        command += ["--models", str(tiny_models)]
        ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert f"cannot listen on {address}" in ended.stderr


def test_the_messages_are_those_of_the_protocol() -> None:
    """Field by field, as far as they are served, those that Triton's client sends."""
    theirs = triton.service_pb2
    ours = inference_pb2.DESCRIPTOR.message_types_by_name
    assert len(ours) == 14

    def compare(mine: Any, other: Any) -> None:
        for name, field in mine.fields_by_name.items():
            same = other.fields_by_name[name]
            assert (field.number, field.type) == (same.number, same.type), (mine.name, name)
        for name, inner in mine.nested_types_by_name.items():
            compare(inner, other.nested_types_by_name[name])

    for name, message in ours.items():
        compare(message, theirs.DESCRIPTOR.message_types_by_name[name])


def test_the_generated_module_is_that_of_the_file(tmp_path: Path) -> None:
    folder = ROOT / "service" / "compat"
    command = [sys.executable, "-m", "grpc_tools.protoc", "--proto_path", str(folder)]
    command += ["--python_out", str(tmp_path), "--pyi_out", str(tmp_path), "inference.proto"]
    subprocess.run(command, cwd=folder, check=True)
    for name in ("inference_pb2.py", "inference_pb2.pyi"):
        assert (tmp_path / name).read_text() == (folder / name).read_text()


def test_grpc_is_never_imported_without_the_setting() -> None:
    code = "import sys, service.app, service.__main__; assert 'grpc' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
