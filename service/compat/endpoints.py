"""What the compatibility APIs share: how a route of theirs answers, and how it writes an error.

Leaves out the protocols themselves (libretranslate.py, open_inference.py).
"""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from pydantic_core import to_json

from service.errors import InvalidInput, TextLoomError, UnsupportedMediaType
from service.http.messages import HttpResponse
from service.http.problems import error_response, shortened
from service.http.routing import Route, RoutedRequest, json_response


def compat_route(
    method: Literal["GET", "POST"],
    path: str,
    endpoint: Callable[[RoutedRequest], Awaitable[Any]],
) -> Route:
    """A route that answers what its endpoint gives, as JSON."""

    async def answered(request: RoutedRequest) -> HttpResponse:
        return json_response(await endpoint(request))

    return Route(method, path, answered, format_error=compat_error)


def compat_error(error: TextLoomError, request_id: str) -> HttpResponse:
    """`{"error": "..."}`, as the protocols of both compatibility APIs have it."""
    # neither protocol has the other codes
    status = 400 if isinstance(error, InvalidInput | UnsupportedMediaType) else error.status
    return error_response(
        error, status, b"application/json", to_json({"error": shortened(error.detail)})
    )
