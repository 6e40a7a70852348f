"""The handler: what every request goes through, whatever its route.

It is a plain ASGI middleware: Starlette's BaseHTTPMiddleware costs a third of a millisecond and hides
disconnects. A request for a task that its connection has received whole skips ASGI and goes to
`Handler.answer`. Leaves out how a task's route answers (task_route.py), authentication (auth/) and how an error
is written (problems.py).
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from random import getrandbits
from typing import Any

from fastapi import FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from service.auth.authenticator import Authenticator
from service.errors import InternalError, InvalidInput, TextLoomError, where
from service.http.disconnects import CallerLeft
from service.http.limits import deadline, receive_in_time, receive_limited, too_large
from service.http.problems import Fields, Refusal, problem_bytes, problem_response
from service.http.task_route import TaskRoute
from service.settings import Settings
from service.telemetry import logs
from service.telemetry.call import Call
from service.telemetry.metrics import Metrics

logger = logging.getLogger("textloom.http")

SHORT_BYTES = 8 * 1024
"""Up to this size, a body's length is a good upper bound of its characters."""

_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")


class Handler:
    """Gives every request an id, a limit to its body, an entry in log and metrics, and always an answer.

    A request for a task goes straight to its route: the framework's layers, made for any kind of route, would cost
    as much as all the rest.
    """

    def __init__(
        self,
        app: FastAPI,
        *,
        metrics: Metrics,
        settings: Settings,
        reserve: Mapping[str, Callable[[int, float], TextLoomError | None]],
        authenticator: Authenticator | None = None,
        trace: Callable[..., None] | None = None,
    ) -> None:
        """authenticator: None if no request needs one. reserve: by path, what reserves room for so many characters
        until their deadline, or gives an error if there is none. trace: records the spans of a request."""
        self._app = app
        self._reserve = reserve
        self._refusals: dict[str, Refusal] = {}
        self._layers = app.build_middleware_stack()
        tasks = [route for route in app.routes if isinstance(route, TaskRoute)]
        self._tasks = {route.path: route for route in tasks}
        self.tasks = {route.path.encode(): route for route in tasks}
        self._trace = trace
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
        receive = receive_limited(self._settings.max_body_bytes, headers, receive)
        if self._settings.read_seconds:
            receive = receive_in_time(self._settings.read_seconds, receive)
        try:
            serve = task.serve if task else self._layers
            if self._authenticator:
                scope["route"] = task  # for the metrics, should it be refused
                await self._authenticator.serve(serve, scope, receive, send_with_id)
            else:
                await serve(scope, receive, send_with_id)
        except (CallerLeft, ClientDisconnect):
            pass
        except Exception as error:  # noqa: BLE001  no other code would answer it
            logger.error("request %s failed: %s", request_id, where(error))
            if status != 499:  # too late for another answer; the server cuts the connection
                raise RuntimeError("an answer broke off") from None
            await problem_response(scope, _failure())(scope, receive, send_with_id)
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
        self._metrics.request(route, status, seconds, call.task if call else "")
        if not (self._trace or logs.access.isEnabledFor(logging.INFO)):
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
        if self._trace:
            self._trace(began, **figures)

    def refusal(self, error: TextLoomError) -> bytes:
        """The bytes that answer a request of which only a part of the head has come."""
        self._metrics.request("unmatched", error.status, 0.0)
        logger.warning("a request is refused: %s", error.detail)
        return problem_bytes("", _request_id({}), error)

    def refused_by_head(
        self, task: TaskRoute, headers: Mapping[bytes, bytes], size: int, fields: Fields
    ) -> bytes | None:
        """The bytes that refuse a request whose head alone shows that it would be too late; it is then over. None
        for any other request.

        size: of the body, 0 if the head does not say. fields: further headers of the answer.
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
        self, task: TaskRoute, scope: Scope, headers: Mapping[bytes, bytes], body: bytes
    ) -> bytes:
        """The bytes that answer a request which came whole. Cancel it if its caller leaves.

        It skips ASGI, whose bodies and answers in parts cost as much as all the rest.
        """
        began, status, call = time.perf_counter(), 499, None
        scope["app"], scope["headers_by_name"] = self._app, headers
        request_id = scope["request_id"] = _request_id(headers)
        request = Request(scope)
        try:
            call = task.begin(request)
            if len(body) > self._settings.max_body_bytes:
                raise too_large(self._settings.max_body_bytes)
            content = await task.answer(request, call, body)
            status = 200
            return _OK % (len(content), call.server_timing, request_id.encode(), content)
        except Exception as error:  # noqa: BLE001  no other code would answer it
            if not isinstance(error, TextLoomError) or error.status == 500:
                logger.error("request %s failed: %s", request_id, where(error))
            # Python deletes this name after the block; any other would keep the traceback, and the frame with it
            if not isinstance(error, TextLoomError):
                error = _failure()
            status = error.status
            return problem_bytes(task.path, request_id, error)
        finally:
            self._record(began, headers, request_id, "POST", task.path, status, call)


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
