"""The routes: one for each task, and health, models, metrics, playground and documentation around them.

Routes translate and tasks compute: an endpoint checks what only the loaded models know (labels, language
pairs), lets a model answer, and wraps the results. Leaves out what all routes share (handler.py,
task_endpoint.py).
"""

from collections.abc import Iterator, Sequence
from functools import partial

from pydantic import BaseModel

from service.errors import FieldError, InvalidInput, NotFound
from service.http import openapi, pages
from service.http.messages import HttpResponse
from service.http.routing import Endpoint, Route, RoutedRequest, json_response
from service.http.task_endpoint import TaskEndpoint
from service.registry.entry import ModelInfo
from service.registry.registry import Registry
from service.settings import Settings
from service.tasks.base import Usage
from service.tasks.ner.task import NerAnswer, NerRequest
from service.tasks.sentiment.task import SentimentAnswer, SentimentRequest
from service.tasks.translate.task import TranslateAnswer, TranslateRequest, TranslateResult
from service.telemetry.call import Call
from service.telemetry.metrics import CONTENT_TYPE, Metrics


class Live(BaseModel):
    status: str = "live"


class Ready(BaseModel):
    status: str = "ready"
    models: list[str]


class Models(BaseModel):
    models: list[ModelInfo]


def task_endpoints(registry: Registry, settings: Settings) -> dict[str, TaskEndpoint]:
    """What answers for each task, by its name."""
    return {
        "ner": TaskEndpoint(NerRequest, partial(answer_ner, registry), settings),
        "sentiment": TaskEndpoint(SentimentRequest, partial(answer_sentiment, registry), settings),
        "translate": TaskEndpoint(TranslateRequest, partial(answer_translate, registry), settings),
    }


ONE_MODEL = ("ner", "sentiment")
"""Tasks whose model is known before the body is read: a request that would be too late is refused by its head."""


def task_routes(registry: Registry, endpoints: dict[str, TaskEndpoint]) -> list[Route]:
    def admit(name: str, size: int, deadline: float) -> None:
        registry.get(name).check_early(size, deadline)

    return [
        Route(
            "POST",
            f"/{name}",
            endpoint,
            takes_json=True,
            admit=partial(admit, name) if name in ONE_MODEL else None,
            documentation=openapi.TASKS[name],
        )
        for name, endpoint in endpoints.items()
    ]


def service_routes(registry: Registry, metrics: Metrics) -> list[Route]:
    """What stands around the tasks, but for the document of all routes."""

    async def live(_: RoutedRequest) -> HttpResponse:
        """The process answers."""
        return json_response(Live())

    async def ready(_: RoutedRequest) -> HttpResponse:
        """Every model of the repository is loaded, checked and warm."""
        registry.check_ready()
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
        Route("GET", "/docs", pages.docs),
        Route("GET", "/docs/{asset}", pages.docs_asset),
    ]


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


async def answer_ner(registry: Registry, query: NerRequest, call: Call) -> NerAnswer:
    model = registry.get("ner")
    known = model.manifest.labels
    unknown = [
        FieldError(f"/labels/{index}", f"{label!r} is not one of {', '.join(known)}")
        for index, label in enumerate(query.labels or [])
        if label not in known
    ]
    if unknown:
        raise InvalidInput(f"unknown label; the model knows {', '.join(known)}", errors=unknown)
    texts = _texts(query.text)
    results, tokens = await model.answer(texts, query, call)
    return NerAnswer(model=model.name, results=results, usage=_usage(texts, tokens))


async def answer_sentiment(
    registry: Registry, query: SentimentRequest, call: Call
) -> SentimentAnswer:
    model = registry.get("sentiment")
    texts = _texts(query.text)
    results, tokens = await model.answer(texts, query, call)
    return SentimentAnswer(model=model.name, results=results, usage=_usage(texts, tokens))


async def answer_translate(
    registry: Registry, query: TranslateRequest, call: Call
) -> TranslateAnswer:
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
        answers, read = await model.answer(mine, query, call)
        translated[source] = iter(answers)
        tokens += read
    results = [
        next(translated[source]) if source in translated else _as_is(text, query.target)
        for text, source in zip(texts, found, strict=True)
    ]
    name = models[needed[0]].name
    return TranslateAnswer(model=name, results=results, usage=_usage(texts, tokens))


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
