"""What the clients and the models in this process raise.

TextLoomError
├── Unreachable   no connection to the server
├── Refused       an error in place of an answer: `status` says which kind
└── LoadError     no model can be loaded here
"""

from typing import Any


class TextLoomError(Exception):
    """Base class of all errors."""


class Unreachable(TextLoomError):
    """The server could not be reached, or the connection broke, after all retries."""


class Refused(TextLoomError):
    """A server, or a model in this process, answered with an error.

    Attributes:
        status: HTTP status.
        code: Kind of the error, as `invalid_input`.
        detail: What is wrong, as a sentence.
        errors: The invalid fields, each with a JSON `pointer` and a `detail`.
        request_id: Identifies the request in the log of the server.
    """

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.code: str = problem.get("code", "")
        self.detail: str = problem.get("detail", "")
        self.errors: list[dict[str, str]] = problem.get("errors", [])
        self.request_id: str = problem.get("request_id", "")
        super().__init__(f"{status} {problem.get('title', '')}: {self.detail}")


class LoadError(TextLoomError):
    """There is no such task or model, its bundle is damaged, or a required package is not installed."""
