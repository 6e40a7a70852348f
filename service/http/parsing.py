"""Parsing: a body becomes a query, or an error that says what is wrong with it and where.

pydantic reads and checks the JSON in one pass; only when that fails is the body looked at again, to put its
findings into terms of the body: what is no JSON, what is no text, and JSON pointers to fields.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from service.errors import (
    BadJSON,
    FieldError,
    InvalidInput,
    TextLoomError,
    UnsupportedMediaType,
)
from service.http.forms import media_type
from service.http.messages import Headers

MAX_ERRORS = 100
"""Most errors in an answer: a list of a million numbers in place of texts must not make a million errors."""

M = TypeVar("M", bound=BaseModel)


def check_media_type(headers: Headers) -> None:
    """Raises UnsupportedMediaType for anything but JSON."""
    if media_type(headers.get(b"content-type", b"")) != b"application/json":
        raise UnsupportedMediaType("send the query as JSON with Content-Type: application/json")


def parse(model: type[M], body: bytes) -> M:
    """The body as a query. Raises BadJSON or InvalidInput, which say what is wrong and where."""
    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise _explain(error, body) from None


def _explain(error: ValidationError, body: bytes) -> TextLoomError:
    """Why a body is no query, in terms of the body: JSON pointers instead of pydantic's locations."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as wrong:
        return BadJSON(f"the body is not UTF-8: byte {wrong.start} is wrong")
    if error.error_count() > MAX_ERRORS:
        return InvalidInput(f"{error.error_count()} places are wrong, too many to name them")
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return _not_json(text, found[0]["msg"].removeprefix("Invalid JSON: "))
    document = json.loads(text, parse_int=float)  # of any number of digits
    details: dict[str, list[str]] = {}
    for each in found:
        pointer = _pointer(document, each["loc"], missing=each["type"] == "missing")
        details.setdefault(pointer, []).append(_in_terms_of_json(each["msg"]))
    errors = [
        FieldError(pointer, ", or: ".join(dict.fromkeys(messages)))
        for pointer, messages in details.items()
        # the branch of a union that is not meant fails higher up
        if not any(other.startswith(pointer + "/") for other in details)
    ]
    first = errors[0]
    return InvalidInput(f"{first.pointer or 'the body'}: {first.detail}", errors=errors)


def _not_json(text: str, reason: str) -> TextLoomError:
    """reason: as pydantic's parser gives it."""
    try:
        surrogates = [
            FieldError(pointer, "a lone surrogate is no character")
            for pointer in dict.fromkeys(_surrogates(json.loads(text, parse_int=float)))
        ]
    except (ValueError, RecursionError):
        surrogates = []
    if surrogates:
        return InvalidInput("a text holds half a character", errors=surrogates)
    if not text.strip():
        return BadJSON("the body is empty; send JSON")
    if text[0] == "\ufeff":
        return BadJSON("the body begins with a byte order mark, which JSON does not have")
    if reason.startswith("recursion"):
        return BadJSON("the body nests arrays and objects too deeply")
    return BadJSON(f"the body is not JSON: {reason}")


def _in_terms_of_json(message: str) -> str:
    """
    >>> _in_terms_of_json("List should have at least 1 item after validation, not 0")
    'Array should have at least 1 item, not 0'
    """
    if message == "Extra inputs are not permitted":
        return "There is no such field"
    return message.replace("List", "Array").replace(" after validation", "")


def _pointer(document: Any, location: tuple[int | str, ...], *, missing: bool) -> str:
    """A JSON pointer for a pydantic location, without the names of union branches in it.

    >>> _pointer({"text": ["a", 5]}, ("text", "list[str]", 1), missing=False)
    '/text/1'
    """
    parts: list[int | str] = []
    for part in location:
        inside = dict(enumerate(document)) if isinstance(document, list) else document
        if isinstance(inside, dict) and part in inside:
            document = inside[part]
        elif not (missing and part == location[-1]):
            continue
        parts.append(part)
    return _join(parts)


def _surrogates(document: Any) -> Iterator[str]:
    """Pointers to the strings of a document that hold a lone surrogate; of a key, to its object."""
    found: list[tuple[tuple[int | str, ...], Any]] = [((), document)]
    for parts, value in found:  # it grows on the way: no recursion, as a body may nest deeply
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            yield _join(parts)
        elif isinstance(value, dict):
            found += [(parts, key) for key in value]
            found += [((*parts, key), inside) for key, inside in value.items()]
        elif isinstance(value, list):
            found += [((*parts, index), inside) for index, inside in enumerate(value)]


def _join(parts: Iterable[int | str]) -> str:
    whole = (str(part).encode(errors="replace").decode() for part in parts)
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in whole)
