"""A batch of sentences under way: searched, checked, and searched again where an answer cannot be right."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from service.tasks.translate import attempts
from service.tasks.translate.attempts import (
    AFTER_MARKS,
    AROUND_PLACEHOLDERS,
    Attempt,
    numbered,
    parted,
    quoting,
    split,
    varied,
)
from service.tasks.translate.beam import Arrays, Hypothesis, Search
from service.tasks.translate.checks import Faults, faults
from service.tasks.translate.sentence import Sentence

ENCODED_TOGETHER = 8
"""Most sentences, of like lengths, that the encoder reads at once: more gain nothing, and padding costs."""


class Translator(attempts.Translator, Protocol):
    """What a batch needs of its task."""

    @property
    def beam(self) -> int: ...

    def search(self, width: int) -> Search: ...

    def encode_batch(self, sentences: Sequence[Sentence]) -> tuple[Arrays, Arrays]: ...

    def padded(self, length: int) -> int: ...

    def words(self, sentence: Sentence) -> Collection[str]: ...


@dataclass(slots=True)
class _Job:
    sentence: Sentence
    first: Attempt
    attempt: Attempt
    best: tuple[Faults, Hypothesis, Attempt] | None = None
    wider: Sequence[Hypothesis] = ()
    """Of the first attempt, for alternatives."""
    tried: list["Way"] = field(default_factory=list)


class Translating:
    """A batch of sentences under way; see `service.scheduling.batch.Batch`.

    A sentence that is to have alternatives is searched twice, once with a wider beam: its translation stays the
    one that it has without. Of the hypotheses the first without a fault is taken. Where all have one, the sentence
    is translated in another way (attempts.py), and then in a further one if that has faults of another kind.
    """

    def __init__(self, task: Translator) -> None:
        self._task = task
        self._searches: dict[int, Search] = {}
        self._jobs: dict[int, _Job] = {}
        self._handles = 0
        self._keys = 0
        self._places: dict[int, tuple[int, int, int]] = {}
        """By key of a search: handle, place among the parts, width."""
        self._ready: list[int] = []
        """Handles of which nothing is searched, as all of them is known."""

    def join(self, windows: Sequence[Sentence]) -> list[int]:
        handles = list(range(self._handles, self._handles + len(windows)))
        self._handles += len(windows)
        for handle, sentence in zip(handles, windows, strict=True):
            attempt = attempts.whole(self._task, sentence)
            self._jobs[handle] = _Job(sentence, attempt, attempt)
        self._begin(handles)
        return handles

    def _begin(self, handles: Sequence[int]) -> None:
        """Takes the parts of jobs' attempts into the searches, but for what is known."""
        parts = []
        for handle in handles:
            attempt = self._jobs[handle].attempt
            for place, part in enumerate(attempt.parts):
                if isinstance(part, Sentence) and part.known:
                    attempt.found[place] = list(part.known)
                if isinstance(part, Sentence) and (not part.known or part.width):
                    parts.append((part, handle, place))
        searched = {handle for _, handle, _ in parts}
        self._ready += [handle for handle in handles if handle not in searched]
        parts.sort(key=lambda one: one[0].length)
        for first in range(0, len(parts), ENCODED_TOGETHER):
            self._search_together(parts[first : first + ENCODED_TOGETHER])

    def _search_together(self, parts: Sequence[tuple[Sentence, int, int]]) -> None:
        sentences = [part for part, _, _ in parts]
        states, memory = self._task.encode_batch(sentences)
        widths = [
            {0 if sentence.known else self._task.beam, sentence.width} - {0}
            for sentence in sentences
        ]
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
                varied=[sentence.varied for sentence in mine],
                words=[self._task.words(sentence) for sentence in mine],
                states={name: state[some] for name, state in states.items()},
                memory={name: each[some] for name, each in memory.items()},
            )

    def leave(self, handles: Collection[int]) -> None:
        gone = {key for key, (handle, _, _) in self._places.items() if handle in handles}
        for search in self._searches.values():
            search.leave(gone)
        for key in gone:
            del self._places[key]
        self._ready = [handle for handle in self._ready if handle not in handles]
        for handle in handles:
            del self._jobs[handle]

    def step(self) -> list[tuple[int, list[Hypothesis]]]:
        complete, self._ready = self._ready, []
        for width, search in list(self._searches.items()):
            for key, hypotheses in search.step():
                handle, place, _ = self._places.pop(key)
                job = self._jobs[handle]
                if width == job.sentence.width and job.attempt is job.first:
                    job.wider = hypotheses
                if width == self._task.beam:
                    job.attempt.found.setdefault(place, hypotheses)
                if not any(one == handle for one, _, _ in self._places.values()):
                    complete.append(handle)
        finished, again = [], []
        for handle in complete:
            job = self._jobs[handle]
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
        for hypothesis in job.attempt.hypotheses(self._task):
            found = faults(job.attempt.source, self._task.written(hypothesis))
            if job.best is None or found < job.best[0]:
                job.best = found, hypothesis, job.attempt
            if not found:
                break

    def _another(self, job: _Job) -> bool:
        """Sets another attempt if the best so far has faults and there is one that may do without."""
        assert job.best
        found, _, best = job.best
        for fault, make in _WAYS:
            if getattr(found, fault) and make not in job.tried:
                job.tried.append(make)
                if attempt := make(self._task, job.sentence, best):
                    job.attempt = attempt
                    return True
        return False

    def _answer(self, job: _Job) -> list[Hypothesis]:
        assert job.best
        best = job.best[1]
        known = [*job.first.hypotheses(self._task)][1:] if job.sentence.known else []
        others = [
            other
            for other in [*known, *job.first.others(self._task, job.wider)]
            if other.ids != best.ids
            and not faults(job.sentence.text, self._task.written(other)).placeholders
        ]
        return [best, *others]


Way = Callable[[Translator, Sentence, Attempt], Attempt | None]

_AROUND: Way = partial(split, pattern=AROUND_PLACEHOLDERS)

_WAYS: list[tuple[str, Way]] = [
    ("placeholders", _AROUND),
    ("looped_or_dropped", varied),
    ("looped_or_dropped", partial(split, pattern=AFTER_MARKS)),
    ("looped_or_dropped", parted),
    ("numbers", numbered),
    ("numbers", _AROUND),
    ("quotes", quoting),
]
"""By the name of a fault, how a sentence may do without, given the best attempt; in the order of trying."""
