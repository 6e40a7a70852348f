"""The HTTP service: one explicit route per task, and health, models, metrics and docs around them.

Routes translate and tasks compute: an endpoint checks what only the loaded models can tell (labels, language
pairs), lets a model answer, and wraps the results. Leaves out what all routes share (http.py).
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from service import __version__, openapi
from service.auth.authenticator import Authenticator
from service.callers import Lookout
from service.compat import libretranslate, open_inference
from service.compat.endpoints import Endpoint
from service.errors import FieldError, InvalidInput, NotFound, TextLoomError
from service.http import Edge
from service.problems import answer_error
from service.processes import Board
from service.registry.entry import ModelInfo
from service.registry.registry import Registry
from service.settings import Settings
from service.tasks.base import Usage
from service.tasks.ner.task import NerAnswer, NerRequest
from service.tasks.sentiment.task import SentimentAnswer, SentimentRequest
from service.tasks.translate.task import TranslateAnswer, TranslateRequest, TranslateResult
from service.telemetry.metrics import CONTENT_TYPE, Metrics, keep_flushing

PLAYGROUND = Path(__file__).with_name("playground")
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


def create_app(settings: Settings, board: Board | None = None) -> FastAPI:
    """The service as an ASGI app. Models load in the background, so it answers at once: `not_ready`.

    board: of the processes that will serve this app, if there are several.
    """
    metrics = Metrics(board=board)
    registry = Registry(settings, metrics)
    traces = None
    if settings.traces:
        from service.telemetry.tracing import Traces  # what it needs may not be installed

        traces = Traces(settings.traces)

    authenticator = Authenticator(settings, metrics) if settings.keys or settings.admin else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if authenticator and board:
            authenticator.quotas.set_worker(board.place(os.getpid()))
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
    app.state.lookout = Lookout()
    openapi.install(app)

    def route(path: str, endpoint: Callable[..., Any], documented: dict[str, Any]) -> None:
        app.router.add_api_route(path, endpoint, **documented)

    route("/ner", answer_ner, openapi.NER)
    route("/sentiment", answer_sentiment, openapi.SENTIMENT)
    route("/translate", answer_translate, openapi.TRANSLATE)
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

    def add_compat_route(path: str, endpoint: Callable[..., Any], method: str) -> None:
        app.router.add_api_route(
            path, endpoint, methods=[method], response_model=None, include_in_schema=False
        )

    libretranslate.install(add_compat_route, answer_translate)
    tasks: dict[str, Endpoint] = {
        "ner": answer_ner,
        "sentiment": answer_sentiment,
        "translate": answer_translate,
    }
    open_inference.install(add_compat_route, tasks)

    def reserve(name: str, characters: int, deadline: float) -> TextLoomError | None:
        return registry.get(name).reserve(characters, deadline)

    app.state.edge = app.middleware_stack = Edge(
        app,
        metrics=metrics,
        settings=settings,
        reserve={f"/{name}": partial(reserve, name) for name in ("ner", "sentiment")},
        authenticator=authenticator,
        traces=traces,
    )
    return app


async def answer_ner(query: NerRequest, request: Request) -> NerAnswer:
    """Find names: people, places, organisations and what else the model knows."""
    model = _registry(request).get("ner")
    known = model.manifest.labels
    unknown = [
        FieldError(f"/labels/{index}", f"{label!r} is not one of {', '.join(known)}")
        for index, label in enumerate(query.labels or [])
        if label not in known
    ]
    if unknown:
        raise InvalidInput(f"unknown label; the model knows {', '.join(known)}", errors=unknown)
    texts = _texts(query.text)
    results, tokens = await model.answer(texts, query, request.state.call)
    return NerAnswer(model=model.name, results=results, usage=_usage(texts, tokens))


async def answer_sentiment(query: SentimentRequest, request: Request) -> SentimentAnswer:
    """Judge whether a text, and each of its sentences if asked, is negative, neutral or positive."""
    model = _registry(request).get("sentiment")
    texts = _texts(query.text)
    results, tokens = await model.answer(texts, query, request.state.call)
    return SentimentAnswer(model=model.name, results=results, usage=_usage(texts, tokens))


async def answer_translate(query: TranslateRequest, request: Request) -> TranslateAnswer:
    """Translate; with `source: auto`, each text from the language that it is in.

    A text that is in the target language already comes back as it is, with that language as its source and
    score 0. One that tells too little (a number, a single name) is read as a source language of that target.
    """
    registry = _registry(request)
    texts = _texts(query.text)
    sources = _sources(query, registry)
    if query.source == "auto":
        found = [registry.detector.source(text, sources, query.target) for text in texts]
    else:
        found = [query.source] * len(texts)
    # one bundle per source; the first names the answer, and stands in when no text needs any
    needed = [source for source in dict.fromkeys(found) if source != query.target] or sources[:1]
    models = {source: registry.get(f"translate-{source}-{query.target}") for source in needed}

    translated: dict[str, Iterator[TranslateResult]] = {}
    tokens = 0
    for source, model in models.items():
        mine = [text for text, language in zip(texts, found, strict=True) if language == source]
        answers, read = await model.answer(mine, query, request.state.call)
        translated[source] = iter(answers)
        tokens += read
    results = [
        next(translated[source]) if source in translated else _as_is(text, query.target)
        for text, source in zip(texts, found, strict=True)
    ]
    name = models[needed[0]].name
    return TranslateAnswer(model=name, results=results, usage=_usage(texts, tokens))


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


def _texts(text: str | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else text


def _usage(texts: list[str], tokens: int) -> Usage:
    return Usage(characters=sum(map(len, texts)), tokens=tokens)


def _sources(query: TranslateRequest, registry: Registry) -> list[str]:
    """The languages that the query may translate from. Raises InvalidInput if no bundle serves it."""
    pairs = registry.pairs
    sources = [source for source, target in pairs if target == query.target]
    if query.source == "auto" and sources:
        return sources
    if (query.source, query.target) in pairs:
        return [query.source]
    if not pairs:
        raise NotFound("there is no translator in this server")
    served = ", ".join(f"{source} to {target}" for source, target in pairs)
    wrong = "/source" if sources else "/target"
    detail = f"{query.source} to {query.target} is not served; served: {served}"
    raise InvalidInput(detail, errors=[FieldError(wrong, detail)])


def _as_is(text: str, language: str) -> TranslateResult:
    return TranslateResult(translation=text, source=language, target=language, score=0.0)
