"""Perturbations of a test set, which show how much a tagger depends on spelling: other cases, and invented names.

The labels stay; only words are written differently. Nothing here is used in training.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from service.tasks.ner.values import VALUED_LABELS
from training.data.corpora import Tagged
from training.data.guidelines import spans_of

Perturbation = Literal["written", "lower", "upper", "title", "invented"]
CASES: dict[Perturbation, Callable[[str], str]] = {
    "written": str,
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
}
"""How each word is written."""

_BEGINNINGS = "b br c ch d dr f g gr h j k kh l m n p pr qu r s sh st t th tr v w y z"
_MIDDLES = "a e i o u ai ea ia io ou ua"
_ENDS = "b d k l ll m n nd ng r rt s t v x z"


def perturb(
    sentences: Sequence[Tagged], perturbation: Perturbation, *, known: Callable[[str], bool]
) -> list[Tagged]:
    """The sentences, written differently. known: whether the tagger has a vector for a word in lower case."""
    if perturbation == "invented":
        return with_invented_names(sentences, known=known)
    change = CASES[perturbation]
    return [replace(one, tokens=tuple(change(token) for token in one.tokens)) for one in sentences]


def with_invented_names(
    sentences: Sequence[Tagged], *, known: Callable[[str], bool]
) -> list[Tagged]:
    """The sentences with the words of names replaced by unknown words, in the same case.

    The same word gets the same replacement everywhere. Words that these sentences also hold in lower case (the
    University of X) are kept, and so is what is not made of letters, and all of dates, amounts and the like.
    """
    plain = {token for one in sentences for token in one.tokens if token.islower()}
    rng = random.Random(0)
    made: dict[str, str] = {}

    def invention(word: str) -> str:
        if word not in made:
            while known(made.setdefault(word, _word(rng))):
                del made[word]
        return made[word]

    changed = []
    for one in sentences:
        tokens = list(one.tokens)
        names = [span for span in spans_of(one.tags) if span[2] not in VALUED_LABELS]
        for first, end, _ in names:
            for place in range(first, end):
                word = tokens[place].lower()
                if tokens[place].isalpha() and word not in plain:
                    tokens[place] = _cased(invention(word), tokens[place])
        changed.append(replace(one, tokens=tuple(tokens)))
    return changed


def _word(rng: random.Random) -> str:
    syllables = [
        rng.choice(_BEGINNINGS.split()) + rng.choice(_MIDDLES.split())
        for _ in range(rng.randint(1, 3))
    ]
    return "".join(syllables) + rng.choice(_ENDS.split())


def _cased(word: str, like: str) -> str:
    """
    >>> _cased("brozel", "Paris"), _cased("brozel", "NATO")
    ('Brozel', 'BROZEL')
    """
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word.capitalize() if like[0].isupper() else word
