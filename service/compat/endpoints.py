"""What the compatibility APIs share: how a route of theirs answers, and how it writes an error.

Leaves out the protocols themselves (libretranslate.py, open_inference.py).
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from pydantic import BaseModel
from pydantic_core import to_json

from service.errors import InvalidInput, TextLoomError, UnsupportedMediaType
from service.http import openapi
from service.http.messages import HttpResponse
from service.http.problems import error_response, shortened
from service.http.routing import Documentation, Route, RoutedRequest, json_response


class CompatError(BaseModel):
    """An error, in the words of both protocols."""

    error: str


def compat_route(
    method: Literal["GET", "POST"],
    path: str,
    endpoint: Callable[[RoutedRequest], Awaitable[BaseModel | HttpResponse]],
    name: str,
    tag: str,
    *problems: int,
    **about: Any,
) -> Route:
    """A route that answers what its endpoint gives, as JSON.

    name, tag, problems, about: for its documentation; its description is that of the endpoint.
    """

    async def answered(request: RoutedRequest) -> HttpResponse:
        found = await endpoint(request)
        return found if isinstance(found, HttpResponse) else json_response(found)

    documentation = Documentation(
        name=name,
        summary=openapi.summary(endpoint),
        description=inspect.getdoc(endpoint) or "",
        tag=tag,
        problems=(*problems, 500),
        error=CompatError,
        **about,
    )
    return Route(method, path, answered, format_error=compat_error, documentation=documentation)


def compat_error(error: TextLoomError, request_id: str) -> HttpResponse:
    """`{"error": "..."}`, as the protocols of both compatibility APIs have it."""
    # neither protocol has the other codes
    status = 400 if isinstance(error, InvalidInput | UnsupportedMediaType) else error.status
    return error_response(
        error, status, b"application/json", to_json({"error": shortened(error.detail)})
    )
