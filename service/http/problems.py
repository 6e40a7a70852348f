"""How an error is written: as a problem document (RFC 9457), or as a compatibility API has it.

Leaves out which errors there are (errors.py).
"""

import logging
from collections.abc import Collection
from functools import partial

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.types import Scope

from service.errors import (
    FieldError,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    TextLoomError,
    UnsupportedMediaType,
    where,
)

logger = logging.getLogger("textloom.http")

COMPAT_PATHS = ("/v2/", "/compat/")
"""Below these paths an error is `{"error": "..."}`, as the protocols of both compatibility APIs have it."""


Fields = Collection[tuple[bytes, bytes]]
"""Headers of an answer: names and values."""

_PLACEHOLDER_ID = 32 * "-"
"""As long as the ids that are made here."""


class Problem(BaseModel):
    """An error as RFC 9457 has it; `code` is for programs, `detail` for people."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str
    """A URI for this kind of error."""
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    """The `X-Request-ID` of the request; the log names it too."""
    errors: list[FieldError] = []
    """The places in the request that are wrong, or the models that are not ready."""


def problem_response(scope: Scope, error: TextLoomError) -> Response:
    """The answer that an error becomes."""
    status, headers, body = problem_parts(scope["path"], scope["request_id"], error)
    return Response(body, status, headers)


def problem_parts(
    path: str, request_id: str, error: TextLoomError
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer that an error at a path becomes.

    Under overload the service does little else: hence no `Problem` and no `Response` here.
    """
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if f"{path}/".startswith(COMPAT_PATHS):
        # neither protocol has the other codes
        status = 400 if isinstance(error, InvalidInput | UnsupportedMediaType) else error.status
        headers["content-type"] = "application/json"
        return status, headers, to_json({"error": error.detail})
    headers["content-type"] = "application/problem+json"
    fields = {
        "type": f"urn:textloom:error:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
        "errors": error.errors,
    }
    return error.status, headers, to_json(fields)


def problem_bytes(path: str, request_id: str, error: TextLoomError, fields: Fields = ()) -> bytes:
    """The bytes of the whole answer that an error at a path becomes. fields: further headers."""
    status, headers, body = problem_parts(path, request_id, error)
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    begin = f"HTTP/1.1 {status} {error.title}\r\nx-request-id: {request_id}\r\n{lines}"
    more = b"".join([b"%s: %s\r\n" % field for field in fields])
    return b"%s%scontent-length: %d\r\n\r\n%s" % (begin.encode(), more, len(body), body)


class Refusal:
    """The bytes of an error that many requests for a path get, each with its own id."""

    def __init__(self, path: str, error: TextLoomError, fields: Fields) -> None:
        self.error = error
        self._with_id = partial(problem_bytes, path, error=error, fields=fields)
        self._parts = self._with_id(_PLACEHOLDER_ID).split(_PLACEHOLDER_ID.encode())

    def to(self, request_id: str) -> bytes:
        if (
            len(request_id) == len(_PLACEHOLDER_ID) and request_id.isalnum()
        ):  # as JSON it is the same
            return request_id.encode().join(self._parts)
        return self._with_id(request_id)


async def answer_error(request: Request, error: TextLoomError | HTTPException) -> Response:
    """The one handler of errors: ours, and the two that the router raises, for a path or a method."""
    if isinstance(error, TextLoomError):
        if error.status == 500:
            logger.error("request %s failed: %s", request.scope["request_id"], where(error))
        return problem_response(request.scope, error)
    if error.status_code == 405:
        allowed = (error.headers or {})["Allow"]
        response = problem_response(
            request.scope, MethodNotAllowed(f"this path takes {allowed} only")
        )
        response.headers["Allow"] = allowed
        return response
    return problem_response(request.scope, NotFound(NOTHING_HERE))


NOTHING_HERE = "there is nothing at this path; /docs shows what there is"
