"""What the clients and the models in this process raise.

TextLoomError
├── Unreachable   no connection to the server
├── Refused       an error instead of an answer: `status` says which kind
└── LoadError     no model can be loaded here
"""

from typing import Any


class TextLoomError(Exception):
    """Base class of all errors."""


class Unreachable(TextLoomError):
    """The server could not be reached, or the connection broke, after all retries."""


class Refused(TextLoomError):
    """A server, or a model in this process, answered with an error."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        """HTTP status."""
        self.code: str = problem.get("code", "")
        """Kind of the error, as `invalid_input`."""
        self.detail: str = problem.get("detail", "")
        """What is wrong, as a sentence."""
        self.errors: list[dict[str, str]] = problem.get("errors", [])
        """The invalid fields, each with a JSON `pointer` and a `detail`."""
        self.request_id: str = problem.get("request_id", "")
        """Identifies the request in the log of the server."""
        super().__init__(f"{status} {problem.get('title', '')}: {self.detail}")


class LoadError(TextLoomError):
    """There is no such task or model, its bundle is damaged, or a required package is not installed."""
