"""Every error that TextLoom raises on purpose, each with the HTTP status that it becomes.

TextLoomError
├── InvalidInput            422  a field or a text is not acceptable
├── BadJSON                 400  the body is not UTF-8 JSON
├── NotFound                404  no such path or model
├── MethodNotAllowed        405
├── UnsupportedMediaType    415
├── TooLarge                413  over the configured size of a request
├── Unavailable             503  retry later
│   ├── QueueFull
│   ├── Draining
│   └── NotReady
├── DeadlineExceeded        504
├── InternalError           500  our fault; the detail says nothing of the inside
└── BundleError             (503 if it ever reaches a caller: the bundle cannot be served)

Leaves out how an error is written on the wire: http.py does that for all of them.
"""

import traceback
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

    def __init__(
        self,
        detail: str,
        *,
        errors: list[FieldError] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors or []
        self.retry_after = retry_after


class InternalError(TextLoomError):
    pass


class InvalidInput(TextLoomError):
    status, code, title = 422, "invalid_input", "Invalid input"


class BadJSON(TextLoomError):
    status, code, title = 400, "bad_json", "Not JSON"


class NotFound(TextLoomError):
    status, code, title = 404, "not_found", "Not found"


class MethodNotAllowed(TextLoomError):
    status, code, title = 405, "method_not_allowed", "Method not allowed"


class UnsupportedMediaType(TextLoomError):
    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class TooLarge(TextLoomError):
    status, code, title = 413, "too_large", "Too large"


class Unavailable(TextLoomError):
    status, code, title = 503, "unavailable", "Unavailable"


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
