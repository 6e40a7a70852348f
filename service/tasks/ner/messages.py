"""What a caller asks of a tagger, and what it answers."""

from typing import Annotated

from pydantic import Field

from service.errors import FieldError, InvalidInput
from service.registry.bundle import Manifest
from service.tasks.base import Request, Result, Strict
from service.tasks.ner.patterns import PATTERN_LABELS
from service.tasks.text import Unit

MOST_LABELS = 1000
"""Of a request; a model has fewer."""


class NerRequest(Request):
    labels: Annotated[list[str], Field(max_length=MOST_LABELS, fail_fast=True)] | None = None
    """Return only entities with these labels. Default: all labels of the model. EMAIL, PHONE, IBAN, CARD and IP
    are found only if listed here."""
    min_score: float = Field(default=0.0, ge=0.0, le=1.0)
    """Return only entities with at least this score."""
    offsets: Unit = "codepoint"
    """Unit of `start` and `end`."""
    values: bool = False
    """Also return the value of dates, times, amounts of money, percentages and quantities."""
    redact: bool = False
    """Also return the text with each entity replaced by its label, as `[PER]`."""
    pseudonyms: bool = False
    """Also return the text with each entity replaced by a numbered label, as `[PER-1]`; equal names get the
    same number."""


class Entity(Strict):
    text: str
    label: str
    start: int
    end: int
    """Half-open: `start:end` of the input is exactly `text`."""
    score: float
    """Probability that exactly this span is an entity of this label; 1 for what a pattern finds."""
    value: dict[str, str | int | float] | None = None
    """Only if requested, and if the text states it."""


class Replacement(Strict):
    text: str
    """What stands in the redacted text."""
    label: str
    start: int
    end: int
    """Half-open, in the redacted text."""
    source_start: int
    source_end: int
    """Half-open, in the original text."""


class NerResult(Result):
    entities: list[Entity]
    redacted: str | None = None
    """The text with each entity replaced; only if requested."""
    replacements: list[Replacement] | None = None
    """Of the redacted text, in order."""

    def predictions(self) -> list[tuple[str, float]]:
        return [(entity.label, entity.score) for entity in self.entities]


def check_labels(request: NerRequest, manifest: Manifest) -> None:
    """Raises InvalidInput if the request names a label that the model does not know."""
    known = [*manifest.labels, *sorted(PATTERN_LABELS - {*manifest.labels})]
    for index, label in enumerate(request.labels or []):
        if label not in known:
            said = ", ".join(known)
            wrong = FieldError(f"/labels/{index}", f"{label!r} is not one of {said}")
            raise InvalidInput(f"unknown label; the model knows {said}", errors=[wrong])
