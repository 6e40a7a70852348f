"""What the server answers, as typed objects. A field that a newer server adds is ignored."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Unit = Literal["codepoint", "utf16", "byte"]
"""Unit of `start` and `end`."""


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class AnyResult(Answer):
    """The result of a task without a class of its own, with the fields that the task defines."""

    model_config = ConfigDict(extra="allow")


class Entity(Answer):
    """A name that was found in a text."""

    text: str
    label: str
    start: int
    end: int
    """The span is half-open, in the requested unit: with `codepoint`, `text[start:end]` is the name."""
    score: float
    """Probability that exactly this span is an entity of this label."""
    value: dict[str, str | int | float] | None = None
    """The value of a date, time, amount of money, percentage or quantity, if requested and if the text states
    it."""


class Replacement(Answer):
    """An entity that was replaced in a redacted text."""

    text: str
    label: str
    start: int
    end: int
    """The span in the redacted text is half-open."""
    source_start: int
    source_end: int
    """The span in the original text is half-open."""


class NerResult(Answer):
    """The names in a text."""

    entities: list[Entity]
    redacted: str | None = None
    """The text with each entity replaced by its label or by a pseudonym, if requested."""
    replacements: list[Replacement] = []


class Judged(Answer):
    label: str
    score: float
    """Probability of the label."""
    scores: dict[str, float]
    """Probability of each label."""


class Sentence(Judged):
    """A sentence, its position in the text, and its sentiment."""

    text: str
    start: int
    end: int


class SentimentResult(Judged):
    """The sentiment of a text."""

    sentences: list[Sentence] = []
    """The sentences of the text, if requested."""


class Alternative(Answer):
    """A further translation of a text."""

    translation: str
    score: float
    """Mean log-probability per token."""


class TranslateResult(Answer):
    """The translation of a text."""

    translation: str
    source: str
    target: str
    score: float
    """Mean log-probability per token: closer to 0 is better."""
    alternatives: list[Alternative] = []
    """Further translations, best first, if requested."""


class ModelInfo(Answer):
    """A model that a server serves."""

    name: str
    status: str
    version: int
    reason: str | None = None
    task: str | None = None
    languages: list[str] = []
    labels: list[str] = []
    scores: dict[str, dict[str, float | str]] = {}
    sha256: str | None = None
