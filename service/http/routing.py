"""Routes: what answers at a path, how an error is written there, and what the documentation says of it.

Leaves out which routes there are (routes.py, compat/) and what all of them go through (handler.py).
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel
from pydantic_core import to_json

from service.errors import TextLoomError
from service.http.messages import Headers, HttpResponse
from service.http.problems import Problem, problem
from service.telemetry.call import Call


@dataclass(frozen=True, slots=True)
class RoutedRequest:
    """A request as its endpoint sees it: it is authenticated, and its body has been read."""

    headers: Headers
    parameters: Mapping[str, str]
    """Of the path."""
    query: str
    """What follows the `?` of the address."""
    body: bytes
    """Empty for GET."""
    call: Call


Endpoint = Callable[[RoutedRequest], Awaitable[HttpResponse]]
ErrorFormat = Callable[[TextLoomError, str], HttpResponse]
"""Writes an error, to a request with this id."""


@dataclass(frozen=True)
class Documentation:
    """What /openapi.json says of a route beyond its path."""

    name: str
    """Of the operation, for generated clients: `ner`."""
    summary: str
    description: str
    tag: str
    """One of openapi.TAGS."""
    problems: Sequence[int]
    """Statuses of its errors."""
    answer: type[BaseModel] | None
    """None for what is no JSON."""
    answer_type: str = "application/json"
    """The media type of the answer."""
    error: type[BaseModel] = Problem
    """How its errors are written."""
    query: type[BaseModel] | None = None
    query_types: Sequence[str] = ("application/json",)
    """The media types that the query may come in."""
    queries: Mapping[str, Any] = field(default_factory=dict)
    """Examples by title."""
    example: Any = None
    """The answer to the first of `queries`."""


@dataclass(frozen=True)
class Route:
    """One path, which takes one method; HEAD wherever it takes GET."""

    method: Literal["GET", "POST"]
    path: str
    """Parts in braces take any name: `/models/{name}`."""
    endpoint: Endpoint
    format_error: ErrorFormat = problem
    takes_json: bool = False
    """Whether a body must be JSON; if not, the endpoint looks at its type itself."""
    admit: Callable[[int, Call], None] | None = None
    """Raises what is known before the body is read: takes its length, and the deadline and the caller."""
    documentation: Documentation | None = None


class Router:
    """Finds the route of a path."""

    def __init__(self, routes: Sequence[Route], *, root_path: str = "") -> None:
        """root_path: what a proxy has before all paths, whether or not it takes it away."""
        self.routes = routes
        self._root_path = root_path
        self._exact = {route.path: route for route in routes if "{" not in route.path}
        self._patterns = [
            (re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", route.path)), route)
            for route in routes
            if "{" in route.path
        ]
        self._formats = {_first_part(route.path): route.format_error for route in routes}

    def inside(self, path: str) -> str:
        """The path as the routes know it.

        Without the root path; for an API whose clients join addresses carelessly, without slashes too many.

        >>> Router([], root_path="/nlp").inside("/nlp/ner")
        '/ner'
        >>> Router([]).inside("/compat/libretranslate//translate/")
        '/compat/libretranslate/translate'
        """
        if self._root_path and path.startswith(self._root_path + "/"):
            path = path[len(self._root_path) :]
        if "//" in path or path.endswith("/"):
            fewer = re.sub("/+", "/", path).rstrip("/")
            if _first_part(fewer) == CARELESS:
                return fewer
        return path

    def find(self, path: str) -> tuple[Route | None, Mapping[str, str]]:
        """The route, whatever its method, and the parameters in the path."""
        if route := self._exact.get(path):
            return route, {}
        for pattern, route in self._patterns:
            if match := pattern.fullmatch(path):
                return route, match.groupdict()
        return None, {}

    def error_format(self, path: str) -> ErrorFormat:
        """Of a path without a route: that of the routes which begin like it."""
        return self._formats.get(_first_part(path), problem)


def json_response(content: Any, *headers: tuple[bytes, bytes]) -> HttpResponse:
    body = to_json(content, exclude_none=True)
    return HttpResponse(200, [(b"content-type", b"application/json"), *headers], body)


CARELESS = "compat"
"""The first part of paths in which final and double slashes do not count."""


def _first_part(path: str) -> str:
    """
    >>> _first_part("/v2/models")
    'v2'
    """
    return path[1:].partition("/")[0]
