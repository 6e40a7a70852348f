"""Cleans parallel corpora: which pairs are no translations of each other, or teach nothing.

What is found, in this order: texts too long or without a word, duplicates (digits aside), copies, sides of unlike
lengths, numbers that stand on one side only, sides of which hardly a word of one translates one of the other, as
happens where an alignment has slipped by a line, and, where there are too few words to tell, a wrong language.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from py3langid.langid import MODEL_FILE, LanguageIdentifier
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

from training.data.corpora import Pair

LONGEST = 600
"""Characters of a side."""

RATIO = 2.0
"""How many times as long as the other a side may be, each counted with MARGIN characters more."""

MARGIN = 15

TOLD_FROM = 40
"""Letters from which the language of a side is looked at."""

LEXICON_PAIRS = 400_000
"""Pairs that the lexicon of co-occurring words is made from."""

PARTNERS = 12
"""Translations of a word in that lexicon."""

COVERED = 0.2
"""Share of a pair's words with a translation on the other side, below which it counts as misaligned."""

JUDGED_FROM = 5
"""Words of the lexicon from which a pair is judged so."""

_LETTER = re.compile(r"[^\W\d_]")
_NUMBER = re.compile(r"\d(?:[\d.,' \u00a0\u202f:]*\d)?")
_WORD = r"[^\W\d_]{3,}"


@dataclass
class Report:
    """How many pairs were read, and left out for what reason."""

    read: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        parts = [f"{reason} {count:,}" for reason, count in self.left_out.most_common()]
        return f"{self.read:,} pairs read, left out: {', '.join(parts) or 'none'}"


class Cleaner:
    """Keeps pairs of two languages; remembers what it has kept, so that a pair is kept once.

    lexicon: by word of either side (prefixed with `0` or `1`) its translations; empty: no pair is misaligned.
    """

    def __init__(self, languages: tuple[str, str], lexicon: dict[str, frozenset[str]]) -> None:
        self._languages = languages
        self._lexicon = lexicon
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        self._identifier.set_languages(sorted({*languages, "en", "fr", "de", "es", "it", "nl"}))
        self._seen: set[int] = set()

    def kept(self, pairs: Iterable[Pair], report: Report) -> list[Pair]:
        kept = []
        for pair in pairs:
            report.read += 1
            if reason := self._reason(pair):
                report.left_out[reason] += 1
            else:
                kept.append(pair)
        return kept

    def _reason(self, pair: Pair) -> str | None:
        """Why to leave a pair out, if so."""
        one, other = pair.text, pair.other
        if max(len(one), len(other)) > LONGEST:
            return "too long"
        letters = len(_LETTER.findall(one)), len(_LETTER.findall(other))
        if not all(letters):
            return "no words"
        key = hash((_essence(one), _essence(other)))
        if key in self._seen:
            return "duplicate"
        self._seen.add(key)
        if one.casefold() == other.casefold() and len(one.split()) > 3:
            return "copy"
        if not 1 / RATIO <= (len(one) + MARGIN) / (len(other) + MARGIN) <= RATIO:
            return "lengths"
        if _numbers(one) != _numbers(other):
            return "numbers"
        covered = self._covered(pair)
        if covered is not None:
            return "misaligned" if covered < COVERED else None
        for text, language, count in zip((one, other), self._languages, letters, strict=True):
            if count >= TOLD_FROM:
                found, sure = self._identifier.classify(text)
                if found != language and sure > 0.9:
                    return "language"
        return None

    def _covered(self, pair: Pair) -> float | None:
        """The share of the words of the lexicon that have a translation on the other side, if there are enough."""
        sides = [
            {f"{side}{word}" for word in re.findall(_WORD, text.lower())} & self._lexicon.keys()
            for side, text in enumerate((pair.text, pair.other))
        ]
        judged = sum(map(len, sides))
        if min(map(len, sides)) < JUDGED_FROM:
            return None
        covered = sum(
            not self._lexicon[word].isdisjoint(sides[1 - side])
            for side, words in enumerate(sides)
            for word in words
        )
        return covered / judged


def lexicon(pairs: Sequence[Pair]) -> dict[str, frozenset[str]]:
    """Words that co-occur (Dice coefficient), by word of either side, prefixed with the number of the side.

    Empty where there are too few pairs to tell.
    """
    sides = []
    for texts in ([pair.text for pair in pairs], [pair.other for pair in pairs]):
        counter = CountVectorizer(token_pattern=_WORD, min_df=5, max_df=0.05, binary=True)
        try:
            matrix: csr_matrix = counter.fit_transform(texts).astype(np.int32)
        except ValueError:  # no word stands in five texts and yet in few
            return {}
        sides.append((matrix, counter.get_feature_names_out()))
    (one, ours), (other, theirs) = sides
    together: csr_matrix = (one.T @ other).tocsr()
    counts = [np.asarray(matrix.sum(0)).ravel() for matrix, _ in sides]
    entries = together.tocoo()
    dice = 2 * entries.data / (counts[0][entries.row] + counts[1][entries.col])
    table = csr_matrix((dice, (entries.row, entries.col)), together.shape)
    found: dict[str, frozenset[str]] = {}
    for matrix, words, partners, side in (
        (table, ours, theirs, 0),
        (table.T.tocsr(), theirs, ours, 1),
    ):
        for row, word in enumerate(words):
            part = slice(matrix.indptr[row], matrix.indptr[row + 1])
            best = matrix.indices[part][np.argsort(-matrix.data[part])[:PARTNERS]]
            found[f"{side}{word}"] = frozenset(f"{1 - side}{partners[at]}" for at in best)
    return found


def _essence(text: str) -> str:
    return re.sub(r"[\W_]+", " ", re.sub(r"\d", "0", text.casefold())).strip()


def _numbers(text: str) -> list[str]:
    """Numbers of three digits or more, without their separators; shorter ones are often spelled out."""
    digits = (re.sub(r"\D", "", found) for found in _NUMBER.findall(text))
    return sorted(number for number in digits if len(number) >= 3)
