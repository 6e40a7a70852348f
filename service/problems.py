"""What an error becomes on the wire: a problem document (RFC 9457), or what a door's protocol has in its place."""

import logging

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

DOORS = ("/v2/", "/compat/")
"""Below these paths an error is `{"error": "..."}`, as the protocols of both doors have it."""


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


def problem(scope: Scope, error: TextLoomError) -> Response:
    """The answer that an error becomes."""
    status, headers, body = written(scope["path"], scope["request_id"], error)
    return Response(body, status, headers)


def written(path: str, request_id: str, error: TextLoomError) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer that an error at a path becomes.

    Under overload this is most of what the service does: hence no `Problem` and no `Response` here.
    """
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if f"{path}/".startswith(DOORS):
        # neither protocol knows the finer ones
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


async def answer_error(request: Request, error: TextLoomError | HTTPException) -> Response:
    """The one handler of errors: ours, and the two that the router raises, for a path or a method."""
    if isinstance(error, TextLoomError):
        if error.status == 500:
            logger.error("request %s failed: %s", request.scope["request_id"], where(error))
        return problem(request.scope, error)
    if error.status_code == 405:
        allowed = (error.headers or {})["Allow"]
        response = problem(request.scope, MethodNotAllowed(f"this path takes {allowed} only"))
        response.headers["Allow"] = allowed
        return response
    return problem(request.scope, NotFound(NOTHING_HERE))


NOTHING_HERE = "there is nothing at this path; /docs shows what there is"
