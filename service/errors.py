"""Every error that TextLoom raises on purpose, each with the HTTP status that it becomes.

TextLoomError
├── InvalidInput            422  a field or a text is not acceptable
├── BadJSON                 400  the body is not UTF-8 JSON
├── BadForm                 400  the body is no form in UTF-8
├── BadRequest              400  it is no HTTP
├── Unauthorized            401  no key, or a wrong one
├── NotFound                404  no such path or model
├── MethodNotAllowed        405
├── TooSlow                 408  the request did not come in time
├── TooLarge                413  over the configured size of a request
├── UnsupportedMediaType    415
├── UnsupportedEncoding     415  the body is compressed in a way that is not served
├── TooManyRequests         429  over a key's quota
│   ├── RateExceeded
│   └── ConcurrencyExceeded
├── HeadTooLarge            431  over the configured size of a head
├── Unavailable             503  retry later
│   ├── Overloaded
│   ├── QueueFull
│   ├── Draining
│   └── NotReady
├── DeadlineExceeded        504
├── InternalError           500  our fault; the detail says nothing of the inside
└── BundleError             (503 if it ever reaches a caller: the bundle cannot be served)

Leaves out how an error is written on the wire: problems.py does that for all of them.
"""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One wrong place in a request: a JSON pointer (`/text/3`) and what would be right."""

    pointer: str
    detail: str


class TextLoomError(Exception):
    """Base of all. `status`, `code` and `title` belong to the class, `detail` to the case."""

    status = 500
    code = "internal_error"
    title = "Internal error"
    headers: Mapping[str, str] = {}
    """Of the answer."""

    def __init__(
        self,
        detail: str,
        *,
        errors: list[FieldError] | None = None,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors or []
        self.retry_after = retry_after
        if headers:
            self.headers = {**self.headers, **headers}


class InternalError(TextLoomError):
    pass


class InvalidInput(TextLoomError):
    status, code, title = 422, "invalid_input", "Invalid input"


class BadJSON(TextLoomError):
    status, code, title = 400, "bad_json", "Not JSON"


class BadForm(TextLoomError):
    status, code, title = 400, "bad_form", "Not a form"


class BadRequest(TextLoomError):
    status, code, title = 400, "bad_request", "Bad request"
    headers = {"connection": "close"}


class Unauthorized(TextLoomError):
    status, code, title = 401, "unauthorized", "Unauthorized"
    # Basic, with the key as the password, is what a browser can ask its user for
    headers = {
        "www-authenticate": 'Bearer realm="TextLoom", Basic realm="TextLoom", charset="UTF-8"'
    }


class NotFound(TextLoomError):
    status, code, title = 404, "not_found", "Not found"


class MethodNotAllowed(TextLoomError):
    status, code, title = 405, "method_not_allowed", "Method not allowed"

    def __init__(self, method: str) -> None:
        """method: the one of the path; HEAD is allowed wherever GET is."""
        allowed = "GET, HEAD" if method == "GET" else method
        super().__init__(f"this path takes {allowed} only")
        self.headers = {"allow": allowed}


class UnsupportedMediaType(TextLoomError):
    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class UnsupportedEncoding(TextLoomError):
    status, code, title = 415, "unsupported_encoding", "Unsupported content encoding"
    headers = {"accept-encoding": "gzip, deflate"}


class TooSlow(TextLoomError):
    status, code, title = 408, "too_slow", "Too slow"
    headers = {"connection": "close"}


class TooLarge(TextLoomError):
    status, code, title = 413, "too_large", "Too large"
    # otherwise the server would read the rest of the body for nothing
    headers = {"connection": "close"}


class TooManyRequests(TextLoomError):
    status, code, title = 429, "too_many_requests", "Too many requests"


class RateExceeded(TooManyRequests):
    code, title = "rate_exceeded", "Rate exceeded"


class ConcurrencyExceeded(TooManyRequests):
    code, title = "concurrency_exceeded", "Concurrency exceeded"


class HeadTooLarge(TextLoomError):
    status, code, title = 431, "head_too_large", "Head too large"
    headers = {"connection": "close"}


class Unavailable(TextLoomError):
    status, code, title = 503, "unavailable", "Unavailable"


class Overloaded(Unavailable):
    code, title = "overloaded", "Overloaded"
    # what is left of the request is not read
    headers = {"connection": "close"}


class QueueFull(Unavailable):
    code, title = "queue_full", "Queue full"


class Draining(Unavailable):
    code, title = "draining", "Shutting down"


class NotReady(Unavailable):
    code, title = "not_ready", "Not ready"


class DeadlineExceeded(TextLoomError):
    status, code, title = 504, "deadline_exceeded", "Deadline exceeded"


class BundleError(TextLoomError):
    """A bundle is missing, damaged, half-written, or gives other answers than it should."""

    status, code, title = 503, "bundle_error", "Model cannot be served"


def where(error: BaseException) -> str:
    """The type of an error and the lines of code that it came through, innermost first.

    For the log, in place of a traceback: the message of an exception may quote a text, and text is never
    logged. The detail of an InternalError is our own words.
    """
    frames = reversed(traceback.extract_tb(error.__traceback__))
    lines = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    detail = f"({error.detail})" if isinstance(error, InternalError) else ""
    return " < ".join([type(error).__name__ + detail, *lines])
