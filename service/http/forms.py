"""Forms: the fields and files of a body that a browser or `curl -d` and `-F` send, and of the query in an address.

Leaves out JSON (parsing.py) and what the fields mean (compat/, auth/).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import FormParser, parse_options_header

from service.errors import BadForm, UnsupportedMediaType

URLENCODED = b"application/x-www-form-urlencoded"
MULTIPART = b"multipart/form-data"
FORMS = (URLENCODED.decode(), MULTIPART.decode())

MAX_FIELDS = 100


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a form."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """Of a name that comes several times, the first counts."""

    fields: Mapping[str, str]
    files: Mapping[str, Upload] = field(default_factory=dict)


def media_type(content_type: bytes) -> bytes:
    """
    >>> media_type(b"Application/JSON; charset=utf-8")
    b'application/json'
    """
    return content_type.partition(b";")[0].strip().lower()


def read_form(body: bytes, content_type: bytes, query: str = "") -> Form:
    """The fields of a query in an address and of a body. Raises BadForm, UnsupportedMediaType."""
    kind = media_type(content_type)
    fields = _pairs(query)
    if kind == MULTIPART:
        form = _multipart(body, content_type)
        return Form({**form.fields, **fields}, form.files)
    if kind == URLENCODED:
        return Form({**_urlencoded(body), **fields})
    if body:
        raise UnsupportedMediaType("send the query as JSON or as a form")
    return Form(fields)


def _urlencoded(body: bytes) -> dict[str, str]:
    """Raw UTF-8, which `curl -d` sends, counts as itself."""
    try:
        return _pairs(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadForm("the form is not UTF-8") from None


def _pairs(encoded: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            encoded, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except UnicodeDecodeError:
        raise BadForm("the form is not UTF-8") from None
    except ValueError:
        raise BadForm(f"the form has more than {MAX_FIELDS} fields") from None
    return dict(reversed(pairs))


def _multipart(body: bytes, content_type: bytes) -> Form:
    fields: dict[str, str] = {}
    files: dict[str, Upload] = {}
    parts = 0

    def count() -> None:
        nonlocal parts
        parts += 1
        if parts > MAX_FIELDS:
            raise BadForm(f"the form has more than {MAX_FIELDS} fields")

    def add_field(given: Any) -> None:
        count()
        fields.setdefault(_text(given.field_name), _text(given.value))

    def add_file(given: Any) -> None:
        count()
        given.file_object.seek(0)
        content = given.file_object.read()
        files.setdefault(_text(given.field_name), Upload(_text(given.file_name), content))

    _, parameters = parse_options_header(content_type)
    if not (boundary := parameters.get(b"boundary")):
        raise BadForm("the Content-Type of the form names no boundary")
    ended = []
    try:
        parser = FormParser(
            MULTIPART.decode(),
            add_field,
            add_file,
            on_end=lambda: ended.append(True),
            boundary=boundary,
            # a file never goes to a disk
            config={"MAX_MEMORY_FILE_SIZE": len(body) + 1},
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise BadForm(f"the form cannot be read: {error}") from None
    if not ended:
        raise BadForm("the form ends before its last boundary")
    return Form(fields, files)


def _text(given: bytes | None) -> str:
    try:
        return (given or b"").decode("utf-8")
    except UnicodeDecodeError:
        raise BadForm("the form is not UTF-8") from None
