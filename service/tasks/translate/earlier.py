# mypy: disable-error-code="override"
"""Translators of version 5 and before, which read stand-ins in place of addresses (spelling.py).

They answer as they did when they were published. This module and spelling.py go when no such bundle is served.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from service.errors import InvalidInput
from service.registry.bundle import Bundle
from service.tasks.session import Session
from service.tasks.text import Span, check_sentences, sentences
from service.tasks.translate.beam import Arrays, Hypothesis, Ids, Search, Step, longest_run
from service.tasks.translate.spelling import (
    ACCENTED,
    accented_words,
    addresses,
    holds,
    in_capitals,
    in_sentence_case,
    put_back,
    with_accents,
    with_stand_ins,
    without_addresses,
)
from service.tasks.translate.task import (
    ALTERNATIVES_WIDTH,
    EOS,
    Alternative,
    Feeds,
    Translate,
    TranslateRequest,
    padded,
)

ENCODED_TOGETHER = 8
"""Most sentences, of like lengths, that the encoder reads at once: more gain nothing, and padding costs."""

_BULLET = re.compile(r"^(?:[-–—•·*>]+|\(?(?:[0-9]{1,3}|[a-z])\))\s+")
_EMOJI = [
    (0x2190, 0x2BFF),
    (0x1F000, 0x1FAFF),
    (0xE0020, 0xE007F),
    (0x200D, 0x200D),
    (0xFE0F, 0xFE0F),
]
_EMOJI_OR_SPACE = frozenset(" \u00a0").union(
    *(map(chr, range(first, last + 1)) for first, last in _EMOJI)
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence to translate, or the part of one that fits the network."""

    ids: list[int]
    span: Span
    width: int
    """Hypotheses wanted beside the translation itself; 0 for the translation alone."""
    repeats: int
    """How often a phrase of the translation may stand in a row."""
    capitals: bool = False
    """It is written in capitals, and so is its translation."""
    addresses: dict[str, str] = field(default_factory=dict)
    """What the stand-ins that the network reads stand for."""
    spelled: "Sentence | None" = None
    """The same with its addresses as they are, for when no hypothesis has kept all stand-ins."""
    unknown: int = 0

    @property
    def length(self) -> int:
        return len(self.ids)


class EarlierTranslate(Translate):
    """A bundle of version 5 or before, loaded."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.source, self.target = bundle.manifest.languages
        self._limit = bundle.manifest.limits.max_tokens
        self._beam = int(bundle.manifest.options["beam"])
        self._length_penalty = float(bundle.manifest.options["length_penalty"])
        # a bundle that was made before there were these two answers as it did then
        self._repeats = int(bundle.manifest.options.get("repeats", 10**6))
        self._verbatim = bool(bundle.manifest.options.get("verbatim", False))
        self._capitals = bool(bundle.manifest.options.get("capitals", False))
        self._stand_ins = tuple(map(str, bundle.manifest.options.get("stand_ins", [])))
        self._tokenizer = Tokenizer.from_file(str(bundle.file("tokenizer.json")))
        accents = bundle.manifest.options.get("accents", False) and self.source in ACCENTED
        self._accented = accented_words(self._tokenizer) if accents else {}
        self._tokenizer.encode_special_tokens = True  # `</s>` in a text is text, not its end
        self._encoder = Session(bundle.file("encoder.onnx"))
        self._decoder = Session(bundle.file("decoder.onnx"))

    def encode(self, text: str, request: TranslateRequest) -> list[Sentence]:
        if request.format == "html":
            raise InvalidInput("this version of the model translates plain text only, not HTML")
        pieces: list[Sentence] = []
        width = max(self._beam, ALTERNATIVES_WIDTH) if request.alternatives else 0
        spans = sentences(text, self.source)
        check_sentences(len(spans))
        if self._stand_ins:
            spans = _joined(text, spans)
        for start, end in _worded(text, spans) if self._verbatim else spans:
            read = text[start:end]
            capitals = self._capitals and in_capitals(read)
            if capitals:
                read = in_sentence_case(read, self.source, self._subwords)
            read = with_accents(read, self._accented)
            encoded = self._tokenizer.encode(read, add_special_tokens=False)
            for first, last in _cut(encoded.ids, encoded.tokens, self._limit - 1):
                left, right = encoded.offsets[first][0], encoded.offsets[last - 1][1]
                ids = encoded.ids[first:last]
                piece = Sentence(
                    ids=[*ids, EOS],
                    span=(start + left, start + right),
                    width=width,
                    repeats=max(self._repeats, longest_run(ids)),
                    capitals=capitals,
                )
                pieces.append(self._with_stand_ins(piece, read[left:right]))
        return pieces

    def _subwords(self, word: str) -> int:
        return len(self._tokenizer.encode(f" {word}", add_special_tokens=False).ids)

    def _with_stand_ins(self, piece: Sentence, read: str) -> Sentence:
        text, standing = with_stand_ins(read, self._stand_ins)
        if not standing:
            return piece
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        if len(ids) >= self._limit:
            return piece
        repeats = max(self._repeats, longest_run(ids))
        return replace(piece, ids=[*ids, EOS], repeats=repeats, addresses=standing, spelled=piece)

    def begin(self) -> "EarlierTranslating":
        return EarlierTranslating(self.search, self.encode_batch, self._holds, self._beam)

    def _holds(self, sentence: Sentence, hypothesis: Hypothesis) -> bool:
        if not sentence.addresses:
            return True
        return holds(self._tokenizer.decode(list(hypothesis.ids)), sentence.addresses)

    def _assemble(
        self, text: str, windows: Sequence[Sentence], chosen: Sequence[Hypothesis]
    ) -> Alternative:
        """The text with each sentence replaced by its translation, and the mean score of a token."""
        parts, end = [], 0
        for sentence, hypothesis in zip(windows, chosen, strict=True):
            parts.append(text[end : sentence.span[0]])
            translation = self._tokenizer.decode(list(hypothesis.ids)).strip()
            translation = translation.upper() if sentence.capitals else translation
            parts.append(put_back(translation, sentence.addresses))
            end = sentence.span[1]
        parts.append(text[end:] if text.strip() else "")
        tokens = sum(len(hypothesis.ids) + 1 for hypothesis in chosen)
        total = sum(hypothesis.log_probability for hypothesis in chosen)
        score = round(total / tokens, 4) if tokens else 0.0
        return Alternative(translation="".join(parts), score=score)

    def _step(self, tokens: Ids, states: Feeds, memory: Feeds) -> Step:
        outputs = self._decoder.run({"token": tokens, **states, **memory})
        named = dict(zip(self._decoder.outputs, outputs, strict=True))
        following = {name: named["next_" + name] for name in states}
        nowhere = np.zeros(len(tokens), np.int64)
        return Step(named["log_probabilities"], named["tokens"], following, nowhere)


class EarlierTranslating:
    """A batch of sentences under way; see `service.scheduling.batch.Batch`.

    A sentence that is to have alternatives is searched twice, once with a wider beam: its translation stays
    the one that it has without. A sentence whose stand-ins are in no hypothesis is searched again without them.
    """

    def __init__(
        self,
        search: Callable[[int], Search],
        encode: Callable[[Sequence[Any]], tuple[Arrays, Arrays]],
        holds: Callable[[Sentence, Hypothesis], bool],
        beam: int,
    ) -> None:
        self._search, self._encode, self._holds, self._beam = search, encode, holds, beam
        self._searches: dict[int, Search] = {}
        self._last = 0
        self._sentences: dict[int, Sentence] = {}
        self._found: dict[int, dict[int, list[Hypothesis]]] = {}

    def join(self, windows: Sequence[Sentence]) -> list[int]:
        handles = list(range(self._last, self._last + len(windows)))
        self._last += len(windows)
        self._sentences.update(zip(handles, windows, strict=True))
        ordered = sorted(handles, key=lambda handle: self._sentences[handle].length)
        for first in range(0, len(ordered), ENCODED_TOGETHER):
            self._begin(ordered[first : first + ENCODED_TOGETHER])
        return handles

    def _begin(self, handles: Sequence[int]) -> None:
        """Takes sentences into the searches."""
        sentences = [self._sentences[handle] for handle in handles]
        states, memory = self._encode(sentences)
        widths = [self._widths(sentence) for sentence in sentences]
        for width in sorted({width for each in widths for width in each}):
            rows = [row for row, each in enumerate(widths) if width in each]
            mine = [sentences[row] for row in rows]
            some = rows if len(rows) < len(sentences) else slice(None)
            if width not in self._searches:
                self._searches[width] = self._search(width)
            self._searches[width].join(
                [handles[row] for row in rows],
                limits=[2 * sentence.length + 12 for sentence in mine],
                repeats=[sentence.repeats for sentence in mine],
                sources=[padded(sentence.length) for sentence in mine],
                states={name: state[some] for name, state in states.items()},
                memory={name: each[some] for name, each in memory.items()},
            )
        for handle in handles:
            self._found[handle] = {}

    def _widths(self, sentence: Sentence) -> list[int]:
        return [self._beam, *filter(None, [sentence.width])]

    def leave(self, handles: Collection[int]) -> None:
        for search in self._searches.values():
            search.leave(handles)
        for handle in handles:
            del self._sentences[handle], self._found[handle]

    def step(self) -> list[tuple[int, list[Hypothesis]]]:
        finished, again = [], []
        for width, search in self._searches.items():
            for handle, hypotheses in search.step():
                sentence, found = self._sentences[handle], self._found[handle]
                found[width] = hypotheses
                widths = self._widths(sentence)
                if found.keys() < set(widths):
                    continue
                best, *wider = (
                    [one for one in found[each] if self._holds(sentence, one)] for each in widths
                )
                if not best and sentence.spelled:
                    self._sentences[handle] = sentence.spelled
                    again.append(handle)
                    continue
                others = [other for more in wider for other in more if other.ids != best[0].ids]
                finished.append((handle, [best[0], *others]))
                del self._sentences[handle], self._found[handle]
        for handle in again:
            self._begin([handle])
        return finished


def _joined(text: str, spans: Sequence[Span]) -> list[Span]:
    """The sentences, joined where an address would be parted.

    >>> text = "See WWW.EXAMPLE.ORG. Go."
    >>> [text[start:end] for start, end in _joined(text, sentences(text, "en"))]
    ['See WWW.EXAMPLE.ORG.', 'Go.']
    """
    parting = {at for start, end in addresses(text) for at in range(start + 1, end)}
    joined: list[Span] = []
    for start, end in spans:
        joined.append((joined.pop()[0] if start in parting else start, end))
    return joined


def _worded(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    """The sentences without bullets before and emoji around them, where letters are left that are of no address.

    All else is the same in every language.

    >>> text = "- Hello 😀\\n12:30\\nwww.example.org"
    >>> [text[start:end] for start, end in _worded(text, sentences(text, "en"))]
    ['Hello']
    """
    for start, end in spans:
        bullet = _BULLET.match(text[start:end])
        left, right = start + (bullet.end() if bullet else 0), end
        while left < right and text[left] in _EMOJI_OR_SPACE:
            left += 1
        while left < right and text[right - 1] in _EMOJI_OR_SPACE:
            right -= 1
        if any(map(str.isalpha, without_addresses(text[left:right]))):
            yield left, right


def _cut(ids: Sequence[int], tokens: Sequence[str], limit: int) -> list[tuple[int, int]]:
    """Cuts a sentence into runs of at most `limit` tokens, before a token that starts a word if it can."""
    runs, first = [], 0
    while len(ids) - first > limit:
        last = first + limit
        while last > first + limit // 2 and not tokens[last].startswith("Ġ"):
            last -= 1
        if not tokens[last].startswith("Ġ"):
            last = first + limit
        runs.append((first, last))
        first = last
    return [*runs, (first, len(ids))] if len(ids) > first else runs
