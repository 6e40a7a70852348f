"""The app: puts settings, metrics, registry, authentication, routes and handler together, and nothing else."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from service import __version__, tasks
from service.auth.authenticator import Authenticator
from service.compat import libretranslate, open_inference
from service.errors import TextLoomError
from service.http import openapi, routes
from service.http.disconnects import DisconnectWatcher
from service.http.handler import Handler
from service.http.problems import answer_error
from service.processes.worker_table import WorkerTable
from service.registry.registry import Registry
from service.settings import Settings
from service.telemetry.metrics import Metrics, keep_flushing


def create_app(settings: Settings, worker_table: WorkerTable | None = None) -> FastAPI:
    """The service as an ASGI app. Models load in the background, so it answers at once: `not_ready`.

    worker_table: of the processes that will serve this app, if there are several.
    """
    metrics = Metrics(worker_table=worker_table, tasks={f"/{name}": name for name in tasks.specs()})
    registry = Registry(settings, metrics)
    traces = None
    if settings.traces:
        from service.telemetry.tracing import Traces  # what it needs may not be installed

        traces = Traces(settings.traces)

    authenticator = Authenticator(settings, metrics) if settings.keys or settings.admin else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if authenticator and worker_table:
            authenticator.quotas.set_worker(worker_table.index_of(os.getpid()))
        watching = asyncio.create_task(registry.watch())
        counting = asyncio.create_task(keep_flushing(metrics))
        yield
        counting.cancel()
        watching.cancel()
        await registry.close()
        metrics.flush()
        if traces:
            traces.close()

    app = FastAPI(
        title="TextLoom",
        version=__version__,
        description=openapi.DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,  # ours is a route like the others, so that it is counted like them
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={TextLoomError: answer_error, HTTPException: answer_error},
    )
    app.state.settings, app.state.registry, app.state.metrics = settings, registry, metrics
    app.state.disconnects = DisconnectWatcher()
    openapi.install(app)

    routes.install(app)

    def add_compat_route(path: str, endpoint: Callable[..., Any], method: str) -> None:
        app.router.add_api_route(
            path, endpoint, methods=[method], response_model=None, include_in_schema=False
        )

    specs = tasks.specs()
    endpoints = {name: routes.task_endpoint(spec) for name, spec in specs.items()}
    libretranslate.install(add_compat_route, endpoints["translate"])
    open_inference.install(add_compat_route, endpoints)

    def reserve(task: str, characters: int, deadline: float) -> TextLoomError | None:
        models = registry.models(task)
        if len(models) != 1:  # the head does not say which of them the body names
            return None
        return registry.get(next(iter(models))).reserve(characters, deadline)

    app.state.handler = app.middleware_stack = Handler(
        app,
        metrics=metrics,
        settings=settings,
        reserve={
            f"/{name}": partial(reserve, name)
            for name, spec in specs.items()
            if not spec.by_languages  # whose text may need no model
        },
        authenticator=authenticator,
        trace=traces.request if traces else None,
    )
    return app
