"""Whatever reads a caller's text or body takes time in proportion to its length, whatever stands in it.

tests/service/tasks/translate/test_scanners.py does the same for the expressions of the translator, with texts of
their own.
"""

import json
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

import pytest
from pydantic import BaseModel

from service.auth import authenticator
from service.errors import TextLoomError
from service.http.parsing import parse, pointer_at
from service.tasks import load
from service.tasks.base import Request
from service.tasks.ner.patterns import PATTERN_LABELS, find
from service.tasks.ner.redaction import redact
from service.tasks.ner.values import VALUED_LABELS, value_of
from service.tasks.text import offsets_in, sentences
from service.tasks.translate import markup, tags
from service.tasks.translate.html_tokens import tokens, unescaped
from service.tasks.translate.language import Detector, words
from service.tasks.translate.segmentation import segments

from .scanner_patterns import check_linear

pytestmark = pytest.mark.timeout(1200)

DETECTOR = Detector()


class Query(BaseModel):
    text: str | list[str]


def parsed(body: bytes) -> object:
    try:
        return parse(Query, body)
    except TextLoomError as error:
        return error


def as_string(text: str) -> object:
    return parsed(json.dumps({"text": text}).encode())


def kept(html: str) -> object:
    document = markup.parse(html)
    step = max(1, len(document.text) // 1000)
    spans = [(at, at + step) for at in range(0, len(document.text) - step, step)]
    return [tags.sentence_markup(document.keeping(spans), span) for span in spans[:3]]


def sentences_of_html(html: str) -> object:
    document = markup.parse(html)
    return [tags.sentence_markup(document, span) for span in segments(document.text, "en", [])]


SCANNERS: dict[str, Callable[[str], object]] = {
    "sentences": lambda text: sentences(text, "en"),
    "segments": lambda text: segments(text, "en", []),
    "offsets": lambda text: offsets_in(text, "utf16"),
    "redact": lambda text: redact(text, find(text, ["EMAIL"]), "pseudonym"),
    "values": lambda text: [value_of(text, label) for label in VALUED_LABELS],
    "words of a language": words,
    "language": lambda text: DETECTOR.source(text, ["fr"]),
    "HTML": lambda text: list(tokens(text)),
    "HTML document": kept,
    "HTML sentences": sentences_of_html,
    "references": unescaped,
    "body": as_string,
    "broken body": lambda text: parsed(text.encode()),
    "body that ends in half a character": lambda text: parsed(
        json.dumps([text])[:-2].encode() + b"\\ud800"
    ),
    "pointer": lambda text: pointer_at(text.encode(), len(text.encode())),
    "form with a key": lambda text: authenticator._in_form_or_json(
        text.encode(), b"application/x-www-form-urlencoded", ""
    ),
    **{f"pattern {label}": partial(find, labels=[label]) for label in sorted(PATTERN_LABELS)},
}


@pytest.mark.parametrize("name", SCANNERS)
def test_ten_times_the_text_takes_about_ten_times_as_long(name: str) -> None:
    check_linear(name, SCANNERS[name])


@pytest.mark.parametrize("model", ["ner", "sentiment", "translate-en-fr"])
def test_a_task_reads_a_text_in_time_in_proportion(model: str, tiny_models: Path) -> None:
    task = load(tiny_models / model / "1")
    options = {"sentences": True} if model == "sentiment" else {}
    request: Request = task.request("", **options)

    def encode(text: str) -> Collection[object]:
        try:
            return task.encode(text, request)
        except TextLoomError:  # too many sentences
            return ()

    check_linear(model, encode)
