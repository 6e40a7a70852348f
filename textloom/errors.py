"""What the clients and the models in this process raise.

TextLoomError
├── Unreachable   no connection to the server
├── Refused       an error in place of an answer: `status` says which kind
└── LoadError     no model can be loaded here
"""

from typing import Any


class TextLoomError(Exception):
    """Base of all."""


class Unreachable(TextLoomError):
    """No connection, or it broke, also after all retries."""


class Refused(TextLoomError):
    """A server, or a model in this process, gave an error in place of an answer."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.code: str = problem.get("code", "")
        self.detail: str = problem.get("detail", "")
        self.errors: list[dict[str, str]] = problem.get("errors", [])
        """The wrong places: a JSON pointer and what would be right."""
        self.request_id: str = problem.get("request_id", "")
        super().__init__(f"{status} {problem.get('title', '')}: {self.detail}")


class LoadError(TextLoomError):
    """There is no such task or model, its bundle is damaged, or what runs it is not installed."""
