"""The document /openapi.json: the schemas of the models, with examples, headers and every error of each route.

Leaves out the page that shows it (pages.py).
"""

import inspect
import re
from collections.abc import Callable, Sequence
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

TAGS = {
    "tasks": "What the models do.",
    "service": "Health, models and metrics.",
    "LibreTranslate": "The API of LibreTranslate, for its clients.",
    "Open Inference Protocol": "The protocol V2 of Triton and KServe, for their clients.",
}
"""What the routes are grouped by, and what the groups are."""

_PROBLEMS = {  # status: when, code, title
    400: ("The body is not JSON, or not UTF-8.", "bad_json", "Not JSON"),
    401: ("No key, or a wrong one.", "unauthorized", "Unauthorized"),
    404: ("No such path or model.", "not_found", "Not found"),
    408: ("The body did not come in time.", "too_slow", "Too slow"),
    413: ("The body or its texts are over the limit.", "too_large", "Too large"),
    415: (
        "The media type or the content encoding of the body is not served.",
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
    {
        "name": "X-Canary",
        "in": "header",
        "required": False,
        "description": "1: the version of a model that is being tried answers. 0: the other one does.",
        "schema": {"type": "string", "enum": ["0", "1"]},
    },
]


def about_service(
    endpoint: Endpoint, answer: type[BaseModel] | None, *problems: int
) -> Documentation:
    """The documentation of a route around the tasks: its name and what it does are those of its function."""
    return Documentation(
        name=endpoint.__name__,
        summary=summary(endpoint),
        description=inspect.getdoc(endpoint) or "",
        tag="service",
        problems=(*problems, 500),
        answer=answer,
        answer_type="application/json" if answer else "text/plain",
    )


def summary(endpoint: Callable[..., Any]) -> str:
    """Of a route, from the name of its function: `list_models` becomes `List models`."""
    return endpoint.__name__.replace("_", " ").capitalize()


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
            "info": {
                "title": "TextLoom",
                "description": DESCRIPTION,
                "version": __version__,
                "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": self._settings.root_path or "/"}],
            "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
            "paths": self._paths(),
            "components": components,
        }

    def _paths(self) -> dict[str, Any]:
        paths: dict[str, Any] = {}
        for route, about in self._routes:
            paths.setdefault(route.path, {})[route.method.lower()] = self._operation(route, about)
        return paths

    def _schemas(self) -> dict[str, Any]:
        models: list[tuple[type[BaseModel], JsonSchemaMode]] = []
        for _, about in self._routes:
            models += [(about.error, "validation")]
            models += [(about.query, "validation")] if about.query else []
            models += [(about.answer, "serialization")] if about.answer else []
        _, found = models_json_schema(
            list(dict.fromkeys(models)), ref_template="#/components/schemas/{model}"
        )
        return dict(sorted(found["$defs"].items()))

    def _operation(self, route: Route, about: Documentation) -> dict[str, Any]:
        operation = {
            "tags": [about.tag],
            "summary": about.summary,
            "description": about.description,
            "operationId": about.name,
            "parameters": _path_parameters(route.path),
            "responses": {
                "200": _success(about),
                **_problems(self._problems(route, about), about.error),
            },
        }
        if about.query:
            content: dict[str, Any] = {"schema": _reference(about.query)}
            if about.queries:
                content["examples"] = {
                    title: {"summary": title, "value": query}
                    for title, query in about.queries.items()
                }
            types = dict.fromkeys(about.query_types, content)
            operation["requestBody"] = {"required": True, "content": types}
            operation["parameters"] = [*_path_parameters(route.path), *_TASK_PARAMETERS]
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
    schema = _reference(about.answer) if about.answer else {"type": "string"}
    content: dict[str, Any] = {about.answer_type: {"schema": schema}}
    if about.example is None:
        return {"description": "Successful Response", "headers": headers, "content": content}
    headers["Server-Timing"] = _SERVER_TIMING
    content["application/json"]["example"] = about.example
    description = "One result per text, in their order."
    return {"description": description, "headers": headers, "content": content}


def _problems(statuses: Sequence[int], error: type[BaseModel]) -> dict[str, Any]:
    responses = {}
    for status in sorted(statuses):
        about = _PROBLEMS[status][0]
        headers = {"X-Request-ID": _REQUEST_ID}
        if status in (429, 503):
            headers["Retry-After"] = _RETRY_AFTER
        is_problem = error is Problem
        example = _example(status) if is_problem else {"error": about}
        media_type = "application/problem+json" if is_problem else "application/json"
        responses[str(status)] = {
            "description": about,
            "headers": headers,
            "content": {media_type: {"schema": _reference(error), "example": example}},
        }
    return responses


def _example(status: int) -> dict[str, Any]:
    """Of a problem."""
    about, code, title = _PROBLEMS[status]
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
    return example


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
