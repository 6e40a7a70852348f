"""The routes: one for each task, made from its TaskSpec, and health, models, metrics, pages around them.

Leaves out what all routes share (handler.py, task_route.py), and how a task answers (registry/answering.py).
"""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from pydantic import BaseModel

from service import tasks
from service.errors import NotFound
from service.http import openapi
from service.registry import answering
from service.registry.entry import ModelInfo
from service.registry.registry import Registry
from service.tasks.base import TaskSpec
from service.telemetry.metrics import CONTENT_TYPE

PLAYGROUND = Path(__file__).parents[1] / "playground"
PLAYGROUND_ASSETS = ("page.css", "page.js", "icon.svg")

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
DOCS_POLICY = "default-src 'self' 'unsafe-inline' data:"
"""The browser itself then makes sure that no page loads anything from elsewhere."""


class Live(BaseModel):
    status: str = "live"


class Ready(BaseModel):
    status: str = "ready"
    models: list[str]


class Models(BaseModel):
    models: list[ModelInfo]


def install(app: FastAPI) -> None:
    """Add the routes to an app."""

    def route(path: str, endpoint: Callable[..., Any], documented: dict[str, Any]) -> None:
        app.router.add_api_route(path, endpoint, **documented)

    for spec in tasks.specs().values():
        route(f"/{spec.name}", task_endpoint(spec), openapi.task(spec))
    route("/health/live", live, openapi.PLAIN)
    route("/health/ready", ready, openapi.READY)
    route("/models", list_models, openapi.PLAIN)
    route("/models/{name}", show_model, openapi.MODEL)
    route("/metrics", show_metrics, openapi.METRICS)
    route("/", playground, openapi.PAGE)
    route("/playground/{asset}", playground_asset, openapi.PAGE)
    route("/openapi.json", describe, openapi.PAGE)
    route("/docs", docs, openapi.PAGE)
    route("/docs/{asset}", docs_asset, openapi.PAGE)


def task_endpoint(spec: TaskSpec) -> Callable[..., Any]:
    """What answers a query of a task."""

    async def answer(query: Any, request: Request) -> BaseModel:
        return await answering.answer(_registry(request), spec, query, request.state.call)

    # what FastAPI documents, and TaskRoute parses
    answer.__annotations__ = {"query": spec.request, "request": Request, "return": spec.answer}
    return answer


async def live() -> Live:
    """The process answers."""
    return Live()


async def ready(request: Request) -> Ready:
    """Every model of the repository is loaded, checked and warm."""
    registry = _registry(request)
    registry.check_ready()
    return Ready(models=list(registry.entries))


async def list_models(request: Request) -> Models:
    """The models of the repository, those included that are not ready."""
    return Models(models=[entry.info for entry in _registry(request).entries.values()])


async def show_model(name: str, request: Request) -> ModelInfo:
    """One model: its version, labels, languages, limits, scores, licences and hash."""
    return _registry(request).entry(name).info


async def show_metrics(request: Request) -> Response:
    """The metrics of this process for Prometheus."""
    return Response(request.app.state.metrics.page(), headers={"Content-Type": CONTENT_TYPE})


async def playground() -> Response:
    """A page to try the tasks."""
    return FileResponse(PLAYGROUND / "page.html", headers={"Content-Security-Policy": PAGE_POLICY})


async def playground_asset(asset: str) -> Response:
    """The script, style or icon of the playground."""
    if asset not in PLAYGROUND_ASSETS:
        raise NotFound("there is no such part of the playground")
    return FileResponse(PLAYGROUND / asset, headers={"Cache-Control": "no-cache"})


async def describe(request: Request) -> Response:
    """The documentation, for programs."""
    return JSONResponse(request.app.openapi())


async def docs() -> Response:
    """The documentation, for people."""
    return HTMLResponse(openapi.page(), headers={"Content-Security-Policy": DOCS_POLICY})


async def docs_asset(asset: str) -> Response:
    """A script, style or picture of the documentation page."""
    if asset not in openapi.ASSETS:
        raise NotFound("there is no such part of the documentation")
    return FileResponse(str(files("fastapi_offline") / "static" / asset))


def _registry(request: Request) -> Registry:
    registry: Registry = request.app.state.registry
    return registry
