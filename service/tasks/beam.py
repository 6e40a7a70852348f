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

SPARE = 0.25
"""Share of rows of finished sentences that are computed along before the arrays are packed anew."""


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
        self, network: Network, *, width: int, length_penalty: float, begin: int, end: int
    ) -> None:
        self._network = network
        self._width, self._length_penalty = width, length_penalty
        self._begin, self._end = begin, end
        self._ended: list[list[Hypothesis]] = []
        # per sentence, [n, ...]; states, tokens and totals per row, [n * width, ...]
        self._keys: list[int | None] = []  # None: finished, but not yet packed away
        self._limits = np.zeros(0, np.int64)
        self._repeats = np.zeros(0, np.int64)
        self._sizes = np.zeros(0, np.int64)
        self._prefixes = np.zeros((0, width, 0), np.int64)
        # the last PHRASE tokens, newest first, and for how many tokens already each was equal to the one as far
        # before it: [n, width, PHRASE]
        self._recent = np.zeros((0, width, PHRASE), np.int64)
        self._equal = np.zeros((0, width, PHRASE), np.int64)
        self._totals = np.zeros((0, width))
        self._tokens = np.zeros(0, np.int64)
        self._states: Arrays = {}
        self._memory: Arrays = {}

    def join(
        self, keys: Sequence[int], limits: Ids, repeats: Ids, states: Arrays, memory: Arrays
    ) -> None:
        """Takes sentences in, under keys of the caller's choice.

        limits [n]: most tokens of a hypothesis. repeats [n]: how often a phrase may stand in a row.
        states, memory: per sentence; memory whose last or middle axis is the length of the source is padded
        with zeros to the longest one inside.
        """
        self._pack()
        new, width = len(keys), self._width
        self._keys += keys
        self._ended += [[] for _ in keys]
        self._limits = np.concatenate([self._limits, limits])
        self._repeats = np.concatenate([self._repeats, repeats])
        self._sizes = np.concatenate([self._sizes, np.zeros(new, np.int64)])
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
        rows = np.repeat(np.arange(new), width)
        self._states = _joined(self._states, {name: one[rows] for name, one in states.items()})
        self._memory = _joined(self._memory, memory)

    def leave(self, keys: Collection[int]) -> None:
        """Forgets sentences."""
        self._keys = [None if key in keys else key for key in self._keys]
        self._pack()

    def step(self) -> list[tuple[int, list[Hypothesis]]]:
        """One token for every hypothesis; the finished sentences with up to `width` hypotheses, best first."""
        if not any(key is not None for key in self._keys):
            return []
        step = self._network(self._tokens, self._states, self._memory)
        width, branches = self._width, self._width + 1
        sentences = np.arange(len(self._keys))[:, None]
        best = step.log_probabilities[:, :branches].reshape(len(sentences), width, branches)
        branching = step.tokens[:, :branches].reshape(best.shape)
        best = np.where(self._circling(branching), -np.inf, best)
        candidates = (self._totals[:, :, None] + best).reshape(len(sentences), -1)
        order = np.argsort(-candidates, axis=1, kind="stable")[:, : 2 * width]
        totals = candidates[sentences, order]
        rows, branch = np.divmod(order, branches)
        tokens = step.tokens[sentences * width + rows, branch]

        full = (self._sizes + 1 >= self._limits)[:, None]
        alive = totals > -np.inf
        ending = alive & ((tokens == self._end) | full)
        going = alive & ~ending
        # an end that the beam would not have kept is no hypothesis
        for index, rank in np.argwhere(ending[:, :width]):
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

    def _circling(self, tokens: Ids) -> NDArray[np.bool_]:
        """Which next tokens [n, width, branches] would end one repetition too many; never all of a row."""
        most = np.arange(1, PHRASE + 1) * self._repeats[:, None, None]
        closing = self._equal + 1 >= most
        if not closing.any():
            return np.zeros(tokens.shape, np.bool_)
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

        done = []
        for index, key in enumerate(self._keys):
            if key is not None and (len(self._ended[index]) >= self._width or not going[index]):
                done.append((key, sorted(self._ended[index], key=normalised, reverse=True)))
                self._keys[index] = None
        if sum(key is None for key in self._keys) > SPARE * len(self._keys):
            self._pack()
        return done

    def _pack(self) -> None:
        """Drops what belongs to finished sentences."""
        kept = np.array(
            [index for index, key in enumerate(self._keys) if key is not None], np.int64
        )
        if len(kept) == len(self._keys):
            return
        rows = (kept[:, None] * self._width + np.arange(self._width)).reshape(-1)
        self._keys = [self._keys[index] for index in kept]
        self._ended = [self._ended[index] for index in kept]
        self._limits, self._sizes = self._limits[kept], self._sizes[kept]
        self._repeats = self._repeats[kept]
        self._recent, self._equal = self._recent[kept], self._equal[kept]
        self._totals, self._prefixes = self._totals[kept], self._prefixes[kept]
        self._tokens = self._tokens[rows]
        self._states = {name: state[rows] for name, state in self._states.items()}
        self._memory = {name: memory[kept] for name, memory in self._memory.items()}


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


def _joined(old: Arrays, new: Arrays) -> Arrays:
    """Two sets of arrays one below the other, padded with zeros where one is longer."""
    if not old or not len(next(iter(old.values()))):
        return new
    joined: Arrays = {}
    for name, one in old.items():
        other = new[name]
        shape = [max(sizes) for sizes in zip(one.shape[1:], other.shape[1:], strict=True)]
        both = [_widened(each, (len(each), *shape)) for each in (one, other)]
        joined[name] = np.concatenate(both)
    return joined


def _widened(array: NDArray[Any], shape: Sequence[int]) -> NDArray[Any]:
    """`array` padded with zeros at the ends of its axes."""
    if array.shape == tuple(shape):
        return array
    wider = np.zeros(shape, array.dtype)
    wider[tuple(slice(size) for size in array.shape)] = array
    return wider
