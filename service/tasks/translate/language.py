"""Which language a text is in, among those that the service translates from or into.

The library is py3langid (naive Bayes over byte n-grams). Only its restriction to the languages at hand and
the meaning of an unsure answer are ours.
"""

from collections.abc import Collection

from py3langid.langid import MODEL_FILE, LanguageIdentifier

ENOUGH = 2000
"""Characters that are looked at; more would not make the answer surer, only later."""

SURE = 0.75
"""Probability from which a text counts as being in the target language already."""


class Detector:
    """Tells languages apart. Loading takes about a second; one instance serves all requests."""

    def __init__(self, languages: Collection[str]) -> None:
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        self._identifier.set_languages([*languages])

    def ranked(self, text: str) -> list[tuple[str, float]]:
        """All languages at hand with their probabilities, the likeliest first."""
        return [
            (language, float(probability))
            for language, probability in self._identifier.rank(text[:ENOUGH])
        ]

    def source(self, text: str, sources: Collection[str], target: str) -> str:
        """The language to translate `text` from: one of `sources`, or `target` if it is in that already.

        Who asks for a translation has most likely a text that needs one, so `target` must be sure; a text
        that tells nothing (a number, a single name) gets the likeliest of the sources.

        >>> Detector(["en", "fr"]).source("Le chat dort sur la chaise.", ["fr"], "en")
        'fr'
        """
        ranked = dict(self.ranked(text))
        total = sum(ranked[language] for language in [*sources, target])
        if ranked[target] >= SURE * total:
            return target
        return max(sources, key=lambda language: ranked[language])
