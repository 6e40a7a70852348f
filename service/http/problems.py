"""How an error is written: as a problem document (RFC 9457).

Leaves out which errors there are (errors.py), and how the compatibility APIs write them (compat/endpoints.py).
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

from service.errors import FieldError, TextLoomError
from service.http.messages import HttpResponse

MOST_BYTES = 16 * 1024
"""Of the body of an error, however much of a request it quotes."""

DETAIL_CHARACTERS = 1000
"""Of each text in it, which take six bytes each at most."""


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
        "detail": shortened(error.detail),
        "code": error.code,
        "request_id": request_id,
        "errors": _that_fit(error.errors) if error.errors else [],
    }
    return error_response(error, error.status, b"application/problem+json", to_json(document))


def shortened(text: str) -> str:
    """What an error says, without what is too long of it."""
    return text if len(text) <= DETAIL_CHARACTERS else text[:DETAIL_CHARACTERS] + "…"


def _that_fit(errors: Sequence[FieldError]) -> list[FieldError]:
    """The first of them, so many that all are still short of MOST_BYTES."""
    fitting: list[FieldError] = []
    left = MOST_BYTES - 8 * DETAIL_CHARACTERS
    for error in errors:
        fit = FieldError(shortened(error.pointer), shortened(error.detail))
        left -= len(to_json(fit)) + 1
        if left < 0:
            break
        fitting.append(fit)
    return fitting


def error_response(
    error: TextLoomError, status: int, media_type: bytes, body: bytes
) -> HttpResponse:
    """An answer with the headers of an error."""
    headers = [(b"content-type", media_type)]
    headers += [(name.encode(), value.encode()) for name, value in error.headers.items()]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % error.retry_after))
    return HttpResponse(status, headers, body)
