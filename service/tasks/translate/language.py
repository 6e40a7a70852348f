"""Which language a text is in, and so which translator answers it, if any does.

The library is py3langid (naive Bayes over byte n-grams), with all the languages that it knows. What is ours is the
decision from its probabilities: who asks for a translation has most likely a text that needs one, so a text must
surely be in another language than the translators read before it is left alone.
"""

import re
from collections.abc import Collection, Sequence
from functools import cached_property

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from service.errors import FieldError, InvalidInput
from service.tasks.base import Models, Plan
from service.tasks.translate.markup import parse
from service.tasks.translate.messages import TranslateRequest, TranslateResult

ENOUGH = 2000
"""Characters that are looked at; more would not make the answer surer, only later."""

ENOUGH_HTML = 20_000
"""Characters of HTML that are looked at; most of them may be tags."""

SURE = 0.9
"""Probability that a text is in none of the source languages, from which it counts as being in another one.

Of short French and English sentences two in a thousand are then left alone that should be translated, and of
German and Spanish ones under one in a hundred is translated that should be left alone.
"""

WORDS = 3
"""A text of fewer words tells too little of its language."""

NAME_WORDS = 4
"""Up to so many words that all begin with a capital letter may be a name, which tells too little too."""

NO_LANGUAGE = "zxx"
"""What the library calls a text without any."""

_NO_WORD = frozenset("/@#_\\0123456789")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
"""Letters of the script of all languages that a translator may read here."""

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]"
)
"""Letters of scripts that have no spaces between words; two are about a word."""


def words(text: str) -> int:
    """How many words of any script a text has; numbers, addresses and the like are none.

    >>> words("Zürich, 8:30, see https://example.org"), words("今天天气很好")
    (2, 3)
    """
    unspaced = len(_UNSPACED.findall(text))
    tokens = _UNSPACED.sub(" ", text).split()
    return unspaced // 2 + sum(map(_is_word, tokens))


def tells_enough(text: str) -> bool:
    """Whether the language of a text can be told.

    >>> [tells_enough(text) for text in ("Guten Tag", "José Luis Rodríguez Zapatero", "Das ist gut.", "Ну да")]
    [False, False, True, True]
    """
    count = words(text)
    if count > 1 and not _LATIN.search(text):
        return True
    return count >= WORDS and not (count <= NAME_WORDS and text.istitle())


def _is_word(token: str) -> bool:
    return _NO_WORD.isdisjoint(token) and any(map(str.isalpha, token))


class Detector:
    """Tells languages apart. Loading takes about a second; one instance serves all requests."""

    def __init__(self) -> None:
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def ranked(self, text: str) -> list[tuple[str, float]]:
        """All languages with their probabilities, the likeliest first."""
        return [
            (language, float(probability))
            for language, probability in self._identifier.rank(text[:ENOUGH])
        ]

    def source(self, text: str, sources: Collection[str]) -> str:
        """The language of `text`: one of `sources`, unless it is surely another one.

        A text that tells too little (a number, a single name, a word or two) gets the likeliest of the sources.

        >>> Detector().source("Le chat dort sur la chaise.", ["fr"])
        'fr'
        >>> Detector().source("Der Hund schläft auf dem Sofa.", ["fr"])
        'de'
        """
        ranked = self.ranked(text)
        shares = dict(ranked)
        likeliest = ranked[0][0]
        unserved = 1 - sum(shares.get(language, 0.0) for language in sources)
        if (
            unserved >= SURE
            and likeliest not in (NO_LANGUAGE, *sources)
            and tells_enough(text[:ENOUGH])
        ):
            return likeliest
        return max(sources, key=lambda language: shares.get(language, 0.0))


class LanguageRouter:
    """Finds the translator for each text of a request; with `source: auto` by the language of the text."""

    @cached_property
    def detector(self) -> Detector:
        return Detector()

    def load(self) -> None:
        _ = self.detector

    def candidates(self, request: TranslateRequest, models: Models) -> Models:
        """Raises InvalidInput, with the pairs that there are, if no model translates as the request asks."""
        into = {
            name: (source, target)
            for name, (source, target) in models.items()
            if target == request.target
        }
        found = {name: pair for name, pair in into.items() if request.source in (pair[0], "auto")}
        if found:
            return found
        served = ", ".join(f"{source} to {target}" for source, target in models.values())
        detail = f"{request.source} to {request.target} is not served; served: {served}"
        raise InvalidInput(detail, errors=[FieldError("/source" if into else "/target", detail)])

    def plan(self, texts: Sequence[str], request: TranslateRequest, models: Models) -> Plan:
        """A text in no language that can be translated into the target comes back as it is."""
        found = self.candidates(request, models)
        translators = {source: name for name, (source, _) in found.items()}
        first = next(iter(found))
        if request.source != "auto":
            return Plan(first, [first] * len(texts))
        languages = [
            self.detector.source(plain(text, html=request.format == "html"), translators)
            for text in texts
        ]
        parts = [
            translators.get(language) or unchanged(text, language, request)
            for text, language in zip(texts, languages, strict=True)
        ]
        return Plan(first, parts, languages)


def plain(text: str, *, html: bool) -> str:
    """What of a text tells its language.

    >>> plain("<p>Le <b>chat</b></p>", html=True).split()
    ['Le', 'chat']
    """
    return parse(text[:ENOUGH_HTML]).text if html else text


def unchanged(text: str, language: str, request: TranslateRequest) -> TranslateResult:
    """The answer for a text that is left alone."""
    return TranslateResult(
        translation=text,
        source=language,
        target=request.target,
        score=0.0,
        alternatives=[] if request.alternatives else None,
    )
