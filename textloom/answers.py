"""What the server answers, as typed objects. A field that a newer server adds is ignored."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Unit = Literal["codepoint", "utf16", "byte"]
"""Of `start` and `end`."""


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class AnyResult(Answer):
    """The result of a task that has no class here, with whatever fields it has."""

    model_config = ConfigDict(extra="allow")


class Entity(Answer):
    text: str
    label: str
    start: int
    end: int
    """Half-open, in the unit asked for: with `codepoint`, `text[start:end]` is the name."""
    score: float
    """Probability that exactly this span is an entity of this label."""
    value: dict[str, str | int | float] | None = None
    """Only if asked for, and if the text tells it."""


class Replacement(Answer):
    text: str
    label: str
    start: int
    end: int
    """Half-open, in the redacted text."""
    source_start: int
    source_end: int
    """Half-open, in the text as it was."""


class NerResult(Answer):
    entities: list[Entity]
    redacted: str | None = None
    """Only if asked for: the text with each entity replaced by its label, or by a pseudonym."""
    replacements: list[Replacement] = []


class Judged(Answer):
    label: str
    score: float
    scores: dict[str, float]


class Sentence(Judged):
    text: str
    start: int
    end: int


class SentimentResult(Judged):
    sentences: list[Sentence] = []
    """Only if asked for."""


class Alternative(Answer):
    translation: str
    score: float


class TranslateResult(Answer):
    translation: str
    source: str
    target: str
    score: float
    """Mean log-probability of a token; higher is surer."""
    alternatives: list[Alternative] = []
    """Only if asked for; best first."""


class ModelInfo(Answer):
    name: str
    status: str
    version: int
    reason: str | None = None
    task: str | None = None
    languages: list[str] = []
    labels: list[str] = []
    scores: dict[str, dict[str, float | str]] = {}
    sha256: str | None = None
