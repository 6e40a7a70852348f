"""The edge: what every request goes through, whatever its route.

`Edge` is a plain ASGI middleware: Starlette's BaseHTTPMiddleware costs a third of a millisecond and hides callers
who leave. A request for a task that its connection has whole goes past ASGI, to `Edge.answer`. `TaskRoute` reads
and writes JSON through pydantic at once, past the layers of FastAPI, and is documented in OpenAPI like any other
route. Leaves out who may pass (auth/) and how an error is written (problems.py).
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from random import getrandbits
from typing import TYPE_CHECKING, Any, get_type_hints

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from service.callers import CallerLeft, WhileConnected, receive_in_time, whole_body
from service.errors import (
    FieldError,
    InternalError,
    InvalidInput,
    TextLoomError,
    TooLarge,
    UnsupportedMediaType,
    where,
)
from service.problems import Fields, Refusal, answer_error, on_the_wire, problem
from service.reading import parse
from service.settings import Settings
from service.telemetry import logs
from service.telemetry.call import Call
from service.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from service.auth.authenticator import Authenticator  # it builds on this
    from service.telemetry.tracing import Traces  # it is optional

logger = logging.getLogger("textloom.http")

INLINE_BYTES = 64 * 1024
"""Bodies up to this size are read in the event loop; longer ones would stall it."""

SHORT_BYTES = 8 * 1024
"""Of a body up to this size the head tells enough: its characters are at most as many."""

MAX_TIMEOUT_MS = 24 * 60 * 60 * 1000

_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")
_TIMEOUT = re.compile(rb"[0-9]{1,8}")


class Edge:
    """Gives every request an id, a limit to its body, an entry in log and metrics, and always an answer.

    A request for a task goes straight to its route: the layers that a framework has for all that a route
    might be would cost as much as the rest of the way.
    """

    def __init__(
        self,
        app: FastAPI,
        *,
        metrics: Metrics,
        settings: Settings,
        reserve: Mapping[str, Callable[[int, float], TextLoomError | None]],
        authenticator: "Authenticator | None" = None,
        traces: "Traces | None" = None,
    ) -> None:
        """authenticator: None if no request needs one. reserve: by path, what reserves room for so many characters
        until their deadline, or gives an error if there is none."""
        self._app = app
        self._reserve = reserve
        self._refusals: dict[str, Refusal] = {}
        self._layers = app.build_middleware_stack()
        tasks = [route for route in app.routes if isinstance(route, TaskRoute)]
        self._tasks = {route.path: route for route in tasks}
        self.tasks = {route.path.encode(): route for route in tasks}
        self._traces = traces
        self._metrics = metrics
        self._settings = settings
        self._short_bytes = min(SHORT_BYTES, settings.max_body_bytes)
        self._authenticator = authenticator

    async def second_port(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The app as the second port has it."""
        scope["second_port"] = True
        await self(scope, receive, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self._app
        if scope["type"] != "http":
            return await self._layers(scope, receive, send)
        began = time.perf_counter()
        headers = scope["headers_by_name"] = dict(scope["headers"])
        request_id = scope["request_id"] = _request_id(headers)
        status = 499  # until an answer starts: the caller left

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        task = self._tasks.get(scope["path"]) if scope["method"] == "POST" else None
        receive = self._receive_limited(headers, receive)
        if self._settings.read_seconds:
            receive = receive_in_time(self._settings.read_seconds, receive)
        try:
            serve = task.serve if task else self._layers
            if self._authenticator:
                scope["route"] = task  # else a refusal would be nobody's
                await self._authenticator.serve(serve, scope, receive, send_with_id)
            else:
                await serve(scope, receive, send_with_id)
        except (CallerLeft, ClientDisconnect):
            pass
        except Exception as error:  # noqa: BLE001  nobody else is left to answer it
            logger.error("request %s failed: %s", request_id, where(error))
            if status != 499:  # too late for another answer; the server cuts the connection
                raise RuntimeError("an answer broke off") from None
            await problem(scope, _failure())(scope, receive, send_with_id)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            method = scope["method"] if route != "unmatched" else "-"
            call, key = scope.get("state", {}).get("call"), scope.get("key")
            self._record(began, headers, request_id, method, route, status, call, key)

    def _record(
        self,
        began: float,
        headers: Mapping[bytes, bytes],
        request_id: str,
        method: str,
        route: str,
        status: int,
        call: Call | None = None,
        key: str | None = None,
    ) -> None:
        """A request that is over, for metrics, log and traces."""
        seconds = time.perf_counter() - began
        self._metrics.request(route, status, seconds)
        if not (self._traces or logs.access.isEnabledFor(logging.INFO)):
            return
        figures: dict[str, Any] = {
            "request_id": request_id,
            "traceparent": logs.traceparent(headers.get(b"traceparent")),
            "method": method,
            "route": route,
            "status": status,
            "ms": seconds * 1000,
            "call": call,
        }
        if self._authenticator:
            figures["key"] = key
        logs.request(figures)
        if self._traces:
            self._traces.request(began, **figures)

    def refusal(self, error: TextLoomError) -> bytes:
        """The answer, as it goes over the wire, to a request of which there is no more than a part of its head."""
        self._metrics.request("unmatched", error.status, 0.0)
        logger.warning("a request is refused: %s", error.detail)
        return on_the_wire("", _request_id({}), error)

    def refused_by_head(
        self, task: "TaskRoute", headers: Mapping[bytes, bytes], size: int, fields: Fields
    ) -> bytes | None:
        """The answer, as it goes over the wire, to a request that cannot be done in time, as far as its head
        tells; None if it can, or if it takes more than the head to tell. The request is then over.

        size: of the body, 0 if the head does not say. fields: what else the head of the answer has.
        """
        reserve = self._reserve.get(task.path)
        if not reserve or not 0 < size <= self._short_bytes:
            return None
        began = time.perf_counter()
        try:
            error = reserve(size, deadline(headers, self._settings))
        except InvalidInput:
            return None
        except TextLoomError as raised:
            error = raised.with_traceback(None)
        if error is None:
            return None
        request_id = _request_id(headers)
        refusal = self._refusals.get(task.path)
        if refusal is None or refusal.error is not error:
            refusal = self._refusals[task.path] = Refusal(task.path, error, fields)
        self._record(began, headers, request_id, "POST", task.path, error.status)
        return refusal.to(request_id)

    async def answer(
        self, task: "TaskRoute", scope: Scope, headers: Mapping[bytes, bytes], body: bytes
    ) -> bytes:
        """The answer, as it goes over the wire, to a request that came whole. Cancel it if its caller leaves.

        The short way: what ASGI has for bodies and answers that come in parts costs as much as the rest.
        """
        began, status, call = time.perf_counter(), 499, None
        scope["app"], scope["headers_by_name"] = self._app, headers
        request_id = scope["request_id"] = _request_id(headers)
        request = Request(scope)
        try:
            call = task.begin(request)
            if len(body) > self._settings.max_body_bytes:
                raise self._too_large()
            content = await task.answer(request, call, body)
            status = 200
            return _OK % (len(content), call.server_timing, request_id.encode(), content)
        except Exception as error:  # noqa: BLE001  nobody else is left to answer it
            if not isinstance(error, TextLoomError) or error.status == 500:
                logger.error("request %s failed: %s", request_id, where(error))
            # of this name nothing is left after the block; another one would keep the frame that it is in
            if not isinstance(error, TextLoomError):
                error = _failure()
            status = error.status
            return on_the_wire(task.path, request_id, error)
        finally:
            self._record(began, headers, request_id, "POST", task.path, status, call)

    def _too_large(self) -> TooLarge:
        limit = self._settings.max_body_bytes
        return TooLarge(f"the body is over {limit} bytes; send it in parts")

    def _receive_limited(self, headers: Mapping[bytes, bytes], receive: Receive) -> Receive:
        """`receive`, until more than the allowed bytes came or are declared."""
        limit = self._settings.max_body_bytes
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) <= limit:
            return receive  # the server reads no more than that
        too_large = declared.isdigit()
        received = 0

        async def receive_limited() -> Message:
            nonlocal received, too_large
            message: Message = {} if too_large else await receive()
            received += len(message.get("body", b""))
            too_large = too_large or received > limit
            if too_large:
                raise self._too_large()
            return message

        return receive_limited


class TaskRoute(APIRoute):
    """A route whose endpoint takes a query model and the request, and gives an answer model."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request for this path, errors included. Raises CallerLeft, ClientDisconnect."""
        scope["route"] = self
        request = Request(scope, receive)
        try:
            call = self.begin(request)
            body = await whole_body(receive)
            with WhileConnected(receive, request.app.state.lookout):
                content = await self.answer(request, call, body)
        except TextLoomError as error:
            response = await answer_error(request, error)
            await response(scope, receive, send)
            return
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(content)),
            (b"server-timing", call.server_timing),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def begin(self, request: Request) -> Call:
        """What the head says. Raises InvalidInput, UnsupportedMediaType."""
        headers = request.scope["headers_by_name"]
        call = request.state.call = Call(deadline(headers, request.app.state.settings))
        _check_media_type(headers)
        return call

    async def answer(self, request: Request, call: Call, body: bytes) -> bytes:
        """The JSON that answers a body. Raises TextLoomError."""
        call.bytes_in = len(body)
        if len(body) <= INLINE_BYTES:
            query = parse(self._model, body)
        else:
            query = await asyncio.to_thread(parse, self._model, body)
        check_size(query.text, request.app.state.settings)
        answer: BaseModel = await self.endpoint(query, request)
        content = to_json(answer, exclude_none=True)
        call.bytes_out = len(content)
        return content

    @cached_property
    def _model(self) -> type[Any]:
        """What the endpoint calls `query`."""
        model: type[Any] = get_type_hints(self.endpoint)["query"]
        return model


_OK = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
    b"server-timing: %s\r\nx-request-id: %s\r\n\r\n%s"
)


def _failure() -> InternalError:
    return InternalError("something went wrong in the server")


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id")
    if given and _REQUEST_ID.fullmatch(given):
        return given.decode()
    return f"{getrandbits(128):032x}"


def deadline(headers: Mapping[bytes, bytes], settings: Settings) -> float:
    given = headers.get(b"x-request-timeout-ms")
    timeout = settings.timeout_ms
    if given is not None:
        if not _TIMEOUT.fullmatch(given) or not 1 <= int(given) <= MAX_TIMEOUT_MS:
            raise InvalidInput(
                f"X-Request-Timeout-Ms must be a whole number from 1 to {MAX_TIMEOUT_MS}"
            )
        timeout = int(given)
    return time.monotonic() + timeout / 1000


def _check_media_type(headers: Mapping[bytes, bytes]) -> None:
    given = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if given != b"application/json":
        raise UnsupportedMediaType("send the query as JSON with Content-Type: application/json")


def check_size(text: str | list[str], settings: Settings) -> None:
    texts = [text] if isinstance(text, str) else text
    if len(texts) > settings.max_texts:
        detail = f"{len(texts)} texts; at most {settings.max_texts} in a request"
        raise TooLarge(detail, errors=[FieldError("/text", detail)])
    characters = sum(map(len, texts))
    if characters > settings.max_characters:
        detail = f"{characters} characters; at most {settings.max_characters} in a request"
        raise TooLarge(detail, errors=[FieldError("/text", detail)])
