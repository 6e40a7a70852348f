"""The route of a task: a body becomes a query, the endpoint answers it, and the answer becomes JSON.

It reads and writes through pydantic at once, past the layers of FastAPI, and is documented in OpenAPI like any
other route. Leaves out the endpoints (routes.py).
"""

import asyncio
from functools import cached_property
from typing import Any, get_type_hints

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.types import Receive, Scope, Send

from service.errors import TextLoomError
from service.http.disconnects import WhileConnected
from service.http.limits import check_size, deadline
from service.http.parsing import check_media_type, parse, whole_body
from service.http.problems import answer_error
from service.telemetry.call import Call

INLINE_BYTES = 64 * 1024
"""Bodies up to this size are parsed in the event loop; longer ones would stall it."""


class TaskRoute(APIRoute):
    """A route whose endpoint takes a query model and the request, and gives an answer model."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request for this path, errors included. Raises CallerLeft, ClientDisconnect."""
        scope["route"] = self
        request = Request(scope, receive)
        try:
            call = self.begin(request)
            body = await whole_body(receive)
            with WhileConnected(receive, request.app.state.disconnects):
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
        """Read the headers. Raises InvalidInput, UnsupportedMediaType."""
        headers = request.scope["headers_by_name"]
        call = request.state.call = Call(deadline(headers, request.app.state.settings))
        check_media_type(headers)
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
        """The type of the endpoint's `query`."""
        model: type[Any] = get_type_hints(self.endpoint)["query"]
        return model
