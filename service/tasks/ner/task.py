"""Names in text: a recurrent tagger whose CRF is decoded in crf.py.

encode: text -> words (reading.py). run: the character CNN for words that are not cached, the graph of words, then
the best tags and the probability of each entity (crf.py). decode: tags -> entities in the offsets asked for, with
identifiers that patterns find (patterns.py), values (values.py) and a redacted text (redaction.py) if asked for.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from service.registry.bundle import Bundle
from service.tasks.ner.crf import CRFDecoder
from service.tasks.ner.messages import Entity, NerRequest, NerResult, Replacement
from service.tasks.ner.patterns import PATTERN_LABELS, find
from service.tasks.ner.reading import NerWindow, Reader
from service.tasks.ner.redaction import Style, redact
from service.tasks.ner.values import value_of
from service.tasks.session import Session
from service.tasks.text import Unit, offsets_in, windows

CACHED_WORDS = 20_000
"""Most words whose character features are kept."""


def _redacted(text: str, entities: Sequence[Entity], style: Style, unit: Unit) -> dict[str, Any]:
    """The fields of a result that has the redacted text, in `unit`."""
    redaction = redact(text, entities, style)
    before, after = offsets_in(text, unit), offsets_in(redaction.text, unit)
    replacements = [
        Replacement(
            text=one.text,
            label=one.label,
            start=after(one.start),
            end=after(one.end),
            source_start=before(one.source_start),
            source_end=before(one.source_end),
        )
        for one in redaction.replacements
    ]
    return {"redacted": redaction.text, "replacements": replacements}


@dataclass(frozen=True, slots=True)
class EntitySpan:
    """An entity of a window, by its words: from `first` to `last`, both inclusive."""

    first: int
    last: int
    label: str
    score: float


class Ner:
    """A tagging bundle, loaded."""

    def __init__(self, bundle: Bundle) -> None:
        manifest = bundle.manifest
        self.bundle = bundle
        self._limit = manifest.limits.max_tokens
        self._language = manifest.languages[0]
        self._tags: list[str] = list(manifest.options["tags"])
        log_odds = manifest.options.get("log_odds", {})
        self._odds = {label: math.exp(log_odds.get(label, 0.0)) for label in manifest.labels}
        self._reader = Reader(
            Tokenizer.from_buffer(bundle.content("tokenizer.json")),
            manifest.options["alphabet"],
            manifest.options["word_characters"],
        )
        self._char_cnn = Session.of(bundle, "letters.onnx")
        self._cached_features: dict[str, bytes] = {}
        self._session = Session.of(bundle, "model.onnx")
        blank = self._feeds([self._reader.read("a")])
        potentials = self._session.run(blank, ["transitions", "start", "end"])
        transitions, start, end = (potential.astype(np.float64) for potential in potentials)
        self._crf = CRFDecoder(transitions, start, end, self._tags)

    def request(self, text: str | list[str], **options: Any) -> NerRequest:
        return NerRequest(text=text, **options)

    def encode(self, text: str, request: NerRequest) -> list[NerWindow]:
        whole = self._reader.read(text)
        if 0 < whole.length <= self._limit:
            return [whole]
        return [
            NerWindow(whole.ids[first:last], whole.words[first:last], whole.spans[first:last])
            for first, last in windows(text, whole.spans, self._limit, self._language)
        ]

    def run(self, windows: Sequence[NerWindow]) -> list[list[EntitySpan]]:
        """The entities of each window, in order."""
        feeds = self._feeds(windows)
        (emissions,) = self._session.run(feeds, ["emissions"])
        found = self._crf.entities(emissions.astype(np.float64), feeds["lengths"])
        return [
            [
                self._calibrated(first, last, self._tags[tag][2:], probability)
                for first, last, tag, probability in entities
            ]
            for entities in found
        ]

    def _calibrated(self, first: int, last: int, label: str, probability: float) -> EntitySpan:
        """An entity scored by its probability, moved by the log-odds that the bundle has for its label."""
        odds = self._odds[label] * probability
        return EntitySpan(first, last, label, odds / (odds + 1 - probability))

    def decode(
        self,
        text: str,
        request: NerRequest,
        windows: Sequence[NerWindow],
        outputs: Sequence[list[EntitySpan]],
    ) -> NerResult:
        entities = self._entities(text, request, windows, outputs)
        redacted: dict[str, Any] = {}
        if request.redact or request.pseudonyms:
            style: Style = "pseudonym" if request.pseudonyms else "label"
            redacted = _redacted(text, entities, style, request.offsets)
        place = offsets_in(text, request.offsets)
        if request.offsets != "codepoint":
            entities = [
                entity.model_copy(update={"start": place(entity.start), "end": place(entity.end)})
                for entity in entities
            ]
        return NerResult(entities=entities, **redacted)

    def _entities(
        self,
        text: str,
        request: NerRequest,
        windows: Sequence[NerWindow],
        outputs: Sequence[list[EntitySpan]],
    ) -> list[Entity]:
        """In order, in code points; what a pattern finds in place of what the network does there."""
        wanted = set(request.labels or ())
        patterns = find(text, wanted) if not PATTERN_LABELS.isdisjoint(wanted) else []
        ends = [one.end for one in patterns]
        entities = [
            Entity(
                text=text[one.start : one.end],
                label=one.label,
                start=one.start,
                end=one.end,
                score=1.0,
            )
            for one in patterns
        ]
        for words, spans in zip(windows, outputs, strict=True):
            for entity in spans:
                if request.labels is not None and entity.label not in wanted:
                    continue
                if entity.score < request.min_score:
                    continue
                start, end = words.spans[entity.first][0], words.spans[entity.last][1]
                after = bisect_right(ends, start)  # the first pattern that does not end before it
                if after < len(patterns) and patterns[after].start < end:
                    continue
                value = value_of(text[start:end], entity.label) if request.values else None
                entities.append(
                    Entity(
                        text=text[start:end],
                        label=entity.label,
                        start=start,
                        end=end,
                        score=round(entity.score, 4),
                        value=value,
                    )
                )
        return sorted(entities, key=lambda one: one.start) if patterns else entities

    def _feeds(self, windows: Sequence[NerWindow]) -> dict[str, NDArray[Any]]:
        """The ids of a batch's words and their character features, padded with 0."""
        lengths = np.array([words.length for words in windows], np.int32)
        real = np.arange(int(lengths.max())) < lengths[:, None]
        ids = np.zeros(real.shape, np.int64)
        ids[real] = [index for words in windows for index in words.ids]
        features = self._character_features([word for words in windows for word in words.words])
        padded = np.zeros((*real.shape, features.shape[1]), np.float32)
        padded[real] = features
        return {"words": ids, "spelled": padded, "lengths": lengths}

    def _character_features(self, words: Sequence[str]) -> NDArray[np.float32]:
        """The character CNN's output for each word [words, features], computed once per word."""
        known = self._cached_features  # threads share it: it is replaced when full, never emptied
        new = [word for word in dict.fromkeys(words) if word not in known]
        if len(known) + len(new) > CACHED_WORDS:
            known = self._cached_features = {}
            new = list(dict.fromkeys(words))
        if new:
            (features,) = self._char_cnn.run({"characters": self._reader.letters(new)})
            known.update(zip(new, (row.tobytes() for row in features), strict=True))
        rows = b"".join([known[word] for word in words])
        return np.frombuffer(rows, np.float32).reshape(len(words), -1)
