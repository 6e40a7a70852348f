"""The API of LibreTranslate: /translate, /detect and /languages, by form or by JSON, and what its clients ask
first.

Leaves out its users and suggestions; an `api_key` is checked before the route (auth/), files are translated in
libretranslate_files.py.
"""

from typing import Any, Literal

from pydantic_core import to_json

from service.compat.endpoints import compat_route
from service.compat.libretranslate_messages import (
    Chosen,
    Detected,
    DetectQuery,
    FrontendSettings,
    Health,
    Language,
    Languages,
    Named,
    Ranking,
    Translated,
    TranslateQuery,
)
from service.errors import NotFound
from service.http.forms import FORMS, media_type, read_form
from service.http.parsing import in_turn, parse
from service.http.routing import Route, RoutedRequest
from service.http.task_endpoint import TaskEndpoint
from service.registry.registry import Registry
from service.settings import Settings
from service.tasks.translate import SPEC
from service.tasks.translate.language import Detector, LanguageRouter, plain
from service.tasks.translate.messages import TranslateRequest

PREFIX = "/compat/libretranslate"

NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fi": "Finnish", "fr": "French",
    "ga": "Irish", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch", "no": "Norwegian",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian",
    "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


def routes(registry: Registry, translate: TaskEndpoint, settings: Settings) -> list[Route]:
    """The routes; `translate` answers."""

    async def translate_text(request: RoutedRequest) -> Translated:
        """Translate a text or a list of them; the fields may be JSON, a form, or in the address."""
        query = await in_turn(request.body, read_query, TranslateQuery, request)
        texts = query.q if isinstance(query.q, list) else [query.q]
        if query.source == query.target and query.target in targets(registry):
            whole: dict[str, Any] = {"translatedText": texts}
            whole |= {"alternatives": [[] for _ in texts]} if query.alternatives else {}
        else:
            whole = await _translated(texts, query, request)
        if texts is not query.q:
            whole = {key: values[0] for key, values in whole.items()}
        return Translated(**whole)

    async def _translated(
        texts: list[str], query: TranslateQuery, request: RoutedRequest
    ) -> dict[str, Any]:
        options = query.model_dump(exclude={"q", "format"})
        asked = {**options, "text": texts, "format": query.format or "text"}
        translation = await in_turn(request.body, parse, TranslateRequest, to_json(asked))
        answer = await translate.answer(translation, request.call)
        whole: dict[str, Any] = {
            "translatedText": [result.translation for result in answer.results]
        }
        if query.alternatives:
            whole["alternatives"] = [
                [each.translation for each in result.alternatives] for result in answer.results
            ]
        if query.source == "auto":
            whole["detectedLanguage"] = [
                _detected(registry, plain(text, html=query.format == "html"), result.source)
                for text, result in zip(texts, answer.results, strict=True)
            ]
        return whole

    async def languages(_: RoutedRequest) -> Languages:
        """The languages, and into which each is translated."""
        return Languages(
            [
                Language(code=code, name=NAMES.get(code, code), targets=served)
                for code, served in targets(registry).items()
            ]
        )

    async def detect(request: RoutedRequest) -> Ranking:
        """The languages that a text may be in, the likeliest first, with a confidence from 0 to 100."""
        query = await in_turn(request.body, read_query, DetectQuery, request)
        if not pairs(registry):
            raise NotFound("there is no translator in this server, and so no language to detect")
        ranked = [_confidence(*found) for found in detector(registry).ranked(query.q)]
        return Ranking([each for each in ranked if each.confidence])

    async def health(_: RoutedRequest) -> Health:
        """That the server answers, for clients that ask before they translate."""
        return Health(status="ok")

    async def frontend_settings(_: RoutedRequest) -> FrontendSettings:
        """What a frontend of LibreTranslate asks first."""
        served = pairs(registry)
        first = served[0][1] if served else "en"
        return FrontendSettings(
            apiKeys=settings.keys is not None,
            charLimit=settings.max_characters,
            keyRequired=settings.keys is not None,
            language=Chosen(
                source=Named(code="auto", name="Auto Detect"),
                target=Named(code=first, name=NAMES.get(first, first)),
            ),
        )

    asked: dict[str, Any] = {"query_types": ("application/json", *FORMS)}
    example = {"a text": {"q": "Un chien court dans la neige.", "source": "auto", "target": "en"}}
    return [
        libre_route(
            "POST", "translate", translate_text, 400, 404, 413, 415, 503, 504,
            query=TranslateQuery, queries=example, answer=Translated, **asked,
        ),
        libre_route("GET", "languages", languages, answer=Languages),
        libre_route(
            "POST", "detect", detect, 400, 404, 413, 415, 503,
            query=DetectQuery, queries={"a text": {"q": "Un chien."}}, answer=Ranking, **asked,
        ),
        libre_route("GET", "frontend/settings", frontend_settings, answer=FrontendSettings),
        libre_route("GET", "health", health, answer=Health),
    ]  # fmt: skip


def libre_route(
    method: Literal["GET", "POST"], path: str, endpoint: Any, *problems: int, **about: Any
) -> Route:
    """path: below PREFIX."""
    name = f"libretranslate_{endpoint.__name__}"
    return compat_route(
        method, f"{PREFIX}/{path}", endpoint, name, "LibreTranslate", *problems, **about
    )


def read_query(model: type[Any], request: RoutedRequest) -> Any:
    """The query of a body that is JSON or a form, or of the address. Raises TextLoomError."""
    content_type = request.headers.get(b"content-type", b"")
    if media_type(content_type) == b"application/json":
        return parse(model, request.body)
    form = read_form(request.body, content_type, request.query)
    return parse(model, to_json(form.fields))


def pairs(registry: Registry) -> list[tuple[str, str]]:
    """Source and target of the translators that answer without being named."""
    models = registry.models(SPEC.name)
    said = [SPEC.default_languages(name) for name in models]
    return [(languages[0], languages[1]) for languages in said if languages]


def targets(registry: Registry) -> dict[str, list[str]]:
    """Of each language those it is translated into, and itself: such a text comes back as it is."""
    served = pairs(registry)
    languages = sorted({language for pair in served for language in pair})
    return {
        code: [other for other in languages if other == code or (code, other) in served]
        for code in languages
    }


def detector(registry: Registry) -> Detector:
    router = registry.router(SPEC.name)
    assert isinstance(router, LanguageRouter)
    return router.detector


def _detected(registry: Registry, text: str, language: str) -> Detected:
    return _confidence(language, dict(detector(registry).ranked(text))[language])


def _confidence(language: str, probability: float) -> Detected:
    return Detected(confidence=round(100 * probability, 1), language=language)
