"""The endpoint of a task: a body becomes a query, the task answers it, and the answer becomes JSON.

Leaves out what the tasks answer (routes.py) and what a request goes through before (handler.py).
"""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel

from service.http.limits import LongRequests, check_size
from service.http.messages import HttpResponse
from service.http.parsing import in_turn, parse
from service.http.routing import RoutedRequest, json_response
from service.settings import Settings
from service.telemetry.call import Call


class TaskEndpoint:
    """What answers at the path of a task, and what the compatibility APIs ask."""

    def __init__(
        self,
        query: type[Any],
        answer: Callable[[Any, Call], Awaitable[BaseModel]],
        settings: Settings,
        long_requests: LongRequests,
    ) -> None:
        self.query = query
        self._answer = answer
        self._settings = settings
        self._long_requests = long_requests

    async def __call__(self, request: RoutedRequest) -> HttpResponse:
        """The JSON that answers a body. Raises TextLoomError."""
        query = await in_turn(request.body, parse, self.query, request.body)
        answer = await self.answer(query, request.call)
        return json_response(answer, (b"server-timing", request.call.server_timing))

    async def answer(self, query: Any, call: Call) -> Any:
        """The answer to a query, if it is within the limits. Raises TextLoomError."""
        characters = check_size(query.text, self._settings)
        if call.charge:
            call.charge(characters)
        with self._long_requests.hold(characters):
            return await self._answer(query, call)
