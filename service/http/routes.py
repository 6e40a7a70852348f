"""The routes: one for each task, made from its TaskSpec, and health, models, metrics and pages around them.

Leaves out what all routes share (handler.py, task_endpoint.py), and how a task answers (registry/answering.py).
"""

from collections.abc import Sequence
from functools import partial

from pydantic import BaseModel

from service import tasks
from service.errors import NotReady
from service.http import cards, openapi, pages
from service.http.limits import LongRequests
from service.http.messages import HttpResponse
from service.http.routing import Endpoint, Route, RoutedRequest, json_response
from service.http.task_endpoint import TaskEndpoint
from service.processes.worker_table import WorkerTable
from service.registry import answering
from service.registry.entry import ModelInfo
from service.registry.registry import Registry
from service.settings import Settings
from service.telemetry.call import Call
from service.telemetry.metrics import CONTENT_TYPE, Metrics

LARGEST_AT_ONCE = 2
"""So many requests of the largest size are answered at once in a process."""


class Live(BaseModel):
    status: str = "live"


class Ready(BaseModel):
    status: str = "ready"
    models: list[str]


class Models(BaseModel):
    models: list[ModelInfo]


def task_endpoints(registry: Registry, settings: Settings) -> dict[str, TaskEndpoint]:
    """What answers for each task, by its name."""
    long_requests = LongRequests(LARGEST_AT_ONCE * settings.max_characters)
    return {
        name: TaskEndpoint(
            spec.request, partial(answering.answer, registry, spec), settings, long_requests
        )
        for name, spec in tasks.specs().items()
    }


def task_routes(registry: Registry, endpoints: dict[str, TaskEndpoint]) -> list[Route]:
    def admit(task: str, size: int, call: Call) -> None:
        models = registry.models(task)
        if len(models) == 1:  # else only the body says which of them is to answer
            registry.get(next(iter(models))).check_early(size, call)

    return [
        Route(
            "POST",
            f"/{name}",
            endpoint,
            takes_json=True,
            # a translator's text may need no model
            admit=None if tasks.specs()[name].by_languages else partial(admit, name),
            documentation=openapi.about_task(tasks.specs()[name]),
        )
        for name, endpoint in endpoints.items()
    ]


def service_routes(
    registry: Registry,
    metrics: Metrics,
    settings: Settings,
    worker_table: WorkerTable | None = None,
) -> list[Route]:
    """What stands around the tasks, but for the document of all routes."""

    async def live(_: RoutedRequest) -> HttpResponse:
        """The process answers."""
        return json_response(Live())

    async def ready(_: RoutedRequest) -> HttpResponse:
        """Every model of the repository is loaded, checked and warm."""
        registry.check_ready()
        if worker_table:
            _check_workers(worker_table, settings.hang_seconds / 3)
        return json_response(Ready(models=list(registry.entries)))

    async def list_models(_: RoutedRequest) -> HttpResponse:
        """The models of the repository, those included that are not ready."""
        return json_response(Models(models=[entry.info for entry in registry.entries.values()]))

    async def show_model(request: RoutedRequest) -> HttpResponse:
        """One model: its version, labels, languages, limits, scores, licences and hash."""
        return json_response(registry.entry(request.parameters["name"]).info)

    async def show_metrics(_: RoutedRequest) -> HttpResponse:
        """The metrics of this process for Prometheus."""
        return HttpResponse(200, [(b"content-type", CONTENT_TYPE.encode())], metrics.page())

    return [
        _documented("/health/live", live, Live),
        _documented("/health/ready", ready, Ready, 503),
        _documented("/models", list_models, Models),
        _documented("/models/{name}", show_model, ModelInfo, 404),
        _documented("/metrics", show_metrics, None),
        Route("GET", "/", pages.playground),
        Route("GET", "/playground/{asset}", pages.playground_asset),
        Route("GET", "/playground/models", cards.list_page(registry)),
        Route("GET", "/playground/models/{name}/{file}", cards.card_page(registry)),
        Route("GET", "/docs", pages.docs),
        Route("GET", "/docs/{asset}", pages.docs_asset),
    ]


def _check_workers(worker_table: WorkerTable, seconds: float) -> None:
    """Raises NotReady while a worker has not answered for so long: who is sent to it would wait."""
    silent = worker_table.silent(seconds)
    if silent:
        count = len(worker_table.workers)
        raise NotReady(f"{len(silent)} of {count} workers do not answer", retry_after=1)


def _documented(
    path: str, endpoint: Endpoint, answer: type[BaseModel] | None, *problems: int
) -> Route:
    about = openapi.about_service(endpoint, answer, *problems)
    return Route("GET", path, endpoint, documentation=about)


def document_route(routes: Sequence[Route], settings: Settings) -> Route:
    """The documentation of all routes, for programs."""
    document = openapi.Document(routes, settings)

    async def describe(_: RoutedRequest) -> HttpResponse:
        return json_response(document.content)

    return Route("GET", "/openapi.json", describe)
