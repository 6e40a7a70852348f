"""What a caller asks of a classifier, and what it answers."""

from service.tasks.base import Request, Result, Strict
from service.tasks.text import Unit


class SentimentRequest(Request):
    sentences: bool = False
    """Also judge each sentence."""
    offsets: Unit = "codepoint"
    """Unit of `start` and `end` of the sentences."""


class Classification(Strict):
    label: str
    """The most probable label."""
    score: float
    """Its probability; 0 for a blank text."""
    scores: dict[str, float]
    """Probability of each label."""


class JudgedSentence(Classification):
    text: str
    start: int
    end: int


class SentimentResult(Classification, Result):
    sentences: list[JudgedSentence] | None = None
    """Only if requested."""

    def predictions(self) -> list[tuple[str, float]]:
        return [(self.label, self.score)] if self.score else []
