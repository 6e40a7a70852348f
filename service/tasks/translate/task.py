"""Translation: sentence by sentence through a GRU encoder-decoder with attention.

encode: text -> sentences (segmentation.py), read as the network reads them (reading.py) -> subword ids. run: the
encoder once, then the decoder step by step under a beam search (search.py). decode: translations back into the
white space and line breaks they came from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from tokenizers import Tokenizer

from service.registry.bundle import Bundle
from service.tasks.base import Request, Result, Strict
from service.tasks.session import Session
from service.tasks.text import Span
from service.tasks.translate.beam import Arrays, Hypothesis, Ids, Search, Step, longest_run
from service.tasks.translate.reading import Read, Reader
from service.tasks.translate.search import Translating
from service.tasks.translate.segmentation import rewrapped, segments
from service.tasks.translate.sentence import Sentence

PAD, BOS, EOS = 0, 1, 2
"""Ids of the three special tokens in every translation tokenizer."""

SOURCE_MULTIPLE = 16
"""Sources are padded to a multiple of this many tokens.

Sums over the source then fill whole vector registers, whatever the neighbours' lengths, which keeps an
answer bit-identical in any batch.
"""

ALTERNATIVES_WIDTH = 5

Feeds = Mapping[str, NDArray[Any]]


class TranslateRequest(Request):
    source: str
    """Language code of the text, or `auto` to detect it text by text."""
    target: str
    """Language code to translate into."""
    alternatives: int = Field(default=0, ge=0, le=4)
    """How many further translations to give."""


class Alternative(Strict):
    translation: str
    score: float


class TranslateResult(Result):
    translation: str
    source: str
    target: str
    score: float
    """Mean log-probability of a token of the translation, 0 without one; higher is surer."""
    alternatives: list[Alternative] | None = None
    """Best first; only if asked for."""

    def predictions(self) -> list[tuple[str, float]]:
        return [(self.target, float(np.exp(self.score)))] if self.translation else []


class Translate:
    """A translation bundle, loaded."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.source, self.target = bundle.manifest.languages
        options = bundle.manifest.options
        self._limit = bundle.manifest.limits.max_tokens
        self._beam = int(options["beam"])
        self._length_penalty = float(options["length_penalty"])
        self._repeats = int(options["repeats"])
        self._tokenizer = Tokenizer.from_file(str(bundle.file("tokenizer.json")))
        self._tokenizer.encode_special_tokens = True  # `</s>` in a text is text, not its end
        self._reader = Reader(self.source, self.target, self._tokenizer.get_vocab())
        self._encoder = Session(bundle.file("encoder.onnx"))
        self._decoder = Session(bundle.file("decoder.onnx"))

    def request(self, text: str | list[str], **options: Any) -> TranslateRequest:
        return TranslateRequest(text=text, source=self.source, target=self.target, **options)

    def encode(self, text: str, request: TranslateRequest) -> list[Sentence]:
        width = max(self._beam, ALTERNATIVES_WIDTH) if request.alternatives else 0
        found = self._reader.finder.find(text)
        return [
            sentence
            for span in segments(text, self.source, found)
            for sentence in self._sentences(text, span, width)
        ]

    def _sentences(self, text: str, span: Span, width: int) -> Iterator[Sentence]:
        """A sentence in parts that fit the network."""
        read = self._reader.read(text[slice(*span)])
        encoded = self._tokenizer.encode(read.text.text, add_special_tokens=False)
        runs = cut(encoded.ids, encoded.tokens, self._limit - 1)
        for first, last in runs:
            left, right = encoded.offsets[first][0], encoded.offsets[last - 1][1]
            ids, part = encoded.ids[first:last], read.text.text[left:right]
            sentence = self._sentence(ids, part, span, width, read)
            if read.numbered and len(runs) == 1:
                numbered = self.part(sentence, read.numbered)
                sentence = replace(sentence, numbered=numbered)
            yield replace(sentence, first=first)

    def _sentence(self, ids: list[int], text: str, span: Span, width: int, read: Read) -> Sentence:
        return Sentence(
            ids=[*ids, EOS],
            text=text,
            span=span,
            width=width,
            repeats=max(self._repeats, longest_run(ids)),
            read=read,
        )

    def part(self, sentence: Sentence, text: str) -> Sentence:
        """A part of a sentence, given as the network reads it, by itself."""
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        return self._sentence(ids[: self._limit - 1], text, sentence.span, 0, sentence.read)

    def run(self, windows: Sequence[Sentence]) -> list[list[Hypothesis]]:
        """Per sentence its translation and then, where asked for, other hypotheses, best first."""
        batch = self.begin()
        handles = batch.join(windows)
        found: dict[int, list[Hypothesis]] = {}
        while len(found) < len(handles):
            found.update(batch.step())
        return [found[handle] for handle in handles]

    def begin(self) -> Translating:
        return Translating(self)

    def padded(self, length: int) -> int:
        return padded(length)

    @property
    def beam(self) -> int:
        return self._beam

    def written(self, hypothesis: Hypothesis) -> str:
        """As the network writes it."""
        return str(self._tokenizer.decode(list(hypothesis.ids), skip_special_tokens=False))

    def ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def search(self, width: int) -> Search:
        """An empty beam search."""
        return Search(
            self._step,
            width=width,
            length_penalty=self._length_penalty,
            begin=BOS,
            end=EOS,
            source_axes={"keys": -1, "values": 1},
        )

    def decode(
        self,
        text: str,
        request: TranslateRequest,
        windows: Sequence[Sentence],
        outputs: Sequence[list[Hypothesis]],
    ) -> TranslateResult:
        best = self._assemble(text, windows, [hypotheses[0] for hypotheses in outputs])
        others: dict[str, Alternative] = {}
        for rank in range(1, max((len(hypotheses) for hypotheses in outputs), default=0)):
            chosen = [hypotheses[min(rank, len(hypotheses) - 1)] for hypotheses in outputs]
            other = self._assemble(text, windows, chosen)
            if other.translation != best.translation:
                others.setdefault(other.translation, other)
        ranked = sorted(others.values(), key=lambda other: -other.score)[: request.alternatives]
        return TranslateResult(
            translation=best.translation,
            source=self.source,
            target=self.target,
            score=best.score,
            alternatives=ranked if request.alternatives else None,
        )

    def _assemble(
        self, text: str, windows: Sequence[Sentence], chosen: Sequence[Hypothesis]
    ) -> Alternative:
        """The text with each sentence replaced by its translation, and the mean score of a token."""
        parts, end = [], 0
        for (start, stop), written, read in self._whole(windows, chosen):
            translation = self._reader.printed(written, read)
            parts += [text[end:start], rewrapped(text[start:stop], translation)]
            end = stop
        parts.append(text[end:] if text.strip() else "")
        tokens = sum(len(hypothesis.ids) + 1 for hypothesis in chosen)
        total = sum(hypothesis.log_probability for hypothesis in chosen)
        score = round(total / tokens, 4) if tokens else 0.0
        return Alternative(translation="".join(parts), score=score)

    def _whole(
        self, windows: Sequence[Sentence], chosen: Sequence[Hypothesis]
    ) -> Iterator[tuple[Span, str, Read]]:
        """Each sentence with its translation as the network writes it, all parts of it together."""
        at = 0
        while at < len(windows):
            span, written = windows[at].span, ""
            read = windows[at].read
            while at < len(windows) and windows[at].span == span:
                written += self.written(chosen[at])
                at += 1
            yield span, written, read

    def _step(self, tokens: Ids, states: Feeds, memory: Feeds) -> Step:
        outputs = self._decoder.run({"token": tokens, **states, **memory})
        named = dict(zip(self._decoder.outputs, outputs, strict=True))
        following = {name: named["next_" + name] for name in states}
        return Step(named["log_probabilities"], named["tokens"], following, named["attended"])

    def encode_batch(self, sentences: Sequence[Sentence]) -> tuple[Arrays, Arrays]:
        """The decoder's first states and the memory that attention reads, one row per sentence."""
        lengths = np.array([sentence.length for sentence in sentences], np.int32)
        longest = padded(int(lengths.max()))
        source = np.full((len(sentences), longest), PAD, np.int64)
        for row, sentence in enumerate(sentences):
            source[row, : sentence.length] = sentence.ids
        encoded = self._encoder.run({"source": source, "lengths": lengths})
        outputs = dict(zip(self._encoder.outputs, encoded, strict=True))
        memory = {name: outputs.pop(name) for name in ("keys", "values")}
        return outputs, {**memory, "lengths": lengths}


def padded(length: int) -> int:
    return -(-length // SOURCE_MULTIPLE) * SOURCE_MULTIPLE


def cut(ids: Sequence[int], tokens: Sequence[str], limit: int) -> list[tuple[int, int]]:
    """Cuts a sentence into runs of at most `limit` tokens, after a mark or before a word if it can."""
    runs, first = [], 0
    while len(ids) - first > limit:
        last = first + limit
        early = range(last, first + limit // 2, -1)
        marks = (at for at in early if tokens[at - 1][-1] in ",;:–)" and tokens[at].startswith("▁"))
        words = (at for at in early if tokens[at].startswith("▁"))
        last = next(marks, None) or next(words, None) or last
        runs.append((first, last))
        first = last
    return [*runs, (first, len(ids))] if len(ids) > first else runs
