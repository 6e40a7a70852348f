"""The handler: the life of every request, whatever its route and whichever adapter it came through.

Its id, its route, its key, its deadline, its body, its answer, and its entry in log, metrics and spans. Leaves out
connections (asgi.py, protocol.py), how keys are checked (auth/) and what the routes answer (routes.py, compat/).
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import getrandbits
from typing import Any

from service.auth.api_keys import ApiKey
from service.auth.authenticator import Authenticator
from service.errors import InternalError, MethodNotAllowed, NotFound, TextLoomError, where
from service.http.cors import Cors
from service.http.in_flight import InFlight
from service.http.limits import BodyReader, deadline
from service.http.messages import (
    CallerLeft,
    Fields,
    Headers,
    HttpRequest,
    HttpResponse,
    network,
)
from service.http.parsing import check_media_type
from service.http.problems import problem
from service.http.routing import Route, RoutedRequest, Router
from service.registry import canary
from service.settings import Settings
from service.telemetry import logs
from service.telemetry.call import Call
from service.telemetry.metrics import Metrics

logger = logging.getLogger("textloom.http")

SHORT_BYTES = 8 * 1024
"""Up to this size, a body's length is a good upper bound of its characters."""

CALLER_LEFT = 499
"""The status, in log and metrics, of a request that nobody waits for any more."""

UNMATCHED = "unmatched"
"""The route, in log and metrics, of a request for which there is none."""

_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")


@dataclass(slots=True)
class Exchange:
    """A request and what becomes of it, for log, metrics and spans."""

    request: HttpRequest
    request_id: str
    began: float
    """In the time of `time.perf_counter()`."""
    route: Route | None
    parameters: Mapping[str, str]
    call: Call
    key: ApiKey | None = None
    admitted: bool = False
    """Whether it counts as a request that its key has under way."""
    quotas: Fields = ()
    """What is left to its key, as headers."""


class Handler:
    """Answers every request: the only way from an adapter to a route."""

    def __init__(
        self,
        *,
        router: Router,
        settings: Settings,
        metrics: Metrics,
        authenticator: Authenticator | None = None,
        trace: Callable[..., None] | None = None,
    ) -> None:
        """authenticator: None if no request needs one. trace: records the spans of a request."""
        self._router = router
        self._settings = settings
        self._metrics = metrics
        self._authenticator = authenticator
        self._trace = trace
        self.in_flight = InFlight(settings.max_inflight_bytes)
        self._refused = logs.OncePerSecond()
        self._cors = Cors(settings.cors_origins) if settings.cors_origins else None

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """The answer to a request, whatever happens.

        Raises CallerLeft if the body does. A caller who leaves later is no error: the adapter cancels the task.
        """
        began = time.perf_counter()
        path = self._router.inside(request.path)
        if path != request.path:
            request = replace(request, path=path)
        route, parameters = self._router.find(request.path)
        request_id = _request_id(request.headers)
        exchange = Exchange(request, request_id, began, route, parameters, Call(request_id))
        status = CALLER_LEFT
        in_flight = self._metrics.in_flight(route.path if route else UNMATCHED)
        in_flight.add(1)
        try:
            response = await self._answer(exchange)
            status = response.status
        except CallerLeft:
            raise
        except Exception as error:  # noqa: BLE001  no other code would answer it
            response = self._error_response(exchange, error)
            status = response.status
        finally:
            if self._authenticator and exchange.key and exchange.admitted:
                self._authenticator.quotas.release(exchange.key)
            in_flight.add(-1)
            self._record(exchange, status)
        more = [(b"x-request-id", request_id.encode()), *exchange.quotas]
        if self._cors:
            more += self._cors.headers(request)
        return HttpResponse(status, [*response.headers, *more], response.body)

    def refuse(self, error: TextLoomError) -> HttpResponse:
        """The answer to what is no whole request, such as a head that goes on for too long."""
        self._metrics.request(UNMATCHED, error.status, 0.0)
        if times := self._refused.due():
            logger.warning(
                "a request is refused: %s (%d since the last such line)", error.detail, times
            )
        request_id = _request_id({})
        refused = problem(error, request_id)
        headers = [*refused.headers, (b"x-request-id", request_id.encode())]
        return HttpResponse(refused.status, headers, refused.body)

    async def _answer(self, exchange: Exchange) -> HttpResponse:
        request = exchange.request
        body = BodyReader(request, self._settings, self.in_flight)
        try:
            return await self._answer_route(exchange, body)
        finally:
            body.close()

    async def _answer_route(self, exchange: Exchange, body: BodyReader) -> HttpResponse:
        request, route, call = exchange.request, exchange.route, exchange.call
        if self._cors and (preflight := self._cors.preflight(request)):
            return preflight
        if self._authenticator:
            await self._authenticate(self._authenticator, exchange, body)
        call.caller = f"key {exchange.key.number}" if exchange.key else network(request.peer)
        if route is None:
            path = re.sub("/+", "/", request.path).rstrip("/")
            hint = (
                f"; did you mean {path}?"
                if self._router.find(path)[0]
                else "; /docs shows what there is"
            )
            raise NotFound(f"nothing is served at this path{hint}")
        if request.method != route.method and (request.method, route.method) != ("HEAD", "GET"):
            raise MethodNotAllowed(route.method)
        content = b""
        if route.method == "POST":
            call.deadline = deadline(request.headers, self._settings)
            call.canary = canary.asked_for(request.headers.get(canary.HEADER))
            if route.admit and 0 < (length := request.declared_length) <= SHORT_BYTES:
                route.admit(length, call)
            if route.takes_json:
                check_media_type(request.headers)
            content = await body.whole()
            call.bytes_in = len(content)
        routed = RoutedRequest(request.headers, exchange.parameters, request.query, content, call)
        response = await route.endpoint(routed)
        call.bytes_out = len(response.body)
        return response

    async def _authenticate(
        self, authenticator: Authenticator, exchange: Exchange, body: BodyReader
    ) -> None:
        """Find the key and count the request. Raises NotFound, Unauthorized, TooManyRequests."""
        exchange.key = key = await authenticator.identify(exchange.request, body)
        if key is None:
            return
        authenticator.check(key)
        try:
            authenticator.acquire(key)
            exchange.admitted = True
        finally:
            exchange.quotas = authenticator.quotas.headers(key)
        if key.characters:

            def charge(characters: int) -> None:
                try:
                    authenticator.charge(key, characters)
                finally:
                    exchange.quotas = authenticator.quotas.headers(key)

            exchange.call.charge = charge

    def _error_response(self, exchange: Exchange, error: Exception) -> HttpResponse:
        if not isinstance(error, TextLoomError) or error.status == 500:
            logger.error("request %s failed: %s", exchange.request_id, where(error))
        if not isinstance(error, TextLoomError):
            error = InternalError("something went wrong in the server")
        path, route = exchange.request.path, exchange.route
        format_error = route.format_error if route else self._router.error_format(path)
        return format_error(error, exchange.request_id)

    def _record(self, exchange: Exchange, status: int) -> None:
        """A request that is over, for metrics, log and spans."""
        seconds = time.perf_counter() - exchange.began
        route = exchange.route.path if exchange.route else UNMATCHED
        self._metrics.request(route, status, seconds, exchange.call.task)
        for language in exchange.call.detected:
            self._metrics.detected_language(language)
        if not (self._trace or logs.access.isEnabledFor(logging.INFO)):
            return
        request = exchange.request
        figures: dict[str, Any] = {
            "request_id": exchange.request_id,
            "traceparent": logs.traceparent(request.headers.get(b"traceparent")),
            "method": request.method if exchange.route else "-",
            "route": route,
            "status": status,
            "ms": seconds * 1000,
            "call": exchange.call,
        }
        if self._authenticator:
            figures["key"] = exchange.key.label if exchange.key else None
        logs.request(figures)
        if self._trace:
            self._trace(exchange.began, **figures)


def _request_id(headers: Headers) -> str:
    given = headers.get(b"x-request-id")
    if given and _REQUEST_ID.fullmatch(given):
        return given.decode()
    return f"{getrandbits(128):032x}"
