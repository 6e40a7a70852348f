"""The word list of the target language: the search avoids hypotheses with other words.

A network that writes subwords can put together words that no language has (`imprisonné` for `emprisonné`). A
bundle may list the words of its target language, which training counts in its corpora
(training/tasks/translate/spelling.py); without a list nothing is avoided.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from functools import lru_cache

import numpy as np

from service.errors import BundleError

FILE = "words.txt"
"""Its usual name in a bundle, whose option `words` names it."""

UNLISTED = "\0"
"""The state within a word that is not listed."""

CACHED = 1 << 14
"""Steps from a state by a token that are remembered, some 300 bytes each."""

WORD = re.compile(r"[^\W\d_]+")
_REST = re.compile(rf"{UNLISTED}[^\W\d_]*")


class Spelling:
    """Follows a hypothesis token by token.

    words: in small letters, sorted. pieces: what each token writes, by id; the end of a sentence writes a space.
    """

    def __init__(self, words: Sequence[str], pieces: Sequence[str]) -> None:
        # a tenth of the memory of a list; UTF-8 sorts like the text
        self._words = np.array([word.encode() for word in words] or [b""])
        self._pieces = pieces
        self._spelt = lru_cache(CACHED)(self._spelt_anew)

    @classmethod
    def read(cls, content: bytes, pieces: Sequence[str]) -> "Spelling":
        """Of UTF-8 text, a word a line, sorted. Raises BundleError."""
        words = content.decode().split()
        if words != sorted(words):
            raise BundleError(f"{FILE}: the words are not sorted")
        return cls(words, pieces)

    def after(self, state: str, token: int, own: Collection[str]) -> tuple[str, bool]:
        """The state after one more token, and whether this token makes no word that is not listed.

        state: the letters of the word so far. own: words that this sentence may have as well, those of its source.
        """
        following, complete, listed = self._spelt(state, token)
        if listed or following == UNLISTED:
            return following, True
        if all(word in own or self._listed(word) for word in complete) and (
            not following
            or self._begins(following)
            or any(word.startswith(following) for word in own)
        ):
            return following, True
        return (UNLISTED if following else ""), False

    def _spelt_anew(self, state: str, token: int) -> tuple[str, tuple[str, ...], bool]:
        """The letters after the last complete word, the words completed now, and whether all are listed."""
        text = state + self._pieces[token]
        if state == UNLISTED:
            rest = _REST.match(text)
            assert rest
            if rest.end() == len(text):
                return UNLISTED, (), True
            text = text[rest.end() :]
        words = WORD.findall(text)
        following = words.pop() if words and text.endswith(words[-1]) else ""
        listed = all(map(self._listed, words)) and (not following or self._begins(following))
        return following, tuple(words), listed

    def _listed(self, word: str) -> bool:
        return self._next(word.encode()) == word.encode()

    def _begins(self, letters: str) -> bool:
        return self._next(letters.encode()).startswith(letters.encode())

    def _next(self, letters: bytes) -> bytes:
        """The first word that is not before these letters; nothing if there is none."""
        at = bisect_left(self._words, letters)
        return bytes(self._words[at]) if at < len(self._words) else b""
