"""Translation: sentence by sentence through a GRU encoder-decoder with attention.

encode: text -> sentences (segmentation.py), read as the network reads them (reading.py) -> subword ids. run: the
encoder once, then the decoder step by step under a beam search (search.py). decode: translations back into the
white space and line breaks they came from.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from service.errors import BundleError
from service.registry.bundle import Bundle
from service.tasks.session import Session
from service.tasks.text import Span
from service.tasks.translate import markup, tags
from service.tasks.translate.beam import Arrays, Hypothesis, Ids, Search, Step
from service.tasks.translate.lexicon import Lexicon
from service.tasks.translate.long_sentences import cut
from service.tasks.translate.markup import Document
from service.tasks.translate.messages import Alternative, TranslateRequest, TranslateResult
from service.tasks.translate.reading import Read, Reader
from service.tasks.translate.repetition import runs
from service.tasks.translate.search import Translating
from service.tasks.translate.segmentation import rewrapped, segments
from service.tasks.translate.sentence import Sentence
from service.tasks.translate.spelling import WORD, Spelling
from service.tasks.translate.tracing import TracedText

PAD, BOS, EOS = 0, 1, 2
"""Ids of the three special tokens in every translation tokenizer."""

SOURCE_MULTIPLE = 16
"""Sources are padded to a multiple of this many tokens.

Sums over the source then fill whole vector registers, whatever the neighbours' lengths, which keeps an
answer bit-identical in any batch.
"""

ALTERNATIVES_WIDTH = 5

READER = 1
"""The way in which a bundle's network reads texts; a bundle of another number is not served."""


Feeds = Mapping[str, NDArray[Any]]


class Translate:
    """A translation bundle, loaded.

    Raises BundleError for a bundle whose network was trained to read texts in another way.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.source, self.target = bundle.manifest.languages
        options = bundle.manifest.options
        if options.get("reader") != READER:
            raise BundleError(
                f"{bundle.path}: this translator reads texts in a way that is no longer known; train it anew"
            )
        self._limit = bundle.manifest.limits.max_tokens
        self._beam = int(options["beam"])
        self._length_penalty = float(options["length_penalty"])
        self._repeats = int(options["repeats"])
        self._tokenizer = Tokenizer.from_buffer(bundle.content("tokenizer.json"))
        self._tokenizer.encode_special_tokens = True  # `</s>` in a text is text, not its end
        self._reader = Reader(self.source, self.target, self._tokenizer.get_vocab())
        self._lexicon = (
            Lexicon.read(bundle.content(options["lexicon"]), self.target)
            if options.get("lexicon")
            else None
        )
        self._spelling = (
            Spelling.read(bundle.content(options["words"]), _pieces(self._tokenizer))
            if options.get("words")
            else None
        )
        self._encoder = Session.of(bundle, "encoder.onnx")
        self._decoder = Session.of(bundle, "decoder.onnx")

    def request(self, text: str | list[str], **options: Any) -> TranslateRequest:
        return TranslateRequest(text=text, source=self.source, target=self.target, **options)

    def encode(self, text: str, request: TranslateRequest) -> list[Sentence]:
        width = max(self._beam, ALTERNATIVES_WIDTH) if request.alternatives else 0
        html = request.format == "html"
        plain = self._document(text).text if html else text
        found = self._reader.found(plain)
        return [
            sentence
            for span in segments(plain, self.source, found)
            for sentence in self._sentences(plain, span, width, html)
        ]

    def _document(self, html: str) -> Document:
        """With what is taken over and has tags inside of it, as `@<b>name</b>`, passing through."""
        document = markup.parse(html)
        return document.keeping([span for span, _ in self._reader.found(document.text)])

    def _sentences(self, text: str, span: Span, width: int, traced: bool) -> Iterator[Sentence]:
        """A sentence in parts that fit the network."""
        read = self._reader.read(text[slice(*span)], traced=traced)
        encoded = self._tokenizer.encode(read.text.text, add_special_tokens=False)
        positions: tuple[int, ...] = ()
        if (origins := read.text.origins) is not None:
            # a token begins after its space
            starts = (
                min(left + (token[0] == "▁"), right - 1)
                for token, (left, right) in zip(encoded.tokens, encoded.offsets, strict=True)
            )
            positions = tuple(span[0] + origins[start] for start in starts)
        runs = cut(encoded.ids, encoded.tokens, self._limit - 1)
        for first, last in runs:
            left, right = encoded.offsets[first][0], encoded.offsets[last - 1][1]
            ids, part = encoded.ids[first:last], read.text.text[left:right]
            sentence = self._sentence(ids, part, span, width, read)
            if read.numbered and len(runs) == 1:
                numbered = self.part(sentence, read.numbered)
                sentence = replace(sentence, numbered=numbered)
            yield replace(sentence, first=first, positions=positions)

    def _sentence(self, ids: list[int], text: str, span: Span, width: int, read: Read) -> Sentence:
        return Sentence(
            ids=[*ids, EOS],
            text=text,
            span=span,
            width=width,
            repeats=(max(self._repeats, (mine := runs(ids))[0]), *mine[1:]),
            read=read,
            known=tuple(self._known(text, len(ids))),
        )

    def _known(self, text: str, length: int) -> Iterator[Hypothesis]:
        """Translations from the lexicon of a sentence of so many tokens."""
        for translation in self._lexicon.find(text) if self._lexicon else ():
            ids = self.ids(translation)
            attended = tuple(place * length // len(ids) for place in range(len(ids)))
            yield Hypothesis(ids, 0.0, attended)

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

    def words(self, sentence: Sentence) -> Collection[str]:
        """Those of the source, which may stand in its translation as they are."""
        return frozenset(WORD.findall(sentence.text)) if self._spelling else frozenset()

    def search(self, width: int) -> Search:
        """An empty beam search."""
        return Search(
            self._step,
            width=width,
            length_penalty=self._length_penalty,
            begin=BOS,
            end=EOS,
            source_axes={"keys": -1, "values": 1},
            spelling=self._spelling,
        )

    def decode(
        self,
        text: str,
        request: TranslateRequest,
        windows: Sequence[Sentence],
        outputs: Sequence[list[Hypothesis]],
    ) -> TranslateResult:
        assemble = self._assemble_html if request.format == "html" else self._assemble
        best = assemble(text, windows, [hypotheses[0] for hypotheses in outputs])
        others: dict[str, Alternative] = {}
        for rank in range(1, max((len(hypotheses) for hypotheses in outputs), default=0)):
            chosen = [hypotheses[min(rank, len(hypotheses) - 1)] for hypotheses in outputs]
            other = assemble(text, windows, chosen)
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
        for (start, stop), translation in self._printed(windows, chosen):
            parts += [text[end:start], rewrapped(text[start:stop], translation.text)]
            end = stop
        parts.append(text[end:] if text.strip() else "")
        return Alternative(translation="".join(parts), score=_score(chosen))

    def _assemble_html(
        self, text: str, windows: Sequence[Sentence], chosen: Sequence[Hypothesis]
    ) -> Alternative:
        document = self._document(text)
        parts, end = [], 0
        for span, translation in self._printed(windows, chosen):
            start, stop, elements, singles = tags.sentence_markup(document, span)
            parts += [text[end:start], tags.with_markup(translation, elements, singles)]
            end = stop
        parts.append(text[end:])
        return Alternative(
            translation=markup.restored(document, "".join(parts)), score=_score(chosen)
        )

    def _printed(
        self, windows: Sequence[Sentence], chosen: Sequence[Hypothesis]
    ) -> Iterator[tuple[Span, TracedText]]:
        """Each sentence with its translation, all parts of it together."""
        at = 0
        while at < len(windows):
            whole, first = windows[at], at
            while at < len(windows) and windows[at].span == whole.span:
                at += 1
            written = self._traced(windows[first:at], chosen[first:at])
            yield whole.span, self._reader.printed(written, whole.read)

    def _traced(self, windows: Sequence[Sentence], chosen: Sequence[Hypothesis]) -> TracedText:
        """A sentence as the network writes it; for HTML with the positions in the source that it attended to."""
        positions = windows[0].positions
        if not positions:
            return TracedText("".join(map(self.written, chosen)))
        parts, origins = [], []
        for window, hypothesis in zip(windows, chosen, strict=True):
            for token, attended in zip(hypothesis.ids, hypothesis.attended, strict=True):
                piece = self._tokenizer.decode([token], skip_special_tokens=False)
                parts.append(piece)
                origins += [positions[min(window.first + attended, len(positions) - 1)]] * len(
                    piece
                )
        return TracedText("".join(parts), [*origins, positions[-1]])

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


def _score(chosen: Sequence[Hypothesis]) -> float:
    """Mean log-probability of a token."""
    tokens = sum(len(hypothesis.ids) + 1 for hypothesis in chosen)
    total = sum(hypothesis.log_probability for hypothesis in chosen)
    return round(total / tokens, 4) if tokens else 0.0


def _pieces(tokenizer: Tokenizer) -> list[str]:
    """What each token writes, by id; a special token parts words."""
    pieces = [" "] * tokenizer.get_vocab_size()
    for piece, token in tokenizer.get_vocab().items():
        if token not in (PAD, BOS, EOS):
            pieces[token] = piece.replace("▁", " ")
    return pieces


def padded(length: int) -> int:
    return -(-length // SOURCE_MULTIPLE) * SOURCE_MULTIPLE
