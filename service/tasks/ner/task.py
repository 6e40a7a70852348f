"""Names in text: a recurrent tagger whose CRF is decoded in crf.py.

encode: text -> words. run: the character CNN for words that are not cached, the graph of words, then the best
tags and the probability of each entity (crf.py). decode: tags -> entities in the offsets asked for, with
identifiers that patterns find (patterns.py), values (values.py) and a redacted text (redaction.py) if asked for.
"""

import math
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from tokenizers import Tokenizer

from service.errors import FieldError, InvalidInput
from service.registry.bundle import Bundle, Manifest
from service.tasks.base import Request, Result, Strict
from service.tasks.ner.crf import CRFDecoder
from service.tasks.ner.patterns import PATTERN_LABELS, find
from service.tasks.ner.redaction import Style, redact
from service.tasks.ner.values import value_of
from service.tasks.session import Session
from service.tasks.text import PIECE, Places, Span, Unit, offsets_in, pieces, windows

UNKNOWN = 1
"""Id of a word, or a character, that the vocabulary does not have; 0 is padding."""

MOST_LABELS = 1000
"""Of a request; a model has fewer."""

CACHED_WORDS = 20_000
"""Most words whose character features are kept."""


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


def check_labels(request: NerRequest, manifest: Manifest) -> None:
    """Raises InvalidInput if the request names a label that the model does not know."""
    known = [*manifest.labels, *sorted(PATTERN_LABELS - {*manifest.labels})]
    for index, label in enumerate(request.labels or []):
        if label not in known:
            said = ", ".join(known)
            wrong = FieldError(f"/labels/{index}", f"{label!r} is not one of {said}")
            raise InvalidInput(f"unknown label; the model knows {said}", errors=[wrong])


@dataclass(frozen=True, slots=True)
class NerWindow:
    """A window of a text: the id of each word, its letters, and where it stands."""

    ids: Sequence[int]
    words: Sequence[str]
    spans: Sequence[Span]

    @property
    def length(self) -> int:
        return len(self.ids)

    @property
    def unknown(self) -> int:
        return self.ids.count(UNKNOWN)


@dataclass(frozen=True, slots=True)
class EntitySpan:
    """An entity of a window, by its words: from `first` to `last`, both inclusive."""

    first: int
    last: int
    label: str
    score: float


class Reader:
    """A text as the tagger reads it; training and serving both do it here.

    `alphabet` holds the known characters: the n-th has the id n + 2. Of a longer word only the first
    and the last characters are read, `width` in all.
    """

    def __init__(self, tokenizer: Tokenizer, alphabet: str, width: int) -> None:
        self._tokenizer = tokenizer
        self._width = width
        self._ids = {character: index + 2 for index, character in enumerate(alphabet)}

    def read(self, text: str) -> NerWindow:
        if len(text) > PIECE:
            return self._read_pieces(text)
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        spans = encoding.offsets
        return NerWindow(encoding.ids, [text[start:end] for start, end in spans], spans)

    def _read_pieces(self, text: str) -> NerWindow:
        """The same for a long text, in a fraction of the memory: of equal words and numbers one is kept."""
        ids, places = array("I"), array("I")
        words: list[str] = []
        known: dict[str, str] = {}
        for start, end in pieces(text, PIECE):
            piece = self.read(text[start:end])
            ids.extend(piece.ids)
            for left, right in piece.spans:
                places.extend((start + left, start + right))
            words += [known.setdefault(word, word) for word in piece.words]
        return NerWindow(ids, words, Places(places))

    def letters(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Character ids [words, width], padded with 0."""
        characters = np.zeros((len(words), self._width), np.int64)
        half = self._width // 2
        for row, word in enumerate(words):
            if len(word) > self._width:
                word = word[:half] + word[half - self._width :]
            characters[row, : len(word)] = [self._ids.get(letter, UNKNOWN) for letter in word]
        return characters


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
