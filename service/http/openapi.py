"""What /openapi.json says beyond the models' own schemas: examples, headers and every error of each route.

Also the page /docs, whose parts come from the installed package fastapi-offline, so that it works without
a network.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import PlainTextResponse

from service.auth.authenticator import ADMIN, HEALTH
from service.http.limits import MAX_TIMEOUT_MS
from service.http.problems import Problem
from service.http.task_route import TaskRoute
from service.settings import Settings
from service.tasks.base import TaskSpec

DESCRIPTION = """Names, sentiment and translation from small recurrent networks, on CPU.

Each task takes one text or a list of them as `text` and always answers a list `results`, in the same order.
Errors are problem documents (RFC 9457).
"""

ASSETS = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")

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
    503: ("Queue full, shutting down, or the model is not ready.", "queue_full", "Queue full"),
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


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    responses: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        about, code, title = _PROBLEMS[status]
        headers = {"X-Request-ID": _REQUEST_ID}
        if status in (429, 503):
            headers["Retry-After"] = _RETRY_AFTER
        example = {
            "type": f"urn:textloom:error:{code}",
            "title": title,
            "status": status,
            "detail": about,
            "code": code,
            "request_id": "4f0c1a9e5d5b4f7f9a0e3c1b2d6e8f70",
            "errors": [],
        }
        if status == 422:
            example["errors"] = [{"pointer": "/text/3", "detail": "Input should be a valid string"}]
        content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
        responses[status] = {
            "description": about,
            "headers": headers,
            "content": {"application/problem+json": content},
        }
    return responses


def task(spec: TaskSpec) -> dict[str, Any]:
    """The documentation of a task's route."""
    examples = {title: {"summary": title, "value": query} for title, query in spec.examples.items()}
    timeout = {
        "name": "X-Request-Timeout-Ms",
        "in": "header",
        "required": False,
        "description": "Give up after so many milliseconds.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_TIMEOUT_MS},
    }
    request_id = {
        "name": "X-Request-ID",
        "in": "header",
        "required": False,
        "description": "A name for this request in answers and logs; made if missing or not plain ASCII.",
        "schema": {"type": "string"},
    }
    success = {
        "description": "One result per text, in their order.",
        "headers": {"X-Request-ID": _REQUEST_ID, "Server-Timing": _SERVER_TIMING},
        "content": {"application/json": {"example": spec.example_answer}},
    }
    return {
        "methods": ["POST"],
        "name": spec.name,
        "summary": spec.summary.capitalize(),
        "description": spec.description,
        "route_class_override": TaskRoute,
        "tags": ["tasks"],
        "responses": {200: success, **_problems(400, 404, 413, 415, 422, 500, 503, 504)},
        "openapi_extra": {
            "parameters": [request_id, timeout],
            "requestBody": {"content": {"application/json": {"examples": examples}}},
        },
    }


def _around(*problems: int, **content: Any) -> dict[str, Any]:
    """The documentation of a route around the tasks."""
    success = {"headers": {"X-Request-ID": _REQUEST_ID}, **content}
    return {
        "methods": ["GET"],
        "tags": ["service"],
        "response_model_exclude_none": True,
        "responses": {200: success, **_problems(*problems)},
    }


PLAIN = _around(500)
READY = _around(500, 503)
MODEL = _around(404, 500)
METRICS = _around(500, content={"text/plain": {"schema": {"type": "string"}}})
METRICS["response_class"] = PlainTextResponse
PAGE: dict[str, Any] = {"methods": ["GET"], "include_in_schema": False}


def install(app: FastAPI) -> None:
    """Make `app.openapi()` include the schema of a problem, which no route returns as a model."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas |= problem.pop("$defs", {})
            schemas["Problem"] = problem
            _add_protections(schema, app.state.settings)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _add_protections(schema: dict[str, Any], settings: Settings) -> None:
    """What authentication, the second port and limits of this server add, and take away."""
    if settings.admin:
        schema["paths"] = {
            path: methods for path, methods in schema["paths"].items() if path not in ADMIN
        }
    if settings.keys:
        about = "A key that `python -m service keys make` has printed."
        schema["components"]["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer", "description": about}
        }
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            statuses = [431] if settings.max_head_bytes else []
            if settings.read_seconds and "requestBody" in operation:
                statuses.append(408)
            if settings.keys and path not in HEALTH:
                statuses += [401, 429]
                operation["security"] = [{"key": []}]
            operation["responses"] |= {
                str(status): response for status, response in _problems(*statuses).items()
            }


def page() -> str:
    """The documentation page. The validator badge is off: it would send the document to a public service."""
    html = get_swagger_ui_html(
        openapi_url="openapi.json",
        title="TextLoom",
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="docs/favicon.png",
        swagger_ui_parameters={"validatorUrl": None, "tryItOutEnabled": True},
    )
    return bytes(html.body).decode()
