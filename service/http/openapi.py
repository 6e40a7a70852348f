"""The document /openapi.json: the schemas of the models, with examples, headers and every error of each route.

Leaves out the page that shows it (pages.py).
"""

import inspect
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from service import __version__
from service.auth.authenticator import ADMIN, HEALTH
from service.http.limits import MAX_TIMEOUT_MS
from service.http.problems import Problem
from service.http.routing import Documentation, Endpoint, Route
from service.settings import Settings
from service.tasks.base import TaskSpec

DESCRIPTION = """Names, sentiment and translation from small recurrent networks, on CPU.

Each task takes one text or a list of them as `text` and always answers a list `results`, in the same order.
Errors are problem documents (RFC 9457).
"""

_PROBLEMS = {  # status: when, code, title
    400: ("The body is not JSON, or not UTF-8.", "bad_json", "Not JSON"),
    401: ("No key, or a wrong one.", "unauthorized", "Unauthorized"),
    404: ("No such path or model.", "not_found", "Not found"),
    408: ("The body did not come in time.", "too_slow", "Too slow"),
    413: ("The body or its texts are over the limit.", "too_large", "Too large"),
    415: (
        "The body is not `application/json`.",
        "unsupported_media_type",
        "Unsupported media type",
    ),
    422: (
        "A field is missing, unknown or of a wrong type or value.",
        "invalid_input",
        "Invalid input",
    ),
    429: ("Over the key's quota.", "rate_exceeded", "Rate exceeded"),
    431: ("The head is over the limit.", "head_too_large", "Head too large"),
    500: ("Our fault.", "internal_error", "Internal error"),
    503: (
        "Queue full, too much under way, shutting down, or the model is not ready.",
        "queue_full",
        "Queue full",
    ),
    504: ("The deadline passed.", "deadline_exceeded", "Deadline exceeded"),
}

_REQUEST_ID = {
    "description": "As sent, or made here.",
    "schema": {"type": "string"},
    "required": True,
}
_RETRY_AFTER = {
    "description": "Seconds after which a retry may succeed.",
    "schema": {"type": "integer", "minimum": 1},
    "required": True,
}
_SERVER_TIMING = {
    "description": "Milliseconds in queue, encode, run and decode.",
    "schema": {"type": "string"},
    "required": True,
    "example": "queue;dur=0.041, encode;dur=0.102, run;dur=1.480, decode;dur=0.063",
}


_TASK_PARAMETERS = [
    {
        "name": "X-Request-ID",
        "in": "header",
        "required": False,
        "description": "A name for this request in answers and logs; made if missing or not plain ASCII.",
        "schema": {"type": "string"},
    },
    {
        "name": "X-Request-Timeout-Ms",
        "in": "header",
        "required": False,
        "description": "Give up after so many milliseconds.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_TIMEOUT_MS},
    },
]


def about_service(
    endpoint: Endpoint, answer: type[BaseModel] | None, *problems: int
) -> Documentation:
    """The documentation of a route around the tasks: its name and what it does are those of its function."""
    name, description = endpoint.__name__, inspect.getdoc(endpoint) or ""
    summary = name.replace("_", " ").title()
    return Documentation(name, summary, description, "service", (*problems, 500), answer)


TASK_PROBLEMS = (400, 404, 413, 415, 422, 500, 503, 504)


def about_task(spec: TaskSpec) -> Documentation:
    """The documentation of a task's route."""
    return Documentation(
        name=spec.name,
        summary=spec.summary.capitalize(),
        description=spec.description,
        tag="tasks",
        problems=TASK_PROBLEMS,
        query=spec.request,
        answer=spec.answer,
        queries=spec.examples,
        example=spec.example_answer,
    )


class Document:
    """Made of the routes when it is first asked for."""

    def __init__(self, routes: Sequence[Route], settings: Settings) -> None:
        self._routes = [
            (route, route.documentation)
            for route in routes
            if route.documentation and not (settings.admin and route.path in ADMIN)
        ]
        self._settings = settings

    @cached_property
    def content(self) -> dict[str, Any]:
        components: dict[str, Any] = {"schemas": self._schemas()}
        if self._settings.keys:
            about = "A key that `python -m service keys make` has printed."
            components["securitySchemes"] = {
                "key": {"type": "http", "scheme": "bearer", "description": about}
            }
        return {
            "openapi": "3.1.0",
            "info": {"title": "TextLoom", "description": DESCRIPTION, "version": __version__},
            "paths": {
                route.path: {route.method.lower(): self._operation(route, about)}
                for route, about in self._routes
            },
            "components": components,
        }

    def _schemas(self) -> dict[str, Any]:
        models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(Problem, "validation")]
        for _, about in self._routes:
            models += [(about.query, "validation")] if about.query else []
            models += [(about.answer, "serialization")] if about.answer else []
        _, found = models_json_schema(models, ref_template="#/components/schemas/{model}")
        return dict(sorted(found["$defs"].items()))

    def _operation(self, route: Route, about: Documentation) -> dict[str, Any]:
        operation = {
            "tags": [about.tag],
            "summary": about.summary,
            "description": about.description,
            "operationId": re.sub(r"\W", "_", f"{about.name}{route.path}_{route.method.lower()}"),
            "parameters": _path_parameters(route.path),
            "responses": {"200": _success(about), **_problems(self._problems(route, about))},
        }
        if about.query:
            examples = {
                title: {"summary": title, "value": query} for title, query in about.queries.items()
            }
            content = {"schema": _reference(about.query), "examples": examples}
            operation["requestBody"] = {"required": True, "content": {"application/json": content}}
            operation["parameters"] = _TASK_PARAMETERS
        if self._settings.keys and route.path not in HEALTH:
            operation["security"] = [{"key": []}]
        return operation

    def _problems(self, route: Route, about: Documentation) -> list[int]:
        """Statuses of its errors, with those that this server's authentication and limits add."""
        statuses = [*about.problems]
        if self._settings.max_head_bytes:
            statuses.append(431)
        if self._settings.read_seconds and about.query:
            statuses.append(408)
        if self._settings.keys and route.path not in HEALTH:
            statuses += [401, 429]
        return statuses


def _path_parameters(path: str) -> list[dict[str, Any]]:
    schema = {"type": "string"}
    return [
        {"name": name, "in": "path", "required": True, "schema": {**schema, "title": name.title()}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _success(about: Documentation) -> dict[str, Any]:
    headers = {"X-Request-ID": _REQUEST_ID}
    if about.answer is None:
        content: dict[str, Any] = {"text/plain": {"schema": {"type": "string"}}}
    else:
        content = {"application/json": {"schema": _reference(about.answer)}}
    if about.example is None:
        return {"description": "Successful Response", "headers": headers, "content": content}
    headers["Server-Timing"] = _SERVER_TIMING
    content["application/json"]["example"] = about.example
    description = "One result per text, in their order."
    return {"description": description, "headers": headers, "content": content}


def _problems(statuses: Sequence[int]) -> dict[str, Any]:
    responses = {}
    for status in statuses:
        about, code, title = _PROBLEMS[status]
        headers = {"X-Request-ID": _REQUEST_ID}
        if status in (429, 503):
            headers["Retry-After"] = _RETRY_AFTER
        example = Problem(
            type=f"urn:textloom:error:{code}",
            title=title,
            status=status,
            detail=about,
            code=code,
            request_id="4f0c1a9e5d5b4f7f9a0e3c1b2d6e8f70",
        ).model_dump()
        if status == 422:
            example["errors"] = [{"pointer": "/text/3", "detail": "Input should be a valid string"}]
        content = {"schema": _reference(Problem), "example": example}
        responses[str(status)] = {
            "description": about,
            "headers": headers,
            "content": {"application/problem+json": content},
        }
    return responses


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
