"""What the compatibility APIs share: they call a task's endpoint, and answer JSON whatever happens.

Leaves out the protocols themselves (libretranslate.py, open_inference.py).
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from service.errors import TextLoomError
from service.http.disconnects import CallerLeft, WhileConnected
from service.http.limits import check_size, deadline
from service.http.problems import answer_error
from service.telemetry.call import Call

Endpoint = Callable[[Any, Request], Awaitable[Any]]
"""Of a task: takes its query and the request, gives its answer."""


async def call_task(endpoint: Endpoint, query: Any, request: Request) -> Any:
    """The answer of a task, under the limits of its own route. The body must have been read."""
    state = request.app.state
    request.state.call = Call(deadline(request.scope["headers_by_name"], state.settings))
    check_size(query.text, state.settings)
    with WhileConnected(request.receive, state.disconnects):
        return await endpoint(query, request)


def answer_json(
    endpoint: Callable[[Request], Awaitable[Any]],
) -> Callable[..., Awaitable[Response]]:
    """Makes the endpoint answer JSON, also when it raises."""

    @wraps(endpoint)
    async def answered(request: Request) -> Response:
        try:
            return JSONResponse(await endpoint(request))
        except TextLoomError as error:
            return await answer_error(request, error)
        except (CallerLeft, ClientDisconnect):
            return Response(status_code=499)  # which no caller reads; the log has it

    return answered
