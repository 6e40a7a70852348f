"""Every route, without the key, with a wrong, an expired and a revoked one; quotas; the second port."""

import base64
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import tritonclient.http as triton
from libretranslatepy import LibreTranslateAPI
from tritonclient.utils import InferenceServerException

from service.app import create_app
from service.auth import api_keys
from service.auth.api_keys import ApiKey
from service.settings import Settings
from textloom import Client, Refused

from ..conftest import Serve, running, serving
from ..helpers import TASKS, Brake, families, keep_busy, until, value

DOWNLOAD = "/compat/libretranslate/download_file/ner"
PUBLIC = {"/health/live", "/health/ready"}
"""Beside the download of a file, whose name is a secret."""
ASSETS = {"/playground/{asset}": "page.js", "/docs/{asset}": "favicon.png"}
ROUTES = sorted(
    (
        route.method,
        route.path.format(name="ner", version=1, asset=ASSETS.get(route.path), file="card"),
    )
    for route in create_app(Settings()).router.routes
    if "download_file" not in route.path
)
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A file of keys, and what callers send, by label."""
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    return file, write(
        file,
        api_keys.make(1, "good"),
        api_keys.make(2, "expired", expires=NOW - timedelta(seconds=1)),
        revoked(api_keys.make(3, "revoked")),
    )


def write(file: Path, *made: tuple[ApiKey, str]) -> dict[str, str]:
    api_keys.write(file, [key for key, _ in made])
    return {key.label: sent for key, sent in made} | {"wrong": "tl-1-" + "A" * 43}


def revoked(made: tuple[ApiKey, str]) -> tuple[ApiKey, str]:
    key, sent = made
    return key.model_copy(update={"revoked": NOW}), sent


@pytest.fixture(scope="module")
def protected(
    serve: Serve, tiny_models: Path, key_file: tuple[Path, dict[str, str]]
) -> Iterator[httpx.Client]:
    with serve(tiny_models, keys=key_file[0]) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def said(response: httpx.Response) -> str:
    """The words of an error, in whichever shape its route has it."""
    body = response.json()
    words: str = body.get("detail") or body["error"]
    return words


# --- every route


def test_all_routes_are_covered() -> None:
    paths = {path for _, path in ROUTES}
    assert {
        *TASKS,
        "/",
        "/docs",
        "/openapi.json",
        "/models",
        "/metrics",
        "/playground/page.js",
    } <= paths
    assert {"/v2", "/v2/models/ner/infer", "/compat/libretranslate/translate"} <= paths
    assert len(ROUTES) >= 24


def test_a_full_queue_is_told_to_none_but_those_with_a_key(
    tiny_models: Path,
    key_file: tuple[Path, dict[str, str]],
    brake: Brake,
) -> None:
    good = bearer(key_file[1]["good"])
    with (
        serving(
            tiny_models, threads=2, queue_tokens=10, keys=key_file[0], timeout_ms=600_000
        ) as client,
        ThreadPoolExecutor() as threads,
    ):
        client.headers.update(good)
        busy = keep_busy(brake, client, threads)
        second = threads.submit(client.post, "/ner", json={"text": "waits " * 8})
        until(lambda: 'textloom_queue_depth{model="ner"} 1.0' in client.get("/metrics").text)
        query = {"text": "one two three"}
        assert client.post("/ner", json=query).status_code == 503
        nobody = client.post("/ner", json=query, headers={"Authorization": ""})
        assert nobody.status_code == 401
        brake.released.set()
        assert {answer.result().status_code for answer in (*busy, second)} == {200}


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[1] not in PUBLIC])
def test_a_route_answers_a_good_key_and_no_other(
    protected: httpx.Client, key_file: tuple[Path, dict[str, str]], method: str, path: str
) -> None:
    _, sent = key_file
    for key, words in (
        (None, "send a key"),
        ("wrong", "no such key"),
        ("expired", "is expired"),
        ("revoked", "is revoked"),
    ):
        refused = protected.request(method, path, headers=bearer(sent[key]) if key else {})
        assert refused.status_code == 401, key
        assert words in said(refused)
        assert refused.headers["www-authenticate"].startswith("Bearer ")
        assert sent["good"] not in refused.text
    answered = protected.request(method, path, headers=bearer(sent["good"]))
    if path.endswith("/card"):  # which the tiny bundles lack
        assert answered.status_code == 404
        assert "has no such page" in said(answered)
    else:
        assert answered.status_code not in (401, 403, 404, 405, 500)


@pytest.mark.parametrize("path", ["/ner", "/v2/models/ner/infer", "/nothing"])
def test_without_a_key_no_body_is_read(protected: httpx.Client, path: str) -> None:
    """Who waits to be told to send it is refused instead."""
    request = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    request += "Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
    url = protected.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=60) as connection:
        connection.sendall(request.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_of_a_long_body_nothing_is_read_for_a_key_in_it(
    protected: httpx.Client, key_file: tuple[Path, dict[str, str]], kind: str
) -> None:
    path = "/compat/libretranslate/translate"
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\n".encode()
    url = protected.base_url
    for rest in (
        b"Content-Length: 70000\r\nExpect: 100-continue\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n" + (b"2710\r\n" + b"a" * 10_000 + b"\r\n") * 7,
    ):
        with socket.create_connection((url.host, url.port or 80), timeout=60) as connection:
            connection.sendall(head + rest)
            assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")
    query = {"q": "a" * 70_000, "source": "fr", "target": "en", "alternatives": 9}
    good = key_file[1]["good"]
    assert protected.post(path, json={**query, "api_key": good}).status_code == 401
    assert protected.post(path, json=query, headers=bearer(good)).status_code == 400


@pytest.mark.parametrize("path", ["/nothing", "/ner/", "//ner", "/health/live/", "/v2/nothing"])
def test_a_path_without_a_route_needs_a_key_too(protected: httpx.Client, path: str) -> None:
    assert protected.get(path).status_code == 401


@pytest.mark.parametrize("path", sorted(PUBLIC))
def test_health_is_public(protected: httpx.Client, path: str) -> None:
    assert protected.get(path).status_code == 200


def test_a_browser_and_curl_may_send_the_key_as_a_password(
    protected: httpx.Client, key_file: tuple[Path, dict[str, str]]
) -> None:
    good = key_file[1]["good"]
    assert protected.get("/", auth=("anybody", good)).status_code == 200
    assert protected.get("/", auth=(good, "anybody")).status_code == 401
    assert (
        protected.get("/")
        .headers["www-authenticate"]
        .endswith('Basic realm="TextLoom", charset="UTF-8"')
    )
    for broken in ("Basic", "Basic %%%", "Basic YQ", "Bearer", "Digest a", "\xff"):
        headers = {b"Authorization": broken.encode("latin-1")}
        assert protected.get("/", headers=headers).status_code == 401
    encoded = base64.b64encode(f":{good}".encode()).decode()
    assert protected.get("/", headers={"Authorization": f"basic {encoded}"}).status_code == 200


def test_a_client_of_libretranslate_sends_its_key_as_it_always_does(
    protected: httpx.Client, key_file: tuple[Path, dict[str, str]]
) -> None:
    good, address = key_file[1]["good"], str(protected.base_url.join("/compat/libretranslate"))
    libre = LibreTranslateAPI(address, api_key=good)
    assert libre.translate("Un chien", "fr", "en") == LibreTranslateAPI(
        address, api_key=good
    ).translate("Un chien", "fr", "en")
    assert libre.detect("Un chien court dans la neige.")
    assert libre.languages()
    path, query = "/compat/libretranslate/translate", {"q": "a", "source": "fr", "target": "en"}
    assert protected.post(path, json={**query, "api_key": good}).status_code == 200
    for wrong in ({}, {"api_key": "wrong"}, {"api_key": 5}, {"api_key": key_file[1]["revoked"]}):
        assert protected.post(path, json={**query, **wrong}).status_code == 401
        assert protected.post(path, data={**query, **wrong}).status_code == 401
        multipart = {name: (None, str(value)) for name, value in {**query, **wrong}.items()}
        assert protected.post(path, files=multipart).status_code == 401
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert protected.post(path, content="q=é", headers=form).status_code == 401
    multipart = {name: (None, value) for name, value in {**query, "api_key": good}.items()}
    assert protected.post(path, files=multipart).status_code == 200
    assert protected.post(path, params={**query, "api_key": good}).status_code == 200
    assert protected.post(path + "/", json={**query, "api_key": good}).status_code == 200
    assert protected.get("/compat//libretranslate/languages").status_code == 401
    assert protected.get(DOWNLOAD).status_code == 404
    # nowhere else
    assert protected.post("/translate", json={**query, "api_key": good}).status_code == 401


def test_a_client_of_triton_is_told_what_is_wrong(
    protected: httpx.Client, key_file: tuple[Path, dict[str, str]]
) -> None:
    server = triton.InferenceServerClient(f"{protected.base_url.host}:{protected.base_url.port}")
    try:
        with pytest.raises(InferenceServerException, match="send a key"):
            server.get_server_metadata()
        assert server.get_server_metadata(headers=bearer(key_file[1]["good"]))["name"] == "textloom"
    finally:
        server.close()


def test_our_own_client_sends_a_key(
    protected: httpx.Client, key_file: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = str(protected.base_url)
    with Client(address) as client, pytest.raises(Refused) as refused:
        client.models()
    assert refused.value.status == 401
    with Client(address, key=key_file[1]["good"]) as client:
        assert client.models()
        assert client.ner("Ada Lovelace").entities
    monkeypatch.setenv("TEXTLOOM_KEY", key_file[1]["good"])
    with Client(address) as client:
        assert client.models()


def test_a_key_is_named_by_its_label_and_never_shown(
    tiny_models: Path, key_file: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    file, sent = key_file
    log = tmp_path / "log"
    arguments = ("--models", str(tiny_models), "--keys", str(file), "--workers", "1")
    with running(log, *arguments, "--log-level", "debug") as (started, client):
        assert client.post("/ner", json={"text": "a"}, headers=bearer(sent["good"])).is_success
        for label in ("wrong", "expired", "revoked"):
            client.post("/ner", json={"text": "a"}, headers=bearer(sent[label]))
        client.get("/models")
        client.headers.update(bearer(sent["good"]))
        outcomes = {
            ("good", "admitted"): 1,
            ("expired", "expired"): 1,
            ("revoked", "revoked"): 1,
            ("-", "wrong"): 1,
            ("-", "missing"): 1,
        }
        page = client.get("/metrics").text
        for (label, outcome), count in outcomes.items():
            found = value(client, "textloom_key_requests_total", key=label, outcome=outcome)
            assert found >= count, (label, outcome)
        started.terminate()
        started.wait()
    lines = log.read_text()
    assert re.search(r'"route":"/ner","status":200,.*"key":"good"', lines)
    assert re.search(r'"route":"/ner","status":401,.*"key":"revoked"', lines)
    assert re.search(r'"route":"/ner","status":401,.*"key":null', lines)
    for key in sent.values():
        _, _, secret = key.split("-", 2)
        assert secret not in lines + page


def test_a_key_is_added_and_revoked_while_the_service_runs(
    tiny_models: Path, tmp_path: Path
) -> None:
    file = tmp_path / "keys.json"
    first, second = api_keys.make(1, "first"), api_keys.make(2, "second")
    sent = write(file, first)
    with serving(tiny_models, keys=file) as client:
        assert client.get("/models", headers=bearer(sent["first"])).status_code == 200
        sent = write(file, revoked(first), second)
        until(lambda: client.get("/models", headers=bearer(sent["first"])).status_code == 401)
        assert client.get("/models", headers=bearer(sent["second"])).status_code == 200


def test_the_openapi_document_shows_keys_and_limits(
    tiny_models: Path, key_file: tuple[Path, dict[str, str]]
) -> None:
    protections: dict[str, Any] = {"keys": key_file[0], "max_head_bytes": 9000, "read_seconds": 30}
    with serving(tiny_models, **protections) as client:
        document = client.get("/openapi.json", headers=bearer(key_file[1]["good"])).json()
    ner = document["paths"]["/ner"]["post"]
    assert ner["security"] == [{"key": []}]
    assert {"401", "408", "429", "431"} <= ner["responses"].keys()
    assert "Retry-After" in ner["responses"]["429"]["headers"]
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    models = document["paths"]["/models"]["get"]["responses"]
    assert {"401", "429", "431"} <= models.keys()
    assert "408" not in models
    ready = document["paths"]["/health/ready"]["get"]
    assert "security" not in ready
    assert "401" not in ready["responses"]


def test_no_key_is_needed_by_default(tiny_client: httpx.Client) -> None:
    answer = tiny_client.post("/ner", json={"text": "a"}, headers=bearer("anything"))
    assert answer.status_code == 200
    assert "ratelimit" not in answer.headers
    assert "securitySchemes" not in tiny_client.get("/openapi.json").json()["components"]


# --- quotas


@contextmanager
def metered(
    models: Path,
    folder: Path,
    *,
    workers: int,
    rate: int | None = None,
    concurrency: int | None = None,
) -> Iterator[httpx.Client]:
    """A client, with its key, of a service of so many processes."""
    file = folder / "keys.json"
    sent = write(file, api_keys.make(1, "shop", rate=rate, concurrency=concurrency))
    arguments = ("--models", str(models), "--keys", str(file), "--workers", str(workers))
    with running(folder / "log", *arguments) as (_, client):
        client.headers.update(bearer(sent["shop"]))
        yield client


@pytest.mark.parametrize("workers", [1, 2])
def test_over_the_rate_a_key_gets_429_whichever_worker_answers(
    tiny_models: Path, tmp_path: Path, workers: int
) -> None:
    with metered(tiny_models, tmp_path, workers=workers, rate=20) as client:

        def ask(_: int) -> httpx.Response:
            headers = {**client.headers, "Connection": "close"}  # so that either worker is asked
            return httpx.get(client.base_url.join("/models"), headers=headers, timeout=180)

        answers: list[httpx.Response] = []
        with ThreadPoolExecutor(4) as threads:
            # more than once if a minute ends meanwhile
            while not any(answer.status_code == 429 for answer in answers):
                answers += threads.map(ask, range(20 + workers))
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["code"] == "rate_exceeded"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.headers["ratelimit-policy"] == '"rate";q=20;w=60'
        assert re.fullmatch(r'"rate";r=0;t=\d+', refused.headers["ratelimit"])
        admitted = next(answer for answer in answers if answer.status_code == 200)
        assert re.fullmatch(r'"rate";r=\d+;t=\d+', admitted.headers["ratelimit"])
        ready = httpx.get(client.base_url.join("/health/ready"), timeout=180)
        assert ready.status_code == 200


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_left_of_a_quota_is_a_metric(
    tiny_models: Path, tmp_path: Path, workers: int
) -> None:
    with metered(tiny_models, tmp_path, workers=workers, rate=1000, concurrency=5) as client:

        def left(quota: str) -> float:
            return value(client, "textloom_key_quota_remaining", key="shop", quota=quota)

        until(lambda: left("rate") > 990)  # each look is a request
        for _ in range(20):
            assert client.get("/models").status_code == 200
        until(lambda: left("rate") < 980)
        assert left("concurrency") == 4  # this one is under way
        assert value(client, "textloom_key_quota", key="shop", quota="rate") == 1000
        assert value(client, "textloom_key_quota", key="shop", quota="concurrency") == 5


def test_a_key_that_was_revoked_has_no_quota_left(tiny_models: Path, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    shop, other = api_keys.make(1, "shop", rate=50), api_keys.make(2, "other", rate=70)
    sent = write(file, shop, other)
    with serving(tiny_models, keys=file) as client:
        client.headers.update(bearer(sent["other"]))

        def quotas(name: str) -> dict[str, float]:
            samples = families(client)[f"textloom_{name}"].samples
            return {each.labels["key"]: each.value for each in samples}

        assert quotas("key_quota") == {"shop": 50, "other": 70}
        assert quotas("key_quota_remaining")["shop"] == 50
        api_keys.write(file, [other[0]])
        until(lambda: quotas("key_quota") == {"shop": 0, "other": 70})
        assert quotas("key_quota_remaining")["shop"] == 0


def test_over_its_characters_a_key_gets_429_and_the_rest_goes_on(
    serve: Serve, tiny_models: Path, tmp_path: Path
) -> None:
    file = tmp_path / "keys.json"
    sent = write(file, api_keys.make(1, "shop", characters=100))
    with serve(tiny_models, keys=file, timeout_ms=600_000) as client:
        client.headers.update(bearer(sent["shop"]))
        answers: list[httpx.Response] = []
        # more than once if a minute ends meanwhile
        while not any(answer.status_code == 429 for answer in answers):
            answers.append(client.post("/ner", json={"text": ["a" * 30, "b" * 30]}))
            assert answers[-1].status_code in (200, 429)
        assert answers[0].status_code == 200
        assert re.fullmatch(r'"characters";r=40;t=\d+', answers[0].headers["ratelimit"])
        assert answers[-1].json()["code"] == "rate_exceeded"
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        too_large = client.post("/ner", json={"text": "a" * 101})
        assert (too_large.status_code, too_large.json()["code"]) == (413, "too_large")
        assert client.get("/models").status_code == 200
        page = client.get("/metrics").text
    assert 'textloom_key_requests_total{key="shop",outcome="rate_exceeded"} 1.0' in page


def test_over_its_concurrency_a_key_gets_429_until_something_is_done(
    tiny_models: Path,
    tmp_path: Path,
    brake: Brake,
) -> None:
    file = tmp_path / "keys.json"
    shop = api_keys.make(1, "shop", concurrency=2)
    other = api_keys.make(2, "other", concurrency=2)
    sent = write(file, shop, other)
    ask: dict[str, Any] = {"json": {"text": "busy"}, "headers": bearer(sent["shop"])}
    with (
        serving(tiny_models, keys=file, threads=2, timeout_ms=600_000) as client,
        ThreadPoolExecutor() as threads,
    ):
        brake.released.clear()
        busy = [threads.submit(client.post, "/ner", **ask) for _ in range(2)]
        until(lambda: brake.held >= 1)

        def refused() -> bool:
            return client.get("/models", headers=ask["headers"]).status_code == 429

        until(refused)
        answer = client.post("/ner", **ask)
        assert answer.json()["code"] == "concurrency_exceeded"
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["ratelimit"] == '"concurrency";r=0'
        assert client.get("/models", headers=bearer(sent["other"])).status_code == 200
        brake.released.set()
        assert {each.result().status_code for each in busy} == {200}
        until(lambda: not refused())


def test_a_caller_who_leaves_frees_the_place(
    tiny_models: Path,
    tmp_path: Path,
    brake: Brake,
) -> None:
    file = tmp_path / "keys.json"
    sent = write(file, api_keys.make(1, "shop", concurrency=1))
    with serving(tiny_models, keys=file, threads=2) as client:
        client.headers.update(bearer(sent["shop"]))
        brake.released.clear()
        with pytest.raises(httpx.ReadTimeout):
            client.post("/ner", json={"text": "gone"}, timeout=0.2)
        until(lambda: client.get("/models").status_code == 200)


def test_workers_count_concurrency_together(tiny_models: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    with metered(tiny_models, tmp_path, workers=2, concurrency=2) as client:
        text = "a good table, an awful table. " * 3_000

        def load() -> set[int]:
            seen = set()
            while not stop.is_set():
                headers = {**client.headers, "Connection": "close"}
                headers["X-Request-Timeout-Ms"] = "600000"
                address = client.base_url.join("/sentiment")
                answer = httpx.post(address, json={"text": text}, headers=headers, timeout=180)
                seen.add(answer.status_code)
                if answer.status_code == 429:
                    stop.set()
            return seen

        with ThreadPoolExecutor(6) as threads:
            loads = [threads.submit(load) for _ in range(6)]
            assert set().union(*(each.result() for each in loads)) == {200, 429}
        until(lambda: '"concurrency";r=1' in client.get("/models").headers["ratelimit"])


# --- the second port


@pytest.mark.parametrize("workers", [1, 2])
def test_health_and_metrics_are_at_the_second_port_only_and_nothing_else_is(
    tiny_models: Path, tmp_path: Path, key_file: tuple[Path, dict[str, str]], workers: int
) -> None:
    file, sent = key_file
    log = tmp_path / "log"
    arguments = ("--models", str(tiny_models), "--workers", str(workers), "--keys", str(file))
    with running(log, *arguments, "--admin", "127.0.0.1:0", ready=False) as (started, client):
        pattern = r"health and metrics: (http://127.0.0.1:[0-9]+)"
        until(lambda: re.search(pattern, log.read_text()))
        found = re.search(pattern, log.read_text())
        assert found
        with httpx.Client(base_url=found[1], timeout=120) as admin:
            until(lambda: admin.get("/health/ready").status_code == 200)
            assert admin.get("/health/live").status_code == 200
            # the worker that has answered is ready, the other may be a little later
            until(lambda: value(admin, "textloom_model_ready") == 4)
            for method, path in ROUTES:
                if path not in (*PUBLIC, "/metrics"):
                    headers = bearer(sent["good"])
                    assert admin.request(method, path, headers=headers).status_code == 404, path
            client.headers.update(bearer(sent["good"]))
            for path in (*PUBLIC, "/metrics"):
                assert client.get(path).status_code == 404
                assert path not in client.get("/openapi.json").json()["paths"]
            assert client.post("/ner", json={"text": "a"}).status_code == 200
            until(
                lambda: (
                    value(admin, "textloom_http_requests_total", route="/ner", status="200") == 1
                )
            )
        started.terminate()
        assert started.wait(120) == 0


def test_the_second_port_needs_no_keys(tiny_models: Path) -> None:
    with serving(tiny_models, wait=False, admin="127.0.0.1:0") as client:
        assert client.get("/health/ready").status_code == 404
        until(lambda: client.post("/ner", json={"text": "a"}).status_code == 200)
