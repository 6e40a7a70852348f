"""LibreTranslate's translation of files: a file is sent, the answer names where the translated one is fetched.

Leaves out how a file is split into texts (documents.py) and where the translated file is kept (downloads.py).
"""

import asyncio
import codecs
from pathlib import PurePath

from pydantic_core import to_json

from service.compat.downloads import Downloads
from service.compat.libretranslate import PREFIX, detector, libre_route, pairs, targets
from service.compat.libretranslate_messages import (
    FILE_KINDS,
    FileForm,
    FileQuery,
    TranslatedFile,
)
from service.documents import Document, read
from service.errors import InvalidInput, TooLarge
from service.http.forms import MULTIPART, read_form
from service.http.messages import HttpResponse
from service.http.parsing import parse
from service.http.routing import Route, RoutedRequest
from service.http.task_endpoint import TaskEndpoint
from service.registry.registry import Registry
from service.settings import Settings
from service.tasks.translate.language import plain
from service.tasks.translate.messages import TranslateRequest

MAX_LINES = 50_000
"""Of a file; the Markdown parser reads about so many in a second."""


def routes(
    registry: Registry, translate: TaskEndpoint, downloads: Downloads, settings: Settings
) -> list[Route]:
    """The routes; `translate` answers."""

    async def translate_file(request: RoutedRequest) -> TranslatedFile:
        """Translate a file of text, HTML, subtitles or Markdown; the answer says where it is."""
        form = read_form(request.body, request.headers.get(b"content-type", b""), request.query)
        if "file" not in form.files:
            raise InvalidInput("send a form (multipart/form-data) with the file as `file`")
        upload, query = form.files["file"], parse(FileQuery, to_json(form.fields))
        kind = _kind(upload.name)
        content, encoding = _decoded(upload.content)
        if len(content) > settings.max_characters:
            raise TooLarge(
                f"{len(content)} characters; at most {settings.max_characters} in a request"
            )
        if content.count("\n") > MAX_LINES:
            raise TooLarge(f"a file may have at most {MAX_LINES} lines")
        document = await asyncio.to_thread(read, content, kind)
        html = kind == "html"
        translated = document.with_texts(await _translations(document, html, query, request))
        ending = PurePath(upload.name.lower()).suffix
        name = downloads.put(translated.encode(encoding), ending)
        address = f"{_base(request, settings)}{PREFIX}/download_file/{name}"
        return TranslatedFile(translatedFileUrl=address)

    async def _translations(
        document: Document, html: bool, query: FileQuery, request: RoutedRequest
    ) -> list[str]:
        texts = document.texts
        source = query.source
        if source == "auto":
            source = _language("\n".join(texts), html, query.target)
        if not texts or (source == query.target and source in targets(registry)):
            return texts
        done: list[str] = []
        options = {
            "source": source,
            "target": query.target,
            "format": "html" if html else "text",
        }
        for start in range(0, len(texts), settings.max_texts):
            asked = {**options, "text": texts[start : start + settings.max_texts]}
            answer = await translate.answer(parse(TranslateRequest, to_json(asked)), request.call)
            done += [result.translation for result in answer.results]
        return done

    def _language(content: str, html: bool, target: str) -> str:
        """The language of the file as a whole; `target` if it cannot be translated into that."""
        sources = [source for source, into in pairs(registry) if into == target]
        if not sources:
            return "auto"  # which is then refused, with what there is
        found = detector(registry).source(plain(content, html=html), sources)
        return found if found in sources else target

    async def download_file(request: RoutedRequest) -> HttpResponse:
        """A file that has been translated in the last ten minutes."""
        name = request.parameters["name"]
        content = downloads.get(name)
        headers = [
            (b"content-type", b"application/octet-stream"),
            (b"content-disposition", b'attachment; filename="%s"' % name.encode()),
        ]
        return HttpResponse(200, headers, content)

    return [
        libre_route(
            "POST", "translate_file", translate_file, 400, 404, 413, 415, 503, 504,
            query=FileForm, query_types=(MULTIPART.decode(),), answer=TranslatedFile,
        ),
        libre_route(
            "GET", "download_file/{name}", download_file, 404,
            answer=None, answer_type="application/octet-stream",
        ),
    ]  # fmt: skip


def _kind(name: str) -> str:
    """The kind of a file, by the ending of its name. Raises InvalidInput."""
    found = FILE_KINDS.get(PurePath(name.lower()).suffix)
    if found is None:
        endings = ", ".join(FILE_KINDS)
        raise InvalidInput(f"only files with these endings are translated: {endings}")
    return found


def _decoded(content: bytes) -> tuple[str, str]:
    """The text of a file and its encoding, by the mark at its beginning. Raises InvalidInput."""
    encoding = "utf-8"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif content.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    try:
        return content.decode(encoding), encoding
    except UnicodeDecodeError:
        raise InvalidInput("the file is not UTF-8, nor UTF-16 with its mark") from None


def _base(request: RoutedRequest, settings: Settings) -> str:
    """The address of this server as its caller knows it."""
    host = request.headers.get(b"host", b"").decode("latin-1")
    forwarded = request.headers.get(b"x-forwarded-proto", b"http")
    scheme = "https" if forwarded == b"https" else "http"
    return f"{scheme}://{host}{settings.root_path}"
