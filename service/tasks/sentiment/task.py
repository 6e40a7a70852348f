"""Sentiment of a text, and of its sentences: a recurrent classifier with pooling over time.

encode: text -> word ids in windows. run: the graph. decode: probabilities, pooled over a text's windows.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from service.registry.bundle import Bundle
from service.tasks.sentiment.messages import (
    JudgedSentence,
    SentimentRequest,
    SentimentResult,
)
from service.tasks.session import Session
from service.tasks.text import (
    PIECE,
    Places,
    Span,
    check_sentences,
    offsets_in,
    pieces,
    sentences,
    windows,
)

UNKNOWN = 1
"""Id of a word that the vocabulary does not have; 0 is padding."""

BLANK_LABEL = "neutral"

Probabilities = list[float]
"""Of each label."""


@dataclass(frozen=True, slots=True)
class SentimentWindow:
    """A window of a text, or of one of its sentences."""

    ids: Sequence[int]
    sentence: Span | None = None
    """Set if it is part of this sentence, for the view by sentence."""

    @property
    def length(self) -> int:
        return len(self.ids)

    @property
    def unknown(self) -> int:
        return self.ids.count(UNKNOWN)


class Sentiment:
    """A classification bundle, loaded."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._limit = bundle.manifest.limits.max_tokens
        self._language = bundle.manifest.languages[0]
        self._labels = bundle.manifest.labels
        self._tokenizer = Tokenizer.from_buffer(bundle.content("tokenizer.json"))
        self._session = Session.of(bundle, "model.onnx")

    def request(self, text: str | list[str], **options: Any) -> SentimentRequest:
        return SentimentRequest(text=text, **options)

    def encode(self, text: str, request: SentimentRequest) -> list[SentimentWindow]:
        found = self._windows(text, None)
        if request.sentences:
            spans = sentences(text, self._language)
            check_sentences(len(spans))
            for start, end in spans:
                found += self._windows(text[start:end], (start, end))
        return found

    def run(self, windows: Sequence[SentimentWindow]) -> list[Probabilities]:
        """Probabilities [labels] of each window."""
        lengths = np.array([words.length for words in windows], np.int32)
        ids = np.zeros((len(windows), int(lengths.max())), np.int64)
        for row, words in enumerate(windows):
            ids[row, : words.length] = words.ids
        (logits,) = self._session.run({"words": ids, "lengths": lengths}, ["logits"])
        exact = logits.astype(np.float64)
        raised = np.exp(exact - exact.max(1, keepdims=True))
        probabilities: list[Probabilities] = (raised / raised.sum(1, keepdims=True)).tolist()
        return probabilities

    def decode(
        self,
        text: str,
        request: SentimentRequest,
        windows: Sequence[SentimentWindow],
        outputs: Sequence[Probabilities],
    ) -> SentimentResult:
        parts: dict[Span | None, list[tuple[int, Probabilities]]] = {None: []}
        for words, output in zip(windows, outputs, strict=True):
            parts.setdefault(words.sentence, []).append((words.length, output))
        whole = self._classify(parts.pop(None))
        if not request.sentences:
            return SentimentResult(**whole)
        place = offsets_in(text, request.offsets)
        judged = [
            JudgedSentence(
                **self._classify(own),
                text=text[span[0] : span[1]],
                start=place(span[0]),
                end=place(span[1]),
            )
            for span, own in parts.items()
            if span
        ]
        return SentimentResult(**whole, sentences=judged)

    def _windows(self, text: str, sentence: Span | None) -> list[SentimentWindow]:
        ids, spans = self._read(text)
        if 0 < len(ids) <= self._limit:
            return [SentimentWindow(ids, sentence)]
        return [
            SentimentWindow(ids[first:last], sentence)
            for first, last in windows(text, spans, self._limit, self._language)
        ]

    def _read(self, text: str) -> tuple[Sequence[int], Sequence[Span]]:
        """The ids of the words of a text, and where these stand."""
        if len(text) <= PIECE:
            encoding = self._tokenizer.encode(text, add_special_tokens=False)
            return encoding.ids, encoding.offsets
        ids, places = array("I"), array("I")
        for start, end in pieces(text, PIECE):
            read, spans = self._read(text[start:end])
            ids.extend(read)
            for left, right in spans:
                places.extend((start + left, start + right))
        return ids, Places(places)

    def _classify(self, parts: Sequence[tuple[int, Probabilities]]) -> dict[str, Any]:
        """Label and scores of a text from (length, probabilities) of its windows: their mean by length."""
        if not parts:
            return {
                "label": BLANK_LABEL if BLANK_LABEL in self._labels else self._labels[0],
                "score": 0.0,
                "scores": dict.fromkeys(self._labels, 0.0),
            }
        pooled = parts[0][1]
        if len(parts) > 1:
            total = sum(length for length, _ in parts)
            pooled = [
                sum(output[index] * (length / total) for length, output in parts)
                for index in range(len(self._labels))
            ]
        best = self._labels[pooled.index(max(pooled))]
        scores = {label: round(value, 4) for label, value in zip(self._labels, pooled, strict=True)}
        return {"label": best, "score": scores[best], "scores": scores}
