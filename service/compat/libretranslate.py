"""The API of LibreTranslate: /translate, /languages and /detect, by form or by JSON.

Leaves out its users, suggestions and files; an `api_key` is checked before the route (auth/).
"""

import html
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, Field
from pydantic_core import to_json

from service.compat.endpoints import compat_route
from service.errors import BadJSON, NotFound, UnsupportedMediaType
from service.http.parsing import in_turn, parse
from service.http.routing import Route, RoutedRequest
from service.http.task_endpoint import TaskEndpoint
from service.registry.registry import Registry
from service.tasks.translate import SPEC
from service.tasks.translate.html_tokens import tokens, unescaped
from service.tasks.translate.language import Detector, LanguageRouter
from service.tasks.translate.task import TranslateRequest, TranslateResult

MOST_FIELDS = 100
"""Of a form."""

PREFIX = "/compat/libretranslate"

NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fi": "Finnish", "fr": "French",
    "ga": "Irish", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch", "no": "Norwegian",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian",
    "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


class TranslateQuery(BaseModel):
    q: str | list[str]
    source: str
    target: str
    format: str = Field(default="text", pattern="^(text|html)$")
    alternatives: int = 0


class DetectQuery(BaseModel):
    q: str


def routes(registry: Registry, translate: TaskEndpoint) -> list[Route]:
    """The routes; `translate` answers."""

    async def post_translate(request: RoutedRequest) -> dict[str, Any]:
        query = await in_turn(request.body, _read, TranslateQuery, request)
        many = isinstance(query.q, list)
        asked = query.q if isinstance(query.q, list) else [query.q]
        translate.check_size(asked)
        pages, translation = await in_turn(request.body, _prepared, asked, query)
        answer = await translate.answer(translation, request.call)
        rest = iter(answer.results)
        results: list[list[TranslateResult]] = [[next(rest) for _ in page[::2]] for page in pages]
        answers = await in_turn(request.body, _rejoined, pages, results, query)
        whole: dict[str, Any] = {"translatedText": [texts[0] for texts in answers]}
        if query.alternatives:
            whole["alternatives"] = [texts[1:] for texts in answers]
        if query.source == "auto":
            detector = _detector(registry)
            whole["detectedLanguage"] = [
                _detected(detector, *both) for both in zip(pages, results, strict=True)
            ]
        return whole if many else {key: values[0] for key, values in whole.items()}

    async def get_languages(_: RoutedRequest) -> list[dict[str, Any]]:
        targets: dict[str, list[str]] = {}
        for source, target in _pairs(registry):
            targets.setdefault(source, []).append(target)
        return [
            {"code": code, "name": NAMES.get(code, code), "targets": served}
            for code, served in targets.items()
        ]

    async def post_detect(request: RoutedRequest) -> list[dict[str, Any]]:
        query = await in_turn(request.body, _read, DetectQuery, request)
        if not _pairs(registry):
            raise NotFound("there is no translator in this server, and so no language to detect")
        ranked = [_confidence(*found) for found in _detector(registry).ranked(query.q)]
        return [each for each in ranked if each["confidence"]]

    return [
        compat_route("POST", f"{PREFIX}/translate", post_translate),
        compat_route("GET", f"{PREFIX}/languages", get_languages),
        compat_route("POST", f"{PREFIX}/detect", post_detect),
    ]


def _prepared(
    asked: Sequence[str], query: TranslateQuery
) -> tuple[list[list[str]], TranslateRequest]:
    """The parts of each page, every second of which is markup and stays, and the request for the others."""
    html = query.format == "html"
    pages = [_parts(text) if html else [text] for text in asked]
    texts = [unescaped(part) if html else part for page in pages for part in page[::2]]
    options: dict[str, Any] = {"source": query.source, "target": query.target}
    options |= {"text": texts, "alternatives": query.alternatives}
    return pages, parse(TranslateRequest, to_json(options))


def _parts(html: str) -> list[str]:
    """Text and markup by turns, beginning and ending with text, which may be empty.

    >>> _parts("a<br><b>c</b>")
    ['a', '<br>', '', '<b>', 'c', '</b>', '']
    """
    parts = [""]
    for token in tokens(html):
        part = html[token.start : token.end]
        if token.kind == "text":
            parts[-1] = part
        else:
            parts += [part, ""]
    return parts


def _read(model: type[Any], request: RoutedRequest) -> Any:
    """The query of a body that is JSON or a form. Raises TextLoomError."""
    kind = request.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind == b"application/json":
        return parse(model, request.body)
    if kind != b"application/x-www-form-urlencoded":
        raise UnsupportedMediaType("send the query as JSON or as an urlencoded form")
    try:
        fields: dict[str, Any] = dict(
            parse_qsl(
                request.body.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=MOST_FIELDS,
            )
        )
    except ValueError:
        raise BadJSON(f"the form is not UTF-8, or has over {MOST_FIELDS} fields") from None
    if re.fullmatch("[0-9]+", fields.get("alternatives", "")):
        fields["alternatives"] = int(fields["alternatives"])
    return parse(model, json.dumps(fields).encode())


def _rejoined(
    pages: Sequence[Sequence[str]],
    results: Sequence[Sequence[TranslateResult]],
    query: TranslateQuery,
) -> list[list[str]]:
    return [_rejoin(*both, query) for both in zip(pages, results, strict=True)]


def _rejoin(
    page: Sequence[str], results: Sequence[TranslateResult], query: TranslateQuery
) -> list[str]:
    """The translation of a page, and as many alternatives as its text has, of its parts the best they have."""
    versions = []
    for rank in range(1 + max(len(result.alternatives or ()) for result in results)):
        parts = list(page)
        for place, result in zip(range(0, len(page), 2), results, strict=True):
            ranked = [result.translation, *(each.translation for each in result.alternatives or ())]
            translation = ranked[min(rank, len(ranked) - 1)]
            parts[place] = (
                html.escape(translation, quote=False) if query.format == "html" else translation
            )
        versions.append("".join(parts))
    return versions


def _confidence(language: str, probability: float) -> dict[str, Any]:
    return {"confidence": round(100 * probability, 1), "language": language}


def _detected(
    detector: Detector, page: Sequence[str], results: Sequence[TranslateResult]
) -> dict[str, Any]:
    """The language that most of the text of a page was read as."""
    sizes: Counter[str] = Counter()
    for part, result in zip(page[::2], results, strict=True):
        sizes[result.source] += len(part)
    ((language, _),) = sizes.most_common(1)
    return _confidence(language, dict(detector.ranked("".join(page[::2])))[language])


def _pairs(registry: Registry) -> list[tuple[str, str]]:
    """Source and target of the translators that answer without being named."""
    models = registry.models(SPEC.name)
    said = [SPEC.default_languages(name) for name in models]
    return [(languages[0], languages[1]) for languages in said if languages]


def _detector(registry: Registry) -> Detector:
    router = registry.router(SPEC.name)
    assert isinstance(router, LanguageRouter)
    return router.detector
