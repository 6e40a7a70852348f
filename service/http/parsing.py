"""Parsing: a body becomes a query, or an error that says what is wrong with it and where.

pydantic reads and checks the JSON in one pass, and stops in a list at the first offence. What it finds is put
into terms of the body: what is no JSON, what is no text, and JSON pointers to fields. An error costs no more than
a body of this size that is right.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import UnionType
from typing import Annotated, Any, ParamSpec, TypeVar, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic_core import from_json

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
"""Of more wrong places only the number is told."""

INLINE_BYTES = 64 * 1024
"""Longer bodies would hold up the event loop."""

MAX_SIGNS = 100_000
"""Most brackets, colons and commas of the JSON of a body."""

M = TypeVar("M", bound=BaseModel)
P = ParamSpec("P")
R = TypeVar("R")

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[][{},:]', re.DOTALL)
_PLACE = re.compile(r" at line (?P<line>\d+) column (?P<column>\d+)$")
_LONE_SURROGATE = re.compile(
    rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|[c-fC-F][0-9a-fA-F]{2})"
)


_one_at_a_time = ThreadPoolExecutor(1, "parser")
"""Parses long bodies: the parsed objects may take twenty times the memory of the body."""


async def in_turn(body: bytes, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What `work` makes of a body, or of what was in it; a long body is parsed in a thread, one at a time."""
    if len(body) <= INLINE_BYTES:
        return work(*args, **kwargs)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_one_at_a_time, partial(work, *args, **kwargs))


def check_media_type(headers: Headers) -> None:
    """Raises UnsupportedMediaType for anything but JSON."""
    if media_type(headers.get(b"content-type", b"")) != b"application/json":
        raise UnsupportedMediaType("send the query as JSON with Content-Type: application/json")


def parse(model: type[M], body: bytes) -> M:
    """The body as a query. Raises BadJSON or InvalidInput, which say what is wrong and where."""
    _check_structure(body)
    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise _explain(error, model, body) from None


def _check_structure(body: bytes) -> None:
    """Raises InvalidInput for more values than any query has: to read them would hold up all others."""
    if len(body) <= MAX_SIGNS or _signs(body) <= MAX_SIGNS:
        return
    outside = _signs(body)
    for string in _STRING.finditer(body):
        outside -= _signs(string[0])
        if outside <= MAX_SIGNS:
            return
    if outside > MAX_SIGNS:
        raise InvalidInput("the body: it has too many lists, objects and values")


def _signs(body: bytes) -> int:
    return body.count(b"[") + body.count(b"{") + body.count(b":") + body.count(b",")


def _explain(error: ValidationError, model: type[BaseModel], body: bytes) -> TextLoomError:
    """Why a body is no query: JSON pointers instead of pydantic's locations."""
    if error.error_count() > MAX_ERRORS:
        return InvalidInput(f"{error.error_count()} places are wrong, too many to name them")
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return _explain_json(found[0]["msg"], body)
    details: dict[str, list[str]] = {}
    for each in found:
        details.setdefault(_pointer(model, each["loc"]), []).append(_in_terms_of_json(each["msg"]))
    errors = [
        FieldError(pointer, ", or: ".join(dict.fromkeys(messages)))
        for pointer, messages in details.items()
        # the branch of a union that is not meant fails higher up
        if not any(other.startswith(pointer + "/") for other in details)
    ]
    first = errors[0]
    return InvalidInput(f"{first.pointer or 'the body'}: {first.detail}", errors=errors)


def _explain_json(message: str, body: bytes) -> TextLoomError:
    """Why a body cannot be read, from what the parser says: its words, and where it stopped."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as wrong:
        return BadJSON(f"the body is not UTF-8: byte {wrong.start} is wrong")
    if not body.strip():
        return BadJSON("the body is empty; send JSON")
    if body.startswith(b"\xef\xbb\xbf"):
        return BadJSON("the body begins with a byte order mark, which JSON does not have")
    if place := _PLACE.search(message):
        at = _offset(body, line=int(place["line"]), column=int(place["column"]))
        if _LONE_SURROGATE.search(body, max(0, at - 14), at + 2):
            half = FieldError(pointer_at(body, at), "a lone surrogate is no character")
            return InvalidInput("a text contains a lone surrogate", errors=[half])
    reason = message.removeprefix("Invalid JSON: ")
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


def _offset(body: bytes, *, line: int, column: int) -> int:
    """Where a line, counted from 1, and a column of it are."""
    start = 0
    for _ in range(line - 1):
        start = body.find(b"\n", start) + 1
    return start + column


def pointer_at(body: bytes, at: int) -> str:
    """A JSON pointer to what stands there; to the object for a key of it.

    >>> pointer_at(b'{"text": ["a", "b"]}', 16)
    '/text/1'
    """
    parts: list[int | str] = []
    before = b""
    for match in _TOKEN.finditer(body, 0, at):
        token = match[0]
        if token == b"[":
            parts.append(0)
        elif token == b"{":
            parts.append("")
        elif token in (b"]", b"}"):
            parts = parts[:-1]
        elif token == b"," and parts:
            last = parts[-1]
            parts[-1] = last + 1 if isinstance(last, int) else ""
        elif token == b":" and parts:
            parts[-1] = str(from_json(before))
        before = token
    return _join(parts[:-1] if parts[-1:] == [""] else parts)


def _pointer(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """A JSON pointer for a pydantic location, without the names of union branches in it.

    >>> class Query(BaseModel):
    ...     text: str | list[str]
    >>> _pointer(Query, ("text", "list[str]", 1))
    '/text/1'
    """
    parts: list[int | str] = []
    options: list[Any] = [model]
    for part in location:
        inside: list[Any] = []
        named = False
        for kind in options:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                named = True
                inside += [
                    field.annotation
                    for name, field in kind.model_fields.items()
                    if part == name or part in _aliases(field.validation_alias)
                ]
            elif get_origin(kind) in (list, dict):
                named |= get_origin(kind) is dict
                inside.append(get_args(kind)[-1])
        if isinstance(part, int) or named:
            parts.append(part)
            options = [kind for each in inside for kind in kinds(each)]
    return _join(parts)


def kinds(annotation: Any) -> list[Any]:
    """The branches of a union, or the type alone."""
    if get_origin(annotation) is Annotated:
        return kinds(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for each in get_args(annotation) for kind in kinds(each)]
    return [annotation]


def _aliases(alias: Any) -> Sequence[Any]:
    return alias.choices if isinstance(alias, AliasChoices) else [alias]


def _join(parts: Iterable[int | str]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
