"""Tells questions from statements by the mean of embedded bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from service.registry.bundle import Bundle
from service.tasks.base import Request, Result
from service.tasks.session import Session


class FormRequest(Request):
    every: bool = False
    """Give the score of each label."""
    sure: float = Field(default=0.0, ge=0.0, le=1.0)
    """Answer `unsure` below this score."""


class FormResult(Result):
    label: str
    score: float
    scores: dict[str, float] | None = None
    """Only if asked for."""

    def predictions(self) -> list[tuple[str, float]]:
        return [(self.label, self.score)] if self.score else []


@dataclass(frozen=True, slots=True)
class FormWindow:
    ids: list[int]

    @property
    def length(self) -> int:
        return len(self.ids)

    @property
    def unknown(self) -> int:
        return 0


def read(text: str) -> list[int]:
    """The bytes of a text; 0 is padding."""
    return [1 + byte for byte in text.strip().encode()]


class Form:
    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._labels = bundle.manifest.labels
        self._limit = bundle.manifest.limits.max_tokens
        self._session = Session.of(bundle, "model.onnx")

    def request(self, text: str | list[str], **options: Any) -> FormRequest:
        return FormRequest(text=text, **options)

    def encode(self, text: str, request: FormRequest) -> list[FormWindow]:
        ids = read(text)
        return [FormWindow(ids[at : at + self._limit]) for at in range(0, len(ids), self._limit)]

    def run(self, windows: Sequence[FormWindow]) -> list[list[float]]:
        lengths = np.array([window.length for window in windows], np.int32)
        ids = np.zeros((len(windows), int(lengths.max())), np.int64)
        for row, window in enumerate(windows):
            ids[row, : window.length] = window.ids
        (logits,) = self._session.run({"words": ids, "lengths": lengths}, ["logits"])
        raised = np.exp(logits.astype(np.float64))
        found: list[list[float]] = (raised / raised.sum(1, keepdims=True)).tolist()
        return found

    def decode(
        self,
        text: str,
        request: FormRequest,
        windows: Sequence[FormWindow],
        outputs: Sequence[list[float]],
    ) -> FormResult:
        if not outputs:
            return FormResult(label=self._labels[0], score=0.0)
        means = np.mean(outputs, 0).tolist()
        scores = {label: round(mean, 4) for label, mean in zip(self._labels, means, strict=True)}
        label = max(scores, key=lambda each: scores[each])
        score = scores[label]
        return FormResult(
            label=label if score >= request.sure else "unsure",
            score=score,
            scores=scores if request.every else None,
        )
