"""A batch of sentences under way: searched, checked, and searched again where an answer cannot be right."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from service.tasks.translate.beam import Arrays, Hypothesis, Search
from service.tasks.translate.casing import CAPITAL, UPPER
from service.tasks.translate.checks import Faults, faults
from service.tasks.translate.placeholders import RESERVED
from service.tasks.translate.sentence import Sentence

ENCODED_TOGETHER = 8
"""Most sentences, of like lengths, that the encoder reads at once: more gain nothing, and padding costs."""

_OTHER = rf"[^\w{CAPITAL}{UPPER}{RESERVED}]"
_AROUND_PLACEHOLDERS = re.compile(
    rf"((?<!{_OTHER}){_OTHER}*+[{RESERVED}](?:{_OTHER}*[{RESERVED}])*{_OTHER}*?(?= ?[\w{CAPITAL}{UPPER}]|$))"
)
_AFTER_MARKS = re.compile(r"([,;:–]+(?= ))")


class Translator(Protocol):
    """What a batch needs of its task."""

    @property
    def beam(self) -> int: ...

    def search(self, width: int) -> Search: ...

    def encode_batch(self, sentences: Sequence[Sentence]) -> tuple[Arrays, Arrays]: ...

    def part(self, sentence: Sentence, text: str) -> Sentence: ...

    def ids(self, text: str) -> tuple[int, ...]: ...

    def written(self, hypothesis: Hypothesis) -> str: ...

    def padded(self, length: int) -> int: ...


@dataclass(slots=True)
class _Attempt:
    """One way to translate a sentence: in parts, between which text is copied."""

    parts: list[Sentence | str]
    source: str
    found: dict[int, list[Hypothesis]] = field(default_factory=dict)
    """By place among the parts."""


@dataclass(slots=True)
class _Job:
    sentence: Sentence
    attempt: _Attempt
    best: tuple[Faults, list[Hypothesis]] | None = None
    wider: list[Hypothesis] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)


class Translating:
    """A batch of sentences under way; see `service.scheduling.batch.Batch`.

    A sentence that is to have alternatives is searched twice, once with a wider beam: its translation stays the
    one that it has without. Of the hypotheses the first without a fault is taken. Where all have one, the sentence
    is translated in parts: around its placeholders, with all numbers as placeholders, or clause by clause.
    """

    def __init__(self, task: Translator) -> None:
        self._task = task
        self._searches: dict[int, Search] = {}
        self._jobs: dict[int, _Job] = {}
        self._handles = 0
        self._keys = 0
        self._places: dict[int, tuple[int, int, int]] = {}
        """By key of a search: handle, place among the parts, width."""

    def join(self, windows: Sequence[Sentence]) -> list[int]:
        handles = list(range(self._handles, self._handles + len(windows)))
        self._handles += len(windows)
        for handle, sentence in zip(handles, windows, strict=True):
            self._jobs[handle] = _Job(sentence, _Attempt([sentence], sentence.text))
        self._begin(handles)
        return handles

    def _begin(self, handles: Sequence[int]) -> None:
        """Takes the parts of jobs' attempts into the searches."""
        parts = [
            (part, handle, place)
            for handle in handles
            for place, part in enumerate(self._jobs[handle].attempt.parts)
            if isinstance(part, Sentence)
        ]
        parts.sort(key=lambda one: one[0].length)
        for first in range(0, len(parts), ENCODED_TOGETHER):
            self._search_together(parts[first : first + ENCODED_TOGETHER])

    def _search_together(self, parts: Sequence[tuple[Sentence, int, int]]) -> None:
        sentences = [part for part, _, _ in parts]
        states, memory = self._task.encode_batch(sentences)
        widths = [{self._task.beam, sentence.width} - {0} for sentence in sentences]
        for width in sorted(set().union(*widths)):
            rows = [row for row, each in enumerate(widths) if width in each]
            some = rows if len(rows) < len(sentences) else slice(None)
            mine = [sentences[row] for row in rows]
            if width not in self._searches:
                self._searches[width] = self._task.search(width)
            keys = list(range(self._keys, self._keys + len(rows)))
            self._keys += len(rows)
            for key, row in zip(keys, rows, strict=True):
                self._places[key] = (*parts[row][1:], width)
            self._searches[width].join(
                keys,
                limits=[2 * sentence.length + 12 for sentence in mine],
                repeats=[sentence.repeats for sentence in mine],
                sources=[self._task.padded(sentence.length) for sentence in mine],
                states={name: state[some] for name, state in states.items()},
                memory={name: each[some] for name, each in memory.items()},
            )

    def leave(self, handles: Collection[int]) -> None:
        gone = {key for key, (handle, _, _) in self._places.items() if handle in handles}
        for search in self._searches.values():
            search.leave(gone)
        for key in gone:
            del self._places[key]
        for handle in handles:
            del self._jobs[handle]

    def step(self) -> list[tuple[int, list[Hypothesis]]]:
        finished, again = [], []
        for width, search in list(self._searches.items()):
            for key, hypotheses in search.step():
                handle, place, _ = self._places.pop(key)
                job = self._jobs[handle]
                if width == job.sentence.width and job.attempt.parts == [job.sentence]:
                    job.wider = hypotheses
                if width == self._task.beam:
                    job.attempt.found[place] = hypotheses
                if any(one == handle for one, _, _ in self._places.values()):
                    continue
                self._judge(job)
                if self._another(job):
                    again.append(handle)
                else:
                    finished.append((handle, self._answer(job)))
                    del self._jobs[handle]
        self._begin(again)
        return finished

    def _judge(self, job: _Job) -> None:
        """Keeps the attempt's hypothesis with the fewest faults, if it has fewer than those before."""
        for hypothesis in self._hypotheses(job.attempt):
            found = faults(job.attempt.source, self._task.written(hypothesis))
            if job.best is None or found < job.best[0]:
                job.best = found, [hypothesis]
            if not found:
                break

    def _hypotheses(self, attempt: _Attempt) -> Iterator[Hypothesis]:
        """Of the whole sentence; of one in several parts the best of each, put together."""
        if len(attempt.parts) == 1:
            yield from attempt.found[0]
            return
        ids: list[int] = []
        attended: list[int] = []
        total, position = 0.0, 0
        for place, part in enumerate(attempt.parts):
            if isinstance(part, str):
                copied = self._task.ids(part)
                ids += copied
                attended += range(position, position + len(copied))
                position += len(copied)
            else:
                best = attempt.found[place][0]
                ids += best.ids
                attended += [position + each for each in best.attended]
                total += best.log_probability
                position += part.length - 1
        yield Hypothesis(tuple(ids), total, tuple(attended))

    def _another(self, job: _Job) -> bool:
        """Sets another attempt if the best so far has faults and there is one that may do without."""
        assert job.best
        found = job.best[0]
        sentence = job.sentence
        if found.placeholders and "placeholders" not in job.tried:
            job.tried.add("placeholders")
            parts = self._split(sentence, _AROUND_PLACEHOLDERS)
        elif found.looped_or_dropped and "clauses" not in job.tried:
            job.tried.add("clauses")
            parts = self._split(sentence, _AFTER_MARKS)
        elif found.numbers and sentence.numbered and "numbers" not in job.tried:
            job.tried.add("numbers")
            parts = [sentence.numbered]
        else:
            return False
        if not any(isinstance(part, Sentence) for part in parts) or parts == [sentence]:
            return self._another(job)
        numbered = sentence.numbered
        source = numbered.text if numbered and parts == [numbered] else sentence.text
        job.attempt = _Attempt(parts, source)
        return True

    def _split(self, sentence: Sentence, pattern: re.Pattern[str]) -> list[Sentence | str]:
        """The sentence in parts, and what stands between them as it is."""
        pieces = [piece for piece in pattern.split(sentence.text) if piece]
        if len(pieces) < 2:
            return [sentence]
        return [
            self._task.part(sentence, piece)
            if re.search(r"[^\W\d_]", piece) and not pattern.fullmatch(piece)
            else piece
            for piece in pieces
        ]

    def _answer(self, job: _Job) -> list[Hypothesis]:
        assert job.best
        best = job.best[1][0]
        others = [
            other
            for other in job.wider
            if other.ids != best.ids
            and not faults(job.sentence.text, self._task.written(other)).placeholders
        ]
        return [best, *others]
