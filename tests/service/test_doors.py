"""The doors, by the clients that others made for the protocols behind them."""

import json
import struct
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tritonclient.http as triton
from libretranslatepy import LibreTranslateAPI
from tritonclient.utils import InferenceServerException

from .conftest import serving
from .helpers import ask

LIBRE = "/compat/libretranslate"
FRENCH = "Le chat dort sur la chaise dans la cuisine."
ENGLISH = "The cat is sleeping on a chair in the kitchen."


def error(response: httpx.Response, status: int) -> str:
    """What an error says, which both protocols put into `error` and nowhere else."""
    assert response.status_code == status, response.text
    body = response.json()
    assert body.keys() == {"error"}
    said: str = body["error"]
    return said


# --- LibreTranslate


@pytest.fixture
def libre(client: httpx.Client) -> LibreTranslateAPI:
    return LibreTranslateAPI(str(client.base_url.join(LIBRE)), api_key="not looked at")


def test_its_client_translates_as_the_task_does(
    libre: LibreTranslateAPI, client: httpx.Client
) -> None:
    (own,) = ask(client, "/translate", text=FRENCH, source="fr", target="en")["results"]
    assert libre.translate(FRENCH, "fr", "en") == own["translation"]
    assert libre.translate(FRENCH, "auto", "en") == own["translation"]
    assert libre.translate("", "fr", "en") == ""


def test_its_client_sees_the_languages_and_detects_them(libre: LibreTranslateAPI) -> None:
    assert libre.languages() == [
        {"code": "en", "name": "English", "targets": ["fr"]},
        {"code": "fr", "name": "French", "targets": ["en"]},
    ]
    for text, language in ((FRENCH, "fr"), (ENGLISH, "en")):
        found = libre.detect(text)
        assert found[0]["language"] == language
        assert 90 < found[0]["confidence"] <= 100
        assert sum(each["confidence"] for each in found) == pytest.approx(100, abs=0.2)


def test_its_client_is_told_what_is_wrong(libre: LibreTranslateAPI) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        libre.translate(FRENCH, "fr", "de")
    with raised.value as refused:
        assert refused.code == 400
        assert "fr to en" in json.load(refused)["error"]


def test_many_texts_the_language_and_alternatives_come_as_lists(client: httpx.Client) -> None:
    query = {"q": [FRENCH, ENGLISH], "source": "auto", "target": "en", "alternatives": 2}
    answer = client.post(f"{LIBRE}/translate", json=query).json()
    own = ask(client, "/translate", text=query["q"], source="auto", target="en", alternatives=2)
    assert answer["translatedText"] == [result["translation"] for result in own["results"]]
    assert answer["translatedText"][1] == ENGLISH
    assert [each["language"] for each in answer["detectedLanguage"]] == ["fr", "en"]
    assert answer["alternatives"] == [
        [other["translation"] for other in result.get("alternatives", [])]
        for result in own["results"]
    ]
    single = client.post(f"{LIBRE}/translate", json={**query, "q": FRENCH}).json()
    assert single == {key: values[0] for key, values in answer.items()}
    form = client.post(f"{LIBRE}/translate", data={**query, "q": FRENCH, "alternatives": "2"})
    assert form.json() == single


def test_of_a_page_only_the_text_is_translated(tiny_client: httpx.Client) -> None:
    page = '<p class="a > b">a good &amp; b</p>\n<!-- no <b>text</b> --><script>if (a < b) c</script>&lt;table&gt;'
    query = {"q": page, "source": "en", "target": "fr", "format": "html"}
    translated = tiny_client.post(f"{LIBRE}/translate", json=query).json()["translatedText"]
    assert translated.startswith('<p class="a >')
    assert "<!-- no <b>text</b> --><script>if (a < b) c</script>" in translated
    assert "&amp;" in translated
    assert "<table>" not in translated.lower()


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({"q": "a", "source": "fr"}, 400, "/target"),
        ({"source": "fr", "target": "en"}, 400, "/q"),
        ({"q": 5, "source": "fr", "target": "en"}, 400, "/q"),
        ({"q": [], "source": "fr", "target": "en"}, 400, "/text"),
        ({"q": "a", "source": "fr", "target": "en", "format": "markdown"}, 400, "/format"),
        ({"q": "a", "source": "fr", "target": "en", "alternatives": 5}, 400, "/alternatives"),
        ({"q": ["a"] * 1025, "source": "fr", "target": "en"}, 413, "at most 1024"),
    ],
)
def test_a_wrong_translation_is_refused(
    tiny_client: httpx.Client, query: dict[str, Any], status: int, said: str
) -> None:
    assert said in error(tiny_client.post(f"{LIBRE}/translate", json=query), status)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"q=%ff&source=fr&target=en", "application/x-www-form-urlencoded", 400),
        (b"q=a&source=fr&target=en&alternatives=x", "application/x-www-form-urlencoded", 400),
        (b"q=a&source=fr&target=en", "text/plain", 400),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    tiny_client: httpx.Client, body: bytes, kind: str, status: int
) -> None:
    headers = {"Content-Type": kind}
    error(tiny_client.post(f"{LIBRE}/translate", content=body, headers=headers), status)


@pytest.mark.parametrize("path", [f"{LIBRE}/translate", f"{LIBRE}/detect", "/v2/models/ner/infer"])
def test_limits_hold_at_every_door(tiny_models: Path, path: str) -> None:
    with serving(tiny_models, max_body_bytes=900, max_characters=100) as client:
        large = client.post(path, json={"q": "a" * 1000})
        assert "over 900 bytes" in error(large, 413)
        assert large.headers["connection"] == "close"
        tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["a" * 200]}
        query = {"q": "a" * 200, "source": "fr", "target": "en", "inputs": [tensor]}
        if not path.endswith("detect"):  # which reads no more than a part
            assert "at most 100" in error(client.post(path, json=query), 413)
            headers = {"X-Request-Timeout-Ms": "never"}
            refused = client.post(path, json={**query, "q": "a"}, headers=headers)
            assert "X-Request-Timeout-Ms" in error(refused, 400)


# --- Open Inference Protocol V2


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
        ("ner", {"parameters": {"lables": "PER"}}, "/lables"),
        ("ner", {"parameters": {"labels": "PRE"}}, "unknown label"),
        ("ner", {"outputs": [triton.InferRequestedOutput("tags")]}, "/outputs/0/name"),
    ):
        with pytest.raises(InferenceServerException, match=said):
            infer.infer(name, asked, **arguments)


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
    assert said in error(response, 400)


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
    assert "input tensor" in error(response, 400)
    headers["Inference-Header-Content-Length"] = "9999"
    response = tiny_client.post("/v2/models/ner/infer", content=head, headers=headers)
    assert "Length" in error(response, 400)
