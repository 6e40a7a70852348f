"""An endless stream of training examples from corpora of unlike worth, a chunk at a time.

In each pass a corpus is read as often as its weight says: with 2 twice, with 0.5 one half in this pass and the
other in the next. Chunks depend on the seed and their number alone, so a stopped training goes on with the same.
"""

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from service.tasks.translate.task import BOS, EOS
from training.data.corpora import Pair
from training.data.parallel import Corpus
from training.tasks.translate.examples import Examples, joined

Ids = NDArray[np.uint16]

JOINED = 0.06
"""Share of short pairs that are read together with the next one."""

SHORT = 60
"""Characters up to which a pair is short."""


class Stream:
    """chunk: pairs of a chunk. longest: most tokens of a side."""

    def __init__(
        self,
        corpora: Sequence[Corpus],
        examples: Examples,
        tokenizer: Tokenizer,
        *,
        chunk: int,
        longest: int,
        seed: int,
    ) -> None:
        self._pairs = [pair for corpus in corpora for pair in corpus.pairs]
        self._corpora = corpora
        self._examples, self._tokenizer = examples, tokenizer
        self._longest, self._seed = longest, seed
        self._pass, self._order = -1, np.zeros(0, np.int64)
        self._chunk = min(chunk, len(self._order_of(0)))

    @property
    def chunks(self) -> int:
        """Chunks of a pass, the last of which may be a part."""
        return -(-len(self._order_of(0)) // self._chunk)

    def chunk(self, number: int) -> list[tuple[Ids, Ids]]:
        """The examples of a chunk as ids: source + EOS, BOS + target + EOS."""
        chance = random.Random(f"{self._seed} chunk {number}")
        texts = []
        pairs = iter(self.pairs(number))
        for pair in pairs:
            if len(pair.text) <= SHORT and chance.random() < JOINED:
                pair = joined(pair, next(pairs, pair))
            if example := self._examples.make(pair, chance):
                texts.append(example)
        return encoded(texts, self._tokenizer, self._longest)

    def pairs(self, number: int) -> list[Pair]:
        """The pairs of a chunk as they stand in the corpora."""
        size = len(self._order_of(0))
        first = number * self._chunk
        found: list[Pair] = []
        while len(found) < self._chunk:
            turn, at = divmod(first + len(found), size)
            part = self._order_of(turn)[at : at + self._chunk - len(found)]
            found += [self._pairs[index] for index in part]
        return found

    def _order_of(self, turn: int) -> NDArray[np.int64]:
        """Indices of the pairs of a pass; all passes have equally many."""
        if turn != self._pass:
            generator = np.random.default_rng([self._seed, turn])
            parts, first = [], 0
            for index, corpus in enumerate(self._corpora):
                size = len(corpus.pairs)
                count = round(size * corpus.weight)
                mixed = np.random.default_rng([self._seed, index]).permutation(size)
                start = count * turn % size if size else 0
                parts.append(first + mixed[np.arange(start, start + count) % size])
                first += size
            order = np.concatenate(parts)
            generator.shuffle(order)
            self._pass, self._order = turn, order
        return self._order


def encoded(pairs: Sequence[Pair], tokenizer: Tokenizer, longest: int) -> list[tuple[Ids, Ids]]:
    """Pairs as ids (source + EOS, BOS + target + EOS); those over `longest` are left out."""
    sides = [
        [encoding.ids for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
        for texts in ([pair.text for pair in pairs], [pair.other for pair in pairs])
    ]
    return [
        (np.array([*source, EOS], np.uint16), np.array([BOS, *target, EOS], np.uint16))
        for source, target in zip(*sides, strict=True)
        if 0 < len(source) < longest and 0 < len(target) < longest
    ]
