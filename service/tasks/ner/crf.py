"""A linear-chain CRF as serving decodes it: the best path, and how probable each entity on it is.

All passes go through time once for the whole batch, with the batch as the last axis. Every number of a row comes
from that row's own numbers in an order that does not depend on the batch, so that answers are bit-identical in
any batch: sums run over an outer axis, or over the tags of one row, and are never a matrix product.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Span = tuple[int, int, int, float]
"""First word, last word, tag B-X, probability."""


class CRFDecoder:
    """transitions: [from, to]; start and end: [tags]; all log-potentials."""

    def __init__(
        self, transitions: Floats, start: Floats, end: Floats, tags: Sequence[str]
    ) -> None:
        self.transitions, self.start, self.end = transitions, start, end
        self._outside = tags.index("O")
        self._ends = np.exp(end - end.max())
        self._followed = np.exp(transitions)
        both_ways = np.stack([self._followed, self._followed.T], axis=2)
        self._both_ways = both_ways[:, :, :, None]
        # for each tag B-X the index of I-X, -1 for the other tags
        self._inside = [tags.index("I" + tag[1:]) if tag.startswith("B-") else -1 for tag in tags]

    def entities(self, emissions: Floats, lengths: NDArray[np.int32]) -> list[list[Span]]:
        """The entities on each row's best path, in order.

        emissions: [batch, time, tags]. The probability is that of the whole span with this label and
        ending there, over all paths (Culotta and McCallum 2004).
        """
        steps = np.ascontiguousarray(emissions.transpose(1, 2, 0))
        best = self._best_sums(steps)
        spans = [self._spans(path) for path in self._paths(best, lengths)]
        named = [row for row, found in enumerate(spans) if found]
        found: list[list[Span]] = [[] for _ in spans]
        if named:
            before, after, scaled = self._forward_backward(
                steps.take(named, 2), best.take(named, 2), lengths[named]
            )
            for index, row in enumerate(named):
                passes = before[:, :, index], after[-lengths[row] :, :, index], scaled[:, :, index]
                found[row] = [(*span, self._probability(*passes, *span)) for span in spans[row]]
        return found

    def viterbi(self, emissions: Floats, lengths: NDArray[np.int32]) -> list[list[int]]:
        """The best tag sequence of each row (Viterbi 1967)."""
        return self._paths(self._best_sums(emissions.transpose(1, 2, 0)), lengths)

    def _best_sums(self, steps: Floats) -> Floats:
        """The score of the best path up to each tag, from and to [time, tags, batch]."""
        best = np.empty(steps.shape)
        np.add(self.start[:, None], steps[0], out=best[0])
        ahead = np.empty((*self.transitions.shape, steps.shape[2]))
        # repeated for each row: numpy is a quarter faster at two arrays without strides of 0 in the last axis
        transitions = np.broadcast_to(self.transitions[:, :, None], ahead.shape).copy()
        for before, now, emitted in zip(best[:-1, :, None], best[1:], steps[1:], strict=True):
            np.add(before, transitions, ahead)
            # axis, type, out: by name they take a tenth longer
            np.maximum.reduce(ahead, 0, None, now)
            np.add(now, emitted, now)
        return best

    def _paths(self, best: Floats, lengths: NDArray[np.int32]) -> list[list[int]]:
        rows = np.ascontiguousarray(best.transpose(2, 0, 1))
        came_from = np.ascontiguousarray(self.transitions.T)
        last = (rows[np.arange(len(rows)), lengths - 1] + self.end).argmax(1).tolist()
        # most words are O: what came before it is looked up for all words at once
        before_outside = (rows[:, :-1] + came_from[self._outside]).argmax(2).tolist()
        paths = []
        for tag, row, pointers, length in zip(
            last, rows, before_outside, lengths.tolist(), strict=True
        ):
            path = [tag]
            for step in range(length - 2, -1, -1):
                if tag == self._outside:
                    tag = pointers[step]
                else:
                    tag = int((row[step] + came_from[tag]).argmax())
                path.append(tag)
            paths.append(path[::-1])
        return paths

    def _spans(self, path: Sequence[int]) -> list[tuple[int, int, int]]:
        spans: list[tuple[int, int, int]] = []
        for position, tag in enumerate(path):
            if self._inside[tag] >= 0:
                spans.append((position, position, tag))
            elif spans and spans[-1][1] == position - 1 and self._inside[spans[-1][2]] == tag:
                spans[-1] = (spans[-1][0], position, spans[-1][2])
        return spans

    def _forward_backward(
        self, steps: Floats, best: Floats, lengths: NDArray[np.int32]
    ) -> tuple[Floats, Floats, Floats]:
        """Sums over all paths: up to each tag, and from it on, its emission included both times; and the
        potentials of the emissions. All [time, tags, batch] and scaled (Rabiner 1989, section V.A).

        The sums from a tag on end with the last step: those of a row are its last ones. Backwards is forwards
        through the reversed row, so one loop does both. Each step is scaled by what the best path gains in it:
        no sum leaves the range of floats.
        """
        time, tags, batch = steps.shape
        gains = best.max(1)
        gains[1:] -= gains[:-1].copy()
        reverse = lengths - 1 - np.arange(time)[:, None]  # below 0 where a row has ended
        scaled = np.exp(steps - gains[:, None])
        mirrored = scaled[reverse, :, np.arange(batch)].transpose(0, 2, 1)
        factors = np.empty((time, tags, 2, batch))
        factors[:, :, 0] = scaled
        np.multiply(mirrored, (reverse >= 0)[:, None], out=factors[:, :, 1])

        sums = np.empty_like(factors)
        sums[0, :, 0] = np.exp(best[0] - gains[0])
        sums[0, :, 1] = factors[0, :, 1] * self._ends[:, None]
        onward = np.empty((tags, tags, 2, batch))
        both_ways = np.broadcast_to(self._both_ways, onward.shape).copy()
        for before, now, factor in zip(sums[:-1, :, None], sums[1:], factors[1:], strict=True):
            np.multiply(before, both_ways, onward)
            np.add.reduce(onward, 0, None, now)
            np.multiply(now, factor, now)
        return sums[:, :, 0], sums[::-1, :, 1], scaled

    def _probability(
        self, before: Floats, after: Floats, scaled: Floats, first: int, last: int, tag: int
    ) -> float:
        """Probability of the span `first..last` with label `tag` in one row, ending at `last`.

        `after` has the row's length; the other two may be padded.
        """
        inside = self._inside[tag]
        share = before[first, tag]
        for position in range(first + 1, last + 1):
            share *= self._followed[tag if position == first + 1 else inside, inside]
            share *= scaled[position, inside]
        final = tag if last == first else inside
        total = (before[len(after) - 1] * self._ends).sum()
        if last + 1 == len(after):
            return float(min(1.0, share * self._ends[final] / total))
        onward = self._followed[final] * after[last + 1]
        onward[inside] = 0.0  # paths on which the entity goes on
        return float(min(1.0, share * onward.sum() / total))
