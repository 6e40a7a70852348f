"""Beam search over many sentences at once, step by step: sentences join and leave while others go on.

All sentences of a search share one width. A sentence's numbers depend on its own rows alone, so it gets the
same hypotheses in any company.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
Arrays = dict[str, NDArray[Any]]

PHRASE = 8
"""Most tokens of a phrase that is kept from being repeated."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    ids: tuple[int, ...]
    log_probability: float
    """Sum over the tokens, the end of the sentence included."""

    @property
    def score(self) -> float:
        return self.log_probability / (len(self.ids) + 1)


@dataclass(frozen=True)
class Step:
    """What the network says after a token: per row its best next tokens and the states after this one."""

    log_probabilities: Floats
    """[rows, branches], best first; more branches than the beam is wide."""
    tokens: Ids
    """[rows, branches]"""
    states: Arrays
    """Each [rows, ...]."""


Network = Callable[[Ids, Mapping[str, NDArray[Any]], Mapping[str, NDArray[Any]]], Step]
"""(tokens [rows], states, memory per sentence) -> Step."""


class Search:
    """Beam search (Graves 2012) of one width with length-normalised scores (Wu et al. 2016, simplified).

    A hypothesis is scored by its log-probability divided by `length ** length_penalty`. A sentence is done
    when `width` hypotheses have ended, or at its limit of tokens. No hypothesis has a phrase more often in a
    row than its sentence allows: a network that has lost its way would go round in a circle.
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
    ) -> None:
        """source_axes: by name of memory, its axis that has the length of the source."""
        self._network, self._source_axes = network, source_axes
        self._width, self._length_penalty = width, length_penalty
        self._begin, self._end = begin, end
        self._ended: list[list[Hypothesis]] = []
        # per sentence, [n, ...]; states, tokens and totals per row, [n * width, ...]
        self._keys: list[int] = []
        self._limits = np.zeros(0, np.int64)
        self._most_equal = np.zeros((0, 1, PHRASE), np.int64)
        self._sizes = np.zeros(0, np.int64)
        self._sources = np.zeros(0, np.int64)
        self._prefixes = np.zeros((0, width, 0), np.int64)
        # the last PHRASE tokens, newest first, and for how many tokens already each was equal to the one as far
        # before it: [n, width, PHRASE]
        self._recent = np.zeros((0, width, PHRASE), np.int64)
        self._equal = np.zeros((0, width, PHRASE), np.int64)
        self._totals = np.zeros((0, width))
        self._tokens = np.zeros(0, np.int64)
        self._states: Arrays = {}
        self._memory: Arrays = {}  # with room for more sentences at the end

    def join(
        self,
        keys: Sequence[int],
        limits: Ids,
        repeats: Ids,
        sources: Ids,
        states: Arrays,
        memory: Arrays,
    ) -> None:
        """Takes sentences in, under keys of the caller's choice.

        limits [n]: most tokens of a hypothesis. repeats [n]: how often a phrase may stand in a row. sources [n]:
        length of the source that the memory of a sentence needs. states, memory: per sentence; memory is padded
        with zeros, or cut, to the longest source inside.
        """
        inside, new, width = len(self._keys), len(keys), self._width
        self._keys += keys
        self._ended += [[] for _ in keys]
        self._limits = np.concatenate([self._limits, limits])
        most = np.arange(1, PHRASE + 1) * repeats[:, None, None] - 1
        self._most_equal = np.concatenate([self._most_equal, most])
        self._sizes = np.concatenate([self._sizes, np.zeros(new, np.int64)])
        self._sources = np.concatenate([self._sources, sources])
        # only the first row of a beam counts at the start: all rows are equal then
        totals = np.full((new, width), -np.inf)
        totals[:, 0] = 0.0
        self._totals = np.concatenate([self._totals, totals])
        capacity = max(self._prefixes.shape[2], int(limits.max()))
        self._prefixes = np.concatenate(
            [
                _widened(self._prefixes, (len(self._prefixes), width, capacity)),
                np.zeros((new, width, capacity), np.int64),
            ]
        )
        fresh = np.full((new, width, PHRASE), -1)
        self._recent = np.concatenate([self._recent, fresh])
        self._equal = np.concatenate([self._equal, np.zeros_like(fresh)])
        self._tokens = np.concatenate([self._tokens, np.full(new * width, self._begin)])
        for name, one in states.items():
            beams = one.repeat(width, axis=0)
            self._states[name] = np.concatenate([self._states[name], beams]) if inside else beams
        for name, one in memory.items():
            before = self._memory[name] if inside else one[:0]
            self._memory[name] = _extended(before, inside, one)

    def leave(self, keys: Collection[int]) -> None:
        """Forgets sentences."""
        self._keep(np.array([key not in keys for key in self._keys], np.bool_))

    def step(self) -> list[tuple[int, list[Hypothesis]]]:
        """One token for every hypothesis; the finished sentences with up to `width` hypotheses, best first."""
        if not self._keys:
            return []
        memory = {name: one[: len(self._keys)] for name, one in self._memory.items()}
        step = self._network(self._tokens, self._states, memory)
        width, branches = self._width, self._width + 1
        sentences = np.arange(len(self._keys))[:, None]
        best = step.log_probabilities[:, :branches].reshape(len(sentences), width, branches)
        branching = step.tokens[:, :branches].reshape(best.shape)
        closing = self._equal >= self._most_equal
        if closing.any():
            best = np.where(self._circling(branching, closing), -np.inf, best)
        candidates = (self._totals[:, :, None] + best).reshape(len(sentences), -1)
        order = np.argsort(-candidates, axis=1, kind="stable")[:, : 2 * width]
        totals = candidates[sentences, order]
        rows = order // branches
        tokens = branching.reshape(len(sentences), -1)[sentences, order]

        full = (self._sizes + 1 >= self._limits)[:, None]
        alive = totals > -np.inf
        ending = alive & ((tokens == self._end) | full)
        going = alive & ~ending
        # an end that the beam would not have kept is no hypothesis
        for index, rank in zip(*ending[:, :width].nonzero(), strict=True):
            self._finish(index, rows[index, rank], tokens[index, rank], totals[index, rank])

        # the first `width` that go on; where there are fewer, dead rows fill up
        chosen = np.argsort(~going, axis=1, kind="stable")[:, :width]
        rows, tokens = rows[sentences, chosen], tokens[sentences, chosen]
        self._totals = np.where(going[sentences, chosen], totals[sentences, chosen], -np.inf)
        self._prefixes = self._prefixes[sentences, rows]
        places = np.minimum(self._sizes, self._prefixes.shape[2] - 1)
        self._prefixes[sentences, np.arange(width), places[:, None]] = tokens
        self._sizes = self._sizes + 1
        recent = self._recent[sentences, rows]
        again = recent == tokens[:, :, None]
        self._equal = np.where(again, self._equal[sentences, rows] + 1, 0)
        self._recent = np.concatenate([tokens[:, :, None], recent[:, :, :-1]], axis=2)
        self._tokens = tokens.reshape(-1)
        kept = (sentences * width + rows).reshape(-1)
        self._states = {name: state[kept] for name, state in step.states.items()}
        return self._delivered(going.any(1))

    def _circling(self, tokens: Ids, closing: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which next tokens [n, width, branches] would end one repetition too many; never all of a row.

        closing [n, width, PHRASE]: where a repetition is complete with one more token that is equal.
        """
        forbidden = np.where(closing, self._recent, -1)
        circling: NDArray[np.bool_] = (tokens[..., None] == forbidden[:, :, None, :]).any(-1)
        return circling & ~circling.all(-1, keepdims=True)

    def _finish(self, index: int, row: int, token: int, total: float) -> None:
        if len(self._ended[index]) < self._width:
            ids = self._prefixes[index, row, : self._sizes[index]].tolist()
            ids += [] if token == self._end else [int(token)]
            self._ended[index].append(Hypothesis(tuple(ids), float(total)))

    def _delivered(self, going: NDArray[np.bool_]) -> list[tuple[int, list[Hypothesis]]]:
        def normalised(hypothesis: Hypothesis) -> float:
            return float(
                hypothesis.log_probability / (len(hypothesis.ids) + 1) ** self._length_penalty
            )

        kept = going & np.array([len(ended) < self._width for ended in self._ended])
        done = [
            (self._keys[index], sorted(self._ended[index], key=normalised, reverse=True))
            for index in np.flatnonzero(~kept)
        ]
        self._keep(kept)
        return done

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        """Drops all other sentences; the last ones move to their places, so that little has to be copied."""
        size = int(kept.sum())
        if size == len(kept):
            return
        gaps, last = np.flatnonzero(~kept[:size]), size + np.flatnonzero(kept[size:])
        for memory in self._memory.values():
            memory[gaps] = memory[last]
        places = np.arange(size)
        places[gaps] = last
        rows = (places[:, None] * self._width + np.arange(self._width)).reshape(-1)
        self._keys = [self._keys[place] for place in places]
        self._ended = [self._ended[place] for place in places]
        self._limits, self._sizes = self._limits[places], self._sizes[places]
        self._most_equal, self._sources = self._most_equal[places], self._sources[places]
        self._recent, self._equal = self._recent[places], self._equal[places]
        self._totals, self._prefixes = self._totals[places], self._prefixes[places]
        self._tokens = self._tokens[rows]
        self._states = {name: state[rows] for name, state in self._states.items()}
        self._cut_memory()

    def _cut_memory(self) -> None:
        """To the longest source inside: what only others needed would be attended to for nothing."""
        longest = int(self._sources.max(initial=0))
        for name, axis in self._source_axes.items():
            memory = self._memory[name]
            if 0 < longest < memory.shape[axis]:
                kept = [slice(None)] * memory.ndim
                kept[axis] = slice(longest)
                self._memory[name] = memory[tuple(kept)].copy()


def longest_run(tokens: Sequence[object]) -> int:
    """How often at most a phrase stands in a row.

    >>> longest_run([5, 7, 8, 7, 8, 7, 8, 9])
    3
    """
    most = 1
    for size in range(1, PHRASE + 1):
        equal = 0
        for token, before in zip(tokens[size:], tokens, strict=False):
            equal = equal + 1 if token == before else 0
            most = max(most, 1 + equal // size)
    return most if tokens else 0


def _extended(array: NDArray[Any], size: int, new: NDArray[Any]) -> NDArray[Any]:
    """The first `size` of `array` and then `new`, padded with zeros where the other is longer; room after them.

    Writes into `array` itself if that is large enough.

    >>> _extended(np.array([[1, 1], [2, 2], [9, 9]]), 2, np.array([[3]])).tolist()
    [[1, 1], [2, 2], [3, 0]]
    """
    needed = size + len(new)
    inner = [max(sizes) for sizes in zip(array.shape[1:], new.shape[1:], strict=True)]
    if len(array) < needed or list(array.shape[1:]) != inner:
        array = _widened(array[:size], (2 * needed, *inner))
    array[size:needed] = _widened(new, (len(new), *inner))
    return array


def _widened(array: NDArray[Any], shape: Sequence[int]) -> NDArray[Any]:
    """`array` padded with zeros at the ends of its axes."""
    if array.shape == tuple(shape):
        return array
    wider = np.zeros(shape, array.dtype)
    wider[tuple(slice(size) for size in array.shape)] = array
    return wider
