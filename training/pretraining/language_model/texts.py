"""Plain text as word ids, in stretches that a language model reads as one sequence."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tqdm import tqdm

from training.data.corpora import read_texts
from training.data.vocabulary import frequent_characters

AT_ONCE = 2000
"""Paragraphs tokenized together."""


@dataclass(frozen=True)
class Text:
    """All paragraphs in a row."""

    ids: NDArray[np.int32]
    """[words]"""
    written: NDArray[np.int32]
    """[words]: the place of each word among the forms, or nothing."""
    ends: list[int]
    """Where each paragraph ends."""
    forms: list[str]
    """The different words as they are written."""
    alphabet: str

    def stretches(self, longest: int) -> NDArray[np.int64]:
        """Start and length of stretches of 2 to `longest` words of one paragraph: [stretches, 2]."""
        return np.array(
            [
                (start, min(longest, end - start))
                for begin, end in pairwise([0, *self.ends])
                for start in range(begin, end - 1, longest)
            ],
            np.int64,
        ).reshape(-1, 2)


def read(paths: Sequence[Path], tokenizer: Tokenizer, *, with_forms: bool) -> Text:
    """The texts as word ids; with `with_forms` also as they are written, for a character CNN."""
    ids: list[NDArray[np.int32]] = []
    written: list[NDArray[np.int32]] = []
    ends: list[int] = []
    places: dict[str, int] = {}
    characters: Counter[str] = Counter()
    total = 0
    for texts in _chunks(text for path in paths for text in read_texts(path)):
        for text, encoding in zip(texts, tokenizer.encode_batch(texts), strict=True):
            ids.append(np.array(encoding.ids, np.int32))
            if with_forms:
                forms = [text[start:end] for start, end in encoding.offsets]
                found = [places.setdefault(form, len(places)) for form in forms]
                written.append(np.array(found, np.int32))
                characters.update("".join(forms))
            total += len(encoding.ids)
            ends.append(total)
    empty = [np.empty(0, np.int32)]
    return Text(
        ids=np.concatenate(ids or empty),
        written=np.concatenate(written or empty),
        ends=ends,
        forms=[*places],
        alphabet=frequent_characters(characters, at_least=5),
    )


def _chunks(texts: Iterator[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for text in tqdm(texts, unit="line", unit_scale=True, mininterval=5):
        chunk.append(text)
        if len(chunk) == AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
