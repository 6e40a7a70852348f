"""Scores of a translator by sacreBLEU, of the answers of a loaded bundle."""

from collections.abc import Sequence

from sacrebleu.metrics import BLEU, CHRF

from service.tasks.base import predict
from service.tasks.translate.task import Translate
from training.data.corpora import Pair
from training.evaluation.scores import Values


def score(task: Translate, pairs: Sequence[Pair]) -> Values:
    """BLEU with and without capitals and chrF of `pairs`, with signatures; the tokens are sacreBLEU's."""
    texts = [pair.text for pair in pairs]
    translations = [result.translation for result in predict(task, texts, task.request(texts))]
    return overall(translations, [pair.other for pair in pairs])


def overall(translations: Sequence[str], references: Sequence[str]) -> Values:
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
