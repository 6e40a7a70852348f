"""Scores of a translator by sacreBLEU, of the answers of a loaded bundle."""

from collections.abc import Sequence

from sacrebleu.metrics import BLEU, CHRF

from service.tasks.base import predict
from service.tasks.translate.checks import dropped, invented, looped
from service.tasks.translate.task import Translate
from training.data.corpora import Pair
from training.evaluation.scores import Values


def score(task: Translate, pairs: Sequence[Pair]) -> Values:
    """BLEU with and without capitals and chrF of `pairs`, with signatures, and `fidelity`."""
    texts = [pair.text for pair in pairs]
    translations = [result.translation for result in predict(task, texts, task.request(texts))]
    return overall(translations, [pair.other for pair in pairs]) | fidelity(texts, translations)


def fidelity(texts: Sequence[str], translations: Sequence[str]) -> Values:
    """Shares of the translations without a number that the source has not, in a loop, and far too short."""
    both = [
        (text.lower(), translation.lower())
        for text, translation in zip(texts, translations, strict=True)
    ]
    return {
        "numbers_right": round(sum(not invented(*pair) for pair in both) / len(both), 4),
        "looped": round(sum(looped(*pair) for pair in both) / len(both), 5),
        "dropped": round(sum(dropped(*pair) for pair in both) / len(both), 5),
    }


def overall(translations: Sequence[str], references: Sequence[str]) -> Values:
    """Against references; the tokens are sacreBLEU's."""
    bleu, chrf, lowercased = BLEU(), CHRF(), BLEU(lowercase=True)
    return {
        "bleu": round(bleu.corpus_score(translations, [references]).score, 2),
        "bleu_lowercased": round(lowercased.corpus_score(translations, [references]).score, 2),
        "chrf": round(chrf.corpus_score(translations, [references]).score, 2),
        "bleu_signature": str(bleu.get_signature()),
        "chrf_signature": str(chrf.get_signature()),
    }


def source_first(task: Translate, pairs: list[Pair], reverse: bool | None = None) -> list[Pair]:
    """Pairs of a file, source first; if `reverse` is None, its columns are as in the files of the training."""
    if reverse is None:
        recipe = task.bundle.manifest.training.recipe
        reverse = bool(recipe.get("network", {}).get("reverse", False))
    return [pair.swapped() for pair in pairs] if reverse else pairs
