"""A text as the tagger reads it: words, their ids, and their letters."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from service.tasks.text import PIECE, Places, Span, pieces

UNKNOWN = 1
"""Id of a word, or a character, that the vocabulary does not have; 0 is padding."""


@dataclass(frozen=True, slots=True)
class NerWindow:
    """A window of a text: the id of each word, its letters, and where it stands."""

    ids: Sequence[int]
    words: Sequence[str]
    spans: Sequence[Span]

    @property
    def length(self) -> int:
        return len(self.ids)

    @property
    def unknown(self) -> int:
        return self.ids.count(UNKNOWN)


class Reader:
    """A text as the tagger reads it; training and serving both do it here.

    `alphabet` holds the known characters: the n-th has the id n + 2. Of a longer word only the first
    and the last characters are read, `width` in all.
    """

    def __init__(self, tokenizer: Tokenizer, alphabet: str, width: int) -> None:
        self._tokenizer = tokenizer
        self._width = width
        self._ids = {character: index + 2 for index, character in enumerate(alphabet)}

    def read(self, text: str) -> NerWindow:
        if len(text) > PIECE:
            return self._read_pieces(text)
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        spans = encoding.offsets
        return NerWindow(encoding.ids, [text[start:end] for start, end in spans], spans)

    def _read_pieces(self, text: str) -> NerWindow:
        """The same for a long text, in a fraction of the memory: of equal words and numbers one is kept."""
        ids, places = array("I"), array("I")
        words: list[str] = []
        known: dict[str, str] = {}
        for start, end in pieces(text, PIECE):
            piece = self.read(text[start:end])
            ids.extend(piece.ids)
            for left, right in piece.spans:
                places.extend((start + left, start + right))
            words += [known.setdefault(word, word) for word in piece.words]
        return NerWindow(ids, words, Places(places))

    def letters(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Character ids [words, width], padded with 0."""
        characters = np.zeros((len(words), self._width), np.int64)
        half = self._width // 2
        for row, word in enumerate(words):
            if len(word) > self._width:
                word = word[:half] + word[half - self._width :]
            characters[row, : len(word)] = [self._ids.get(letter, UNKNOWN) for letter in word]
        return characters
