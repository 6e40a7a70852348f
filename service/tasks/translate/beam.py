"""Beam search over many sentences at once, step by step: sentences join and leave while others go on.

All sentences of a search share one width. A sentence's numbers depend on its own rows alone, so it gets the
same hypotheses in any batch.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.tasks.translate.arrays import extended
from service.tasks.translate.repetition import PHRASE
from service.tasks.translate.spelling import Spelling

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
Arrays = dict[str, NDArray[Any]]

UNLISTED_PENALTY = 4.0
"""Subtracted from the log-probability of a hypothesis for each word that is not listed."""

TRIPLE = 3
"""Tokens of a phrase that a varied hypothesis has once at most."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    ids: tuple[int, ...]
    log_probability: float
    """Sum over the tokens, the end of the sentence included."""
    attended: tuple[int, ...] = ()
    """For each of the ids the position in the source that the network attended to most."""

    @property
    def score(self) -> float:
        return self.log_probability / (len(self.ids) + 1)


@dataclass(slots=True)
class _Sentence:
    """One that is searched; its times are in steps of the search."""

    key: int
    began: int
    end: int
    """When its hypotheses are as long as they may become."""
    source: int
    """Length of the source that its memory needs."""
    varied: bool
    """No hypothesis has the same three tokens in a row twice."""
    words: Collection[str]
    """Words that its hypotheses may have although they are not listed."""
    ended: list[Hypothesis] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """What the network says after a token: per row its best next tokens and the states after this one."""

    log_probabilities: Floats
    """[rows, branches], best first; more branches than the beam is wide."""
    tokens: Ids
    """[rows, branches]"""
    states: Arrays
    """Each [rows, ...]."""
    attended: Ids
    """[rows], the positions in the source that were attended to most."""


Network = Callable[[Ids, Mapping[str, NDArray[Any]], Mapping[str, NDArray[Any]]], Step]
"""(tokens [rows], states, memory per sentence) -> Step."""


class Search:
    """Beam search (Graves 2012) of one width with length-normalised scores (Wu et al. 2016, simplified).

    A hypothesis is scored by its log-probability divided by `length ** length_penalty`. A sentence is done
    when `width` hypotheses have ended, or at its limit of tokens. No hypothesis has a phrase more often in a
    row than its sentence allows: a network that has lost its way would repeat itself for ever. Where that is not
    enough, no three tokens may come again at all (Paulus et al. 2018). With a `spelling`, each word that is not
    listed costs a hypothesis a penalty.
    """

    def __init__(
        self,
        network: Network,
        *,
        width: int,
        length_penalty: float,
        begin: int,
        end: int,
        source_axes: Mapping[str, int],
        spelling: Spelling | None = None,
    ) -> None:
        """source_axes: by name of memory, its axis that has the length of the source."""
        self._spelling = spelling
        self._network, self._source_axes = network, source_axes
        self._width, self._length_penalty = width, length_penalty
        self._begin, self._end = begin, end
        self._clock = 0
        """Steps so far."""
        self._inside: list[_Sentence] = []
        # per sentence: [n, 1, PHRASE], and the memory with room for more sentences at the end
        self._most_equal = np.zeros((0, 1, PHRASE), np.int64)
        self._memory: Arrays = {}
        # per row, of which a sentence has `width`
        self._totals = np.zeros(0)
        self._tokens = np.zeros(0, np.int64)
        self._history = np.zeros((0, PHRASE), np.int64)
        """The tokens of the hypothesis, the newest last, and -1 before it began; never less than PHRASE wide."""
        self._attended = np.zeros((0, PHRASE), np.int64)
        """For each token of the history the position that was attended to."""
        self._equal = np.zeros((0, PHRASE), np.int64)
        """For how many tokens already each was equal to the one before it, to the one before that, and so on."""
        self._states: Arrays = {}
        self._spelt = np.zeros(0, object)
        """The state of `spelling` for each row."""

    def join(
        self,
        keys: Sequence[int],
        limits: Sequence[int],
        repeats: Sequence[Sequence[int]],
        sources: Sequence[int],
        states: Arrays,
        memory: Arrays,
        varied: Sequence[bool],
        words: Sequence[Collection[str]],
    ) -> None:
        """Adds sentences, under keys of the caller's choice.

        limits: most tokens of a hypothesis. repeats: how often a phrase may stand in a row, for each size (runs).
        sources: length of
        the source that the memory of a sentence needs. states, memory: per sentence; memory is padded with zeros,
        or cut, to the longest source inside. varied: which may have no three tokens twice.
        words: which a sentence may have although they are not listed.
        """
        inside, rows = len(self._inside), len(keys) * self._width
        self._inside += [
            _Sentence(key, self._clock, self._clock + limit, source, vary, own)
            for key, limit, source, vary, own in zip(
                keys, limits, sources, varied, words, strict=True
            )
        ]
        most = np.arange(1, PHRASE + 1) * np.array(repeats)[:, None] - 1
        self._most_equal = np.concatenate([self._most_equal, most])
        # only the first row of a beam counts at the start: all rows are equal then
        totals = np.full(rows, -np.inf)
        totals[:: self._width] = 0.0
        self._totals = np.concatenate([self._totals, totals])
        self._tokens = np.concatenate([self._tokens, np.full(rows, self._begin)])
        self._spelt = np.concatenate([self._spelt, np.full(rows, "", object)])
        self._history = np.concatenate([self._history, np.full((rows, self._history.shape[1]), -1)])
        positions = np.zeros((rows, self._attended.shape[1]), np.int64)
        self._attended = np.concatenate([self._attended, positions])
        self._equal = np.concatenate([self._equal, np.zeros((rows, PHRASE), np.int64)])
        for name, one in states.items():
            beams = one.repeat(self._width, axis=0)
            self._states[name] = np.concatenate([self._states[name], beams]) if inside else beams
        for name, one in memory.items():
            before = self._memory[name] if inside else one[:0]
            self._memory[name] = extended(before, inside, one)

    def leave(self, keys: Collection[int]) -> None:
        """Removes sentences."""
        self._drop([place for place, one in enumerate(self._inside) if one.key in keys])

    def step(self) -> list[tuple[int, list[Hypothesis]]]:
        """One token for every hypothesis; the finished sentences with up to `width` hypotheses, best first."""
        if not self._inside:
            return []
        size, width, branches = len(self._inside), self._width, self._width + 1
        memory = {name: one[:size] for name, one in self._memory.items()}
        step = self._network(self._tokens, self._states, memory)
        self._clock += 1
        best, branching = step.log_probabilities[:, :branches], step.tokens[:, :branches]
        closing = self._equal.reshape(size, width, PHRASE) >= self._most_equal
        if closing.any():
            best = np.where(self._repeats_too_often(branching, closing), -np.inf, best)
        if any(one.varied for one in self._inside):
            best = np.where(self._comes_again(branching, best), -np.inf, best)
        if self._spelling:
            best, spelt = self._spelled(branching, best)
        # of a sentence all branches of all rows, then the best of these: [n, 2 * width]
        candidates = (self._totals[:, None] + best).reshape(size, -1)
        order = (-candidates).argsort(axis=1, kind="stable")[:, : 2 * width]
        order += np.arange(0, candidates.size, width * branches)[:, None]
        totals, tokens, rows = candidates.take(order), branching.take(order), order // branches

        alive = totals > -np.inf
        ending = tokens == self._end
        if any(one.end <= self._clock for one in self._inside):
            ending |= np.array([[one.end <= self._clock] for one in self._inside])
        ending &= alive
        going = alive ^ ending
        # an end that the beam would not have kept is no hypothesis
        for place, rank in zip(*ending[:, :width].nonzero(), strict=True):
            row = rows[place, rank]
            self._finish(place, row, tokens[place, rank], totals[place, rank], step.attended[row])

        # the first `width` that go on; where there are fewer, dead rows fill the beam
        chosen = (~going).argsort(axis=1, kind="stable")[:, :width]
        chosen = (chosen + np.arange(0, going.size, 2 * width)[:, None]).reshape(-1)
        self._totals = np.where(going, totals, -np.inf).take(chosen)
        self._tokens, kept = tokens.take(chosen), rows.take(chosen)
        if self._spelling:
            self._spelt = spelt.take(order).take(chosen)
        newest = self._tokens[:, None]
        history = self._history.take(kept, axis=0)
        again = history[:, : -PHRASE - 1 : -1] == newest
        self._equal = (self._equal.take(kept, axis=0) + 1) * again
        self._history = np.concatenate([history, newest], axis=1)
        positions = self._attended.take(kept, axis=0), step.attended.take(kept)[:, None]
        self._attended = np.concatenate(positions, axis=1)
        self._states = {name: state.take(kept, axis=0) for name, state in step.states.items()}
        return self._delivered(going.any(axis=1).tolist())

    def _repeats_too_often(self, tokens: Ids, closing: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which next tokens [rows, branches] would end one repetition too many; never all of a row.

        closing [n, width, PHRASE]: where a repetition is complete with one more token that is equal.
        """
        recent = self._history[:, : -PHRASE - 1 : -1]
        forbidden = np.where(closing.reshape(recent.shape), recent, -1)
        repeating: NDArray[np.bool_] = (tokens[:, :, None] == forbidden[:, None]).any(-1)
        return repeating & ~repeating.all(-1, keepdims=True)

    def _comes_again(self, tokens: Ids, best: NDArray[Any]) -> NDArray[np.bool_]:
        """Which next tokens [rows, branches] would end three that a varied hypothesis has; never all of a row
        that are possible still, by their log-probabilities `best`."""
        again = np.zeros(tokens.shape, np.bool_)
        for place, sentence in enumerate(self._inside):
            steps = self._clock - 1 - sentence.began
            if sentence.varied and steps > TRIPLE:
                for row in range(place * self._width, (place + 1) * self._width):
                    history = self._history[row, -steps:]
                    begun = (history[:-2] == history[-2]) & (history[1:-1] == history[-1])
                    again[row] = np.isin(tokens[row], history[2:][begun])
        coming: NDArray[np.bool_] = again & ~(again | (best == -np.inf)).all(-1, keepdims=True)
        return coming

    def _spelled(self, tokens: Ids, best: Floats) -> tuple[Floats, NDArray[Any]]:
        """Log-probabilities of next tokens [rows, branches], less the penalty where a token makes an unlisted
        word, and the state of `spelling` after each."""
        assert self._spelling
        best, spelt = best.copy(), np.full(tokens.shape, "", object)
        for row in (self._totals > -np.inf).nonzero()[0].tolist():
            own, state = self._inside[row // self._width].words, self._spelt[row]
            for branch, token in enumerate(tokens[row].tolist()):
                spelt[row, branch], listed = self._spelling.after(state, token, own)
                if not listed:
                    best[row, branch] -= UNLISTED_PENALTY
        return best, spelt

    def _finish(self, place: int, row: int, token: int, total: float, attended: int) -> None:
        sentence = self._inside[place]
        if len(sentence.ended) < self._width:
            before = self._clock - 1 - sentence.began
            ids = self._history[row, self._history.shape[1] - before :].tolist()
            positions = self._attended[row, self._attended.shape[1] - before :].tolist()
            if token != self._end:
                ids, positions = [*ids, int(token)], [*positions, int(attended)]
            sentence.ended.append(Hypothesis(tuple(ids), float(total), tuple(positions)))

    def _delivered(self, going: Sequence[bool]) -> list[tuple[int, list[Hypothesis]]]:
        def normalised(hypothesis: Hypothesis) -> float:
            return float(
                hypothesis.log_probability / (len(hypothesis.ids) + 1) ** self._length_penalty
            )

        over = [
            place
            for place, sentence in enumerate(self._inside)
            if not going[place] or len(sentence.ended) == self._width
        ]
        done = [self._inside[place] for place in over]
        self._drop(over)
        return [(one.key, sorted(one.ended, key=normalised, reverse=True)) for one in done]

    def _drop(self, places: Sequence[int]) -> None:
        """Removes the sentences at these places; the last ones move there, so that little is copied."""
        if not places:
            return
        size, width = len(self._inside), self._width
        left = size - len(places)
        gaps = [place for place in places if place < left]
        last = [place for place in range(left, size) if place not in places]
        if gaps:
            to, source = self._rows(gaps), self._rows(last)
            each_row = self._totals, self._tokens, self._equal, self._history, self._attended
            for array in (*each_row, self._spelt, *self._states.values()):
                array[to] = array[source]
            for array in (self._most_equal, *self._memory.values()):
                array[gaps] = array[last]
        for gap, moved in zip(gaps, last, strict=True):
            self._inside[gap] = self._inside[moved]
        del self._inside[left:]
        longest = max((self._clock - one.began for one in self._inside), default=0)
        rows = left * width
        self._most_equal = self._most_equal[:left]
        self._totals, self._tokens = self._totals[:rows], self._tokens[:rows]
        self._spelt = self._spelt[:rows]
        self._equal = self._equal[:rows]
        self._history = self._history[:rows, -max(PHRASE, longest) :]
        self._attended = self._attended[:rows, -max(PHRASE, longest) :]
        self._states = {name: state[:rows] for name, state in self._states.items()}
        self._cut_memory()

    def _rows(self, places: Sequence[int]) -> Ids:
        """Of the sentences at these places."""
        rows: Ids = np.array(places)[:, None] * self._width + np.arange(self._width)
        return rows.reshape(-1)

    def _cut_memory(self) -> None:
        """To the longest source inside: attention to what is beyond it would be wasted."""
        longest = max((one.source for one in self._inside), default=0)
        for name, axis in self._source_axes.items():
            memory = self._memory[name]
            if 0 < longest < memory.shape[axis]:
                kept = [slice(None)] * memory.ndim
                kept[axis] = slice(longest)
                self._memory[name] = memory[tuple(kept)].copy()
