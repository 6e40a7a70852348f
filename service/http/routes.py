"""The routes: one for each task, and health, models, metrics, playground and documentation around them.

Routes translate and tasks compute: an endpoint checks what only the loaded models know (labels, language
pairs), lets a model answer, and wraps the results. Leaves out what all routes share (handler.py,
task_route.py).
"""

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from pydantic import BaseModel

from service.errors import FieldError, InvalidInput, NotFound
from service.http import openapi
from service.registry.entry import ModelInfo
from service.registry.registry import Registry
from service.tasks.base import Usage
from service.tasks.ner.task import NerAnswer, NerRequest
from service.tasks.sentiment.task import SentimentAnswer, SentimentRequest
from service.tasks.translate.task import TranslateAnswer, TranslateRequest, TranslateResult
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
