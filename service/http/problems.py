"""How an error is written: as a problem document (RFC 9457).

Leaves out which errors there are (errors.py), and how the compatibility APIs write them (compat/endpoints.py).
"""

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

from service.errors import FieldError, TextLoomError
from service.http.messages import HttpResponse


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


def problem(error: TextLoomError, request_id: str) -> HttpResponse:
    """The answer that an error becomes. Under overload much time goes into these: hence no `Problem` is made."""
    document = {
        "type": f"urn:textloom:error:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
        "errors": error.errors,
    }
    return error_response(error, error.status, b"application/problem+json", to_json(document))


def error_response(
    error: TextLoomError, status: int, media_type: bytes, body: bytes
) -> HttpResponse:
    """An answer with the headers of an error."""
    headers = [(b"content-type", media_type)]
    headers += [(name.encode(), value.encode()) for name, value in error.headers.items()]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % error.retry_after))
    return HttpResponse(status, headers, body)
