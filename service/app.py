"""The app: puts settings, metrics, registry, authentication, routes and handler together, and nothing else."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

from service import tasks
from service.auth.authenticator import Authenticator
from service.compat import libretranslate, libretranslate_files, open_inference
from service.compat.downloads import Downloads
from service.http import routes
from service.http.asgi import Lifespan
from service.http.handler import Handler
from service.http.routing import Router
from service.processes.worker_table import WorkerTable, shared_memory
from service.registry.registry import Registry
from service.settings import Settings
from service.telemetry import metric_files
from service.telemetry.metrics import Metrics, keep_flushing


@dataclass(frozen=True)
class App:
    """A service that a server (http/server.py) can serve."""

    settings: Settings
    metrics: Metrics
    registry: Registry
    router: Router
    handler: Handler
    downloads: Downloads
    """To be closed when the service has ended."""
    bind_grpc: Callable[[], str] | None
    """Takes the address for gRPC, before the lifespan is entered, and gives it; None without gRPC."""
    lifespan: Lifespan
    """Is entered when the server starts, and left when it ends."""


def create_app(settings: Settings, worker_table: WorkerTable | None = None) -> App:
    """The service. Models load in the background, so it answers at once: `not_ready`.

    worker_table: of the processes that will serve this app, if there are several.
    """
    metrics = Metrics(
        worker_table=worker_table if metric_files.together() else None,
        tasks={f"/{name}": name for name in tasks.specs()},
    )
    registry = Registry(settings, metrics)
    downloads = Downloads(shared_memory())
    traces = None
    if settings.traces:
        from service.telemetry.tracing import Traces  # what it needs may not be installed

        traces = Traces(settings.traces)

    authenticator = Authenticator(settings, metrics) if settings.keys or settings.admin else None

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        if authenticator and worker_table:
            authenticator.quotas.set_worker(worker_table.index_of(os.getpid()))
        await registry.catch_up()
        watching = asyncio.create_task(registry.watch())
        counting = asyncio.create_task(keep_flushing(metrics))
        async with grpc.serving() if grpc else nullcontext():
            yield
        counting.cancel()
        watching.cancel()
        await registry.close()
        metrics.flush()
        if traces:
            traces.close()

    endpoints = routes.task_endpoints(registry, settings)
    found = routes.task_routes(registry, endpoints)
    found += routes.service_routes(registry, metrics, settings, worker_table)
    found += libretranslate.routes(registry, endpoints["translate"], settings)
    found += libretranslate_files.routes(registry, endpoints["translate"], downloads, settings)
    found += open_inference.routes(registry, endpoints)
    router = Router([*found, routes.document_route(found, settings)], root_path=settings.root_path)
    handler = Handler(
        router=router,
        settings=settings,
        metrics=metrics,
        authenticator=authenticator,
        trace=traces.request if traces else None,
    )
    grpc = None
    if settings.grpc:
        from service.compat.open_inference_grpc import GrpcServer

        grpc = GrpcServer(handler, settings)
    return App(
        settings,
        metrics,
        registry,
        router,
        handler,
        downloads,
        grpc.bind if grpc else None,
        lifespan,
    )
