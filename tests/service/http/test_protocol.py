"""The fast adapter: the answers are those of ASGI; the limits of heads, slow bodies and idle connections hold."""

import itertools
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..conftest import running, serving
from ..helpers import until, value

HEAD = b"POST /ner HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
BODY = b'{"text": "Ada Lovelace"}'
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@contextmanager
def guarded(models: Path, folder: Path, *arguments: str) -> Iterator[httpx.Client]:
    arguments = ("--models", str(models), "--workers", "1", *arguments)
    with running(folder / "log", *arguments) as (_, client):
        yield client


@pytest.fixture(scope="module")
def narrow(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("narrow")
    with guarded(tiny_models, folder, "--max-head-bytes", "1000") as client:
        yield client


@pytest.fixture(scope="module")
def shallow(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with guarded(
        tiny_models, tmp_path_factory.mktemp("shallow"), "--max-body-bytes", "20000"
    ) as client:
        yield client


@pytest.fixture(scope="module")
def shallow_asgi(tiny_models: Path) -> Iterator[httpx.Client]:
    with serving(tiny_models, max_body_bytes=20_000, adapter="asgi") as client:
        yield client


@pytest.fixture(scope="module")
def hurried(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("hurried")
    limits = ("--read-seconds", "0.5", "--idle-seconds", "1")
    with (
        guarded(tiny_models, folder, *limits) as client,
        # none is kept: it might be closed as idle just when it is used again
        httpx.Client(
            base_url=client.base_url,
            timeout=180,
            limits=httpx.Limits(max_keepalive_connections=0),
        ) as fresh,
    ):
        yield fresh


@contextmanager
def connected(client: httpx.Client) -> Iterator[socket.socket]:
    url = client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=120) as connection:
        yield connection


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def until_seen(connection: socket.socket, words: bytes, times: int = 1) -> bytes:
    """What comes until these words have."""
    seen = b""
    while seen.count(words) < times:
        part = connection.recv(65536)
        assert part, seen
        seen += part
    return seen


def dripped(connection: socket.socket, part: bytes, head: bytes = HEAD) -> bytes:
    """What comes while the head of a request goes on and on, in small parts."""
    connection.setblocking(False)
    connection.send(head)
    seen = b""

    def answered() -> bool:
        nonlocal seen
        try:
            part_of_answer = connection.recv(65536)
            seen += part_of_answer
        except BlockingIOError:
            connection.send(part)
            return False
        except OSError:
            return True
        return not part_of_answer

    until(answered)
    return seen


def counted(client: httpx.Client, status: int, route: str = "unmatched") -> float:
    return value(client, "textloom_http_requests_total", route=route, status=str(status))


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Long": "a" * 1000},
        {"X" * 1000: "a"},
        {f"X-{number}": "a" for number in range(200)},
        {"Cookie": "a" * 300_000},
    ],
    ids=["value", "name", "many", "more than a buffer"],
)
def test_a_head_over_the_limit_is_431(narrow: httpx.Client, headers: dict[str, str]) -> None:
    before = counted(narrow, 431)
    refused = httpx.get(narrow.base_url.join("/models"), headers=headers, timeout=180)
    assert refused.status_code == 431
    assert refused.headers["connection"] == "close"
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert problem["code"] == "head_too_large"
    assert "over 1000 bytes" in problem["detail"]
    assert counted(narrow, 431) == before + 1


def test_a_long_path_is_431_too(narrow: httpx.Client) -> None:
    address = narrow.base_url.join("/" + "a" * 2000)
    assert httpx.get(address, timeout=180).status_code == 431


def test_a_head_that_comes_in_small_parts_and_never_ends_is_431(narrow: httpx.Client) -> None:
    with connected(narrow) as connection:
        assert dripped(connection, b"X-More: a\r\n").startswith(b"HTTP/1.1 431 ")


def test_below_the_limit_nothing_changes(narrow: httpx.Client) -> None:
    for length in (0, 500, 100_000):
        answer = narrow.post("/ner", json={"text": "a" * length}, headers={"X-Some": "a" * 500})
        assert answer.status_code == 200
    with connected(narrow) as connection:
        half = len(WHOLE) // 2
        connection.sendall(WHOLE + WHOLE + WHOLE[:half])
        connection.sendall(WHOLE[half:])
        until_seen(connection, b"HTTP/1.1 200 OK", times=3)


def test_a_body_that_no_route_reads_is_no_head(narrow: httpx.Client) -> None:
    """The route answers before the body has come; what comes then is still the body."""
    with connected(narrow) as connection:
        head = HEAD.replace(b"application/json", b"text/plain")
        connection.sendall(head + b"Content-Length: 60000\r\n\r\n")
        assert until_seen(connection, b'"errors":[]}').startswith(b"HTTP/1.1 415 ")
        for _ in range(6):
            connection.sendall(b"a" * 10_000)
        connection.sendall(WHOLE)
        assert until_seen(connection, b'"usage"').startswith(b"HTTP/1.1 200 ")


def answered(connection: socket.socket) -> tuple[int, set[str], Any]:
    """Status, names of the headers, and the JSON of the next answer, without what differs between any two."""
    seen = b""
    while b"\r\n\r\n" not in seen:
        seen += connection.recv(65536)
    head, _, body = seen.partition(b"\r\n\r\n")
    status, *lines = head.decode().lower().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    while len(body) < int(headers["content-length"]):
        body += connection.recv(65536)
    answer = json.loads(body)
    answer.pop("request_id", None)
    return int(status.split()[1]), headers.keys() - {"connection"}, answer


@pytest.mark.parametrize(
    ("fields", "body", "status"),
    [
        (b"Content-Type: application/json", BODY, 200),
        (b"Content-Type: application/json", b'{"text": "%s"}' % (b"Ada " * 4000), 200),
        (b"Content-Type: application/json", b'{"text": ', 400),
        (b"Content-Type: application/json", b'{"text": "%s"}' % (b"a" * 30_000), 413),
        (b"Content-Type: text/plain", BODY, 415),
        (b"Content-Type: application/json", b'{"texts": "a"}', 422),
        (b"Content-Type: application/json\r\nX-Request-Timeout-Ms: soon", BODY, 422),
    ],
    ids=["short", "long", "no JSON", "too large", "no media type of ours", "no query", "no time"],
)
def test_the_answer_is_the_same_however_a_request_comes_and_through_asgi(
    shallow: httpx.Client, shallow_asgi: httpx.Client, fields: bytes, body: bytes, status: int
) -> None:
    line = b"POST /ner HTTP/1.1\r\nHost: a\r\n" + fields
    head = line + b"\r\nContent-Length: %d" % len(body)
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    ways = [
        [head + b"\r\n\r\n" + body],
        [head + b"\r\n\r\n", body],
        [head + b"\r\n\r\n" + body[:5], body[5:]],
        [head + b"\r\nConnection: close\r\n\r\n" + body],
        [line + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks],
    ]
    answers = []
    for client, pieces in itertools.product((shallow, shallow_asgi), ways):
        with connected(client) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.05)
            answers.append(answered(connection))
    assert answers[0][0] == status
    assert "date" in answers[0][1]
    for answer in answers[1:]:
        assert answer == answers[0]


def asked(connection: socket.socket, *pieces: bytes) -> list[tuple[int, str]]:
    """Status, and the name that was found, of each answer to what is sent."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in pieces:
        connection.sendall(piece)
        time.sleep(0.05)
    connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
    seen = until_seen(connection, b'"live"')
    answers = [part.split(b"\r\n\r\n", 1) for part in seen.split(b"HTTP/1.1 ")[1:-1]]
    return [(int(head[:3]), body.decode()) for head, body in answers]


@pytest.mark.parametrize("kind", ["narrow", "shallow", "hurried"])
def test_a_request_means_the_same_wherever_it_is_cut(
    kind: str, request: pytest.FixtureRequest
) -> None:
    client = request.getfixturevalue(kind)
    other = WHOLE.replace(b"Ada Lovelace", b"now London :")
    half = len(WHOLE) - len(BODY) // 2
    length = b"Content-Length: %d\r\n\r\n" % (len(WHOLE) + 1)
    with connected(client) as connection:
        ways = [
            [WHOLE],
            [other],
            [WHOLE + other],
            [WHOLE[:half], WHOLE[half:]],
            [WHOLE[: -len(BODY)], BODY],
            [b"\r\n" + WHOLE],
            [b"\r\n", WHOLE],
            [HEAD[:9], HEAD[9:] + WHOLE[len(HEAD) :]],
            [HEAD + length + b"{", WHOLE],  # a body that is such a request
            [
                HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(WHOLE),
                WHOLE,
                b"\r\n0\r\n\r\n",
            ],
        ]
        answers = [asked(connection, *pieces) for _ in range(2) for pieces in ways]
    again, first = answers[len(ways) :], answers[: len(ways)]
    statuses = [[status for status, _ in each] for each in first]
    assert statuses == [[200], [200], [200, 200], [200], [200], [200], [200], [200], [400], [400]]
    assert [[status for status, _ in each] for each in again] == statuses
    for each in (first, again):
        names = [re.findall("Ada|London", body)[0] for part in each[:-2] for _, body in part]
        assert names == ["Ada", "London", "Ada", "London", "Ada", "Ada", "Ada", "Ada", "Ada"]


def test_pipelined_requests_are_answered_in_their_order(narrow: httpx.Client) -> None:
    texts = [f"Ada {'and ' * number}Bob" for number in range(20)]
    bodies = [json.dumps({"text": text}).encode() for text in texts]
    with connected(narrow) as connection:
        connection.sendall(
            b"".join(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body for body in bodies)
        )
        seen = until_seen(connection, b'"usage"', times=len(texts))
    characters = [int(count) for count in re.findall(rb'"characters":(\d+)', seen)]
    assert characters[:-1] == [len(text) for text in texts][: len(characters) - 1]
    assert len(characters) >= len(texts) - 1


def test_an_upgrade_is_ignored_and_the_body_is_read(narrow: httpx.Client) -> None:
    """Java's client asks for HTTP/2 like this whenever it posts, and curl with --http2."""
    fields = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"
    request = WHOLE.replace(b"Host: a\r\n", b"Host: a\r\n" + fields)
    half = len(request) - 5
    chunk = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    chunked = HEAD + fields + chunk
    for pieces in ([request], [request[:half], request[half:]], [chunked], [request + WHOLE]):
        with connected(narrow) as connection:
            for status, body in asked(connection, *pieces):
                assert status == 200
                assert "Ada" in body


def test_an_address_in_full_may_have_no_path(narrow: httpx.Client) -> None:
    for address, said in ((b"http://a", b"<!doctype html>"), (b"http://a/health/live", b'"live"')):
        with connected(narrow) as connection:
            connection.sendall(b"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % address)
            answer = everything(connection)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert said in answer.lower()


def test_what_is_no_http_is_400_after_the_answers_to_what_came_before(
    narrow: httpx.Client,
) -> None:
    before = counted(narrow, 400)
    with connected(narrow) as connection:
        connection.sendall(WHOLE + WHOLE + b"nonsense\r\n\r\n" + WHOLE)
        answers = re.split(rb"HTTP/1\.1 (?=\d)", everything(connection))[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"200", b"400"]
    assert b'"code":"bad_request"' in answers[-1]
    assert b"connection: close" in answers[-1]
    assert counted(narrow, 400) == before + 1


def test_a_body_whose_chunks_are_broken_is_400(narrow: httpx.Client) -> None:
    with connected(narrow) as connection:
        connection.sendall(HEAD + b'Transfer-Encoding: chunked\r\n\r\n3\r\n{"t\r\nzz\r\n')
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"bad_request"' in answer


def test_a_caller_who_leaves_before_the_body_came_is_counted(narrow: httpx.Client) -> None:
    before = counted(narrow, 499, "/ner")
    with connected(narrow) as connection:
        connection.sendall(HEAD + b"Content-Length: 30\r\n\r\n" + BODY[:5])
    until(lambda: counted(narrow, 499, "/ner") == before + 1)


def test_a_head_that_does_not_end_in_time_is_408(hurried: httpx.Client) -> None:
    before = counted(hurried, 408)
    with connected(hurried) as connection:
        connection.sendall(HEAD)
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"too_slow"' in answer
    assert counted(hurried, 408) == before + 1


def test_a_head_that_drips_is_408(hurried: httpx.Client) -> None:
    with connected(hurried) as connection:
        assert dripped(connection, b"X-More: a\r\n").startswith(b"HTTP/1.1 408 ")


def test_a_connection_on_which_only_blank_lines_come_is_closed(hurried: httpx.Client) -> None:
    with connected(hurried) as connection:
        assert b" 200 OK" not in dripped(connection, b"\r\n", head=b"\r\n")


@pytest.mark.parametrize(
    "kind", [b"Content-Length: 100\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n3\r\n"]
)
def test_a_body_that_does_not_end_in_time_is_408(hurried: httpx.Client, kind: bytes) -> None:
    before = counted(hurried, 408, "/ner")
    with connected(hurried) as connection:
        connection.sendall(HEAD + kind + b'{"t')
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body must come within 0.5 s" in answer
    assert counted(hurried, 408, "/ner") == before + 1


def test_a_body_for_a_compatibility_api_that_does_not_end_in_time_is_408(
    hurried: httpx.Client,
) -> None:
    head = HEAD.replace(b"/ner", b"/v2/models/ner/infer")
    with connected(hurried) as connection:
        connection.sendall(head + b"Content-Length: 100\r\n\r\n{")
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'{"error":' in answer


@pytest.mark.parametrize("sent", [b"", WHOLE], ids=["nothing ever came", "after a request"])
def test_an_idle_connection_is_closed(hurried: httpx.Client, sent: bytes) -> None:
    with connected(hurried) as connection:
        connection.sendall(sent)
        answer = everything(connection)  # ends, because the other side closes
    assert answer.startswith(b"HTTP/1.1 200 OK") if sent else answer == b""


def test_a_long_computation_is_not_idle(hurried: httpx.Client) -> None:
    """The limits are for what the caller sends, not for how long the answer takes."""
    text = "a good table, an awful table. " * 30_000
    headers = {"X-Request-Timeout-Ms": "600000"}
    answers: list[httpx.Response] = []

    def came_in_time() -> bool:
        """A busy machine may take more than half a second to send it all."""
        answers.append(hurried.post("/sentiment", json={"text": text}, headers=headers))
        return answers[-1].status_code != 408

    until(came_in_time)
    assert answers[-1].status_code == 200
    assert answers[-1].json()["usage"]["tokens"] > 100_000


def test_zero_is_no_limit(tiny_models: Path, tmp_path: Path) -> None:
    with guarded(tiny_models, tmp_path, "--max-head-bytes", "0") as client:
        headers: dict[str, Any] = {"X-Long": "a" * 200_000}
        assert client.get("/models", headers=headers).status_code == 200
