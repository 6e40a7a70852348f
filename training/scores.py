"""Scores by the field's own code, from the answers of a loaded task: seqeval, scikit-learn, sacreBLEU."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from sacrebleu.metrics import BLEU, CHRF
from seqeval.metrics import classification_report as entity_report
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.metrics import classification_report as label_report
from sklearn.metrics import f1_score as label_f1
from sklearn.metrics import recall_score as label_recall
from tokenizers import Tokenizer

from service.tasks.common import predict
from training import calibration
from training.calibration import Judged
from training.card import Confusion
from training.data.corpora import Labelled, Pair, Tagged

if TYPE_CHECKING:  # a training loads its own task only
    from service.tasks.ner import Ner, NerResult
    from service.tasks.sentiment import Sentiment
    from service.tasks.translate import Translate

Values = dict[str, float | str]
ByLabel = dict[str, dict[str, float]]
"""Label -> precision, recall, f1, support."""


def translation(task: Translate, pairs: Sequence[Pair]) -> Values:
    """BLEU with and without capitals and chrF of `pairs`, with signatures; the tokens are sacreBLEU's."""
    texts = [pair.text for pair in pairs]
    translations = [result.translation for result in predict(task, texts, task.request(texts))]
    return translation_overall(translations, [pair.other for pair in pairs])


def translation_overall(translations: Sequence[str], references: Sequence[str]) -> Values:
    bleu, chrf, lowercased = BLEU(), CHRF(), BLEU(lowercase=True)
    return {
        "bleu": round(bleu.corpus_score(translations, [references]).score, 2),
        "bleu_lowercased": round(lowercased.corpus_score(translations, [references]).score, 2),
        "chrf": round(chrf.corpus_score(translations, [references]).score, 2),
        "bleu_signature": str(bleu.get_signature()),
        "chrf_signature": str(chrf.get_signature()),
    }


_STRICT = {"mode": "strict", "scheme": IOB2, "zero_division": 0}


def entity_f1(gold: list[list[str]], found: list[list[str]]) -> float:
    """Micro-averaged F1 of exact spans with their labels."""
    return float(f1_score(gold, found, **_STRICT))


def tagging(task: Ner, sentences: Sequence[Tagged]) -> Values:
    """Entity precision, recall and F1 (exact span and label, micro average), and F1 by label."""
    gold = [list(sentence.tags) for sentence in sentences]
    answers = _answers(task, sentences)
    found = _tags(sentences, answers)
    values = tagging_overall(gold, found)
    for label, figures in tagging_by_label(gold, found).items():
        values[f"f1_{label}"] = figures["f1"]
    values["calibration_error"] = calibration.error(_judged(sentences, answers))
    return values


def tagging_overall(gold: list[list[str]], found: list[list[str]]) -> Values:
    """Micro-averaged over all entities."""
    return {
        "f1": round(f1_score(gold, found, **_STRICT), 4),
        "precision": round(precision_score(gold, found, **_STRICT), 4),
        "recall": round(recall_score(gold, found, **_STRICT), 4),
    }


def tagging_by_label(gold: list[list[str]], found: list[list[str]]) -> ByLabel:
    """For each entity type that was wanted or found; {} if there is no gold entity at all."""
    if all(tag == "O" for tags in gold for tag in tags):
        return {}
    report = entity_report(gold, found, output_dict=True, **_STRICT)
    return {label: _figures(row) for label, row in report.items() if not label.endswith(" avg")}


def _figures(row: dict[str, float]) -> dict[str, float]:
    """A row of a classification report, of seqeval or scikit-learn."""
    return {
        "precision": round(float(row["precision"]), 4),
        "recall": round(float(row["recall"]), 4),
        "f1": round(float(row["f1-score"]), 4),
        "support": int(row["support"]),
    }


def predicted_tags(task: Ner, sentences: Sequence[Tagged]) -> list[list[str]]:
    """IOB2 tags of the corpus's own tokens, from the entities found in the text of each sentence.

    A token belongs to an entity that covers any of its characters.
    """
    return _tags(sentences, _answers(task, sentences))


def _answers(task: Ner, sentences: Sequence[Tagged]) -> Sequence[NerResult]:
    texts = [sentence.text for sentence in sentences]
    return predict(task, texts, task.request(texts))


def _tags(sentences: Sequence[Tagged], answers: Sequence[NerResult]) -> list[list[str]]:
    tagged = []
    for sentence, result in zip(sentences, answers, strict=True):
        tags, start = [], 0
        entities = iter(result.entities)
        entity = next(entities, None)
        last = None
        for token in sentence.tokens:
            end = start + len(token)
            while entity and entity.end <= start:
                entity = next(entities, None)
            if entity and entity.start < end:
                tags.append(("I-" if entity is last else "B-") + entity.label)
                last = entity
            else:
                tags.append("O")
            start = end + 1
        tagged.append(tags)
    return tagged


def known_words(task: Ner) -> Callable[[str], bool]:
    """Whether a bundle has a vector for a word."""
    tokenizer = Tokenizer.from_file(str(task.bundle.file("tokenizer.json")))
    return lambda word: tokenizer.token_to_id(word) is not None


def tagging_judged(task: Ner, sentences: Sequence[Tagged]) -> Judged:
    """Of each entity found its probability, and whether just these tokens are an entity of that label."""
    return _judged(sentences, _answers(task, sentences))


def _judged(sentences: Sequence[Tagged], answers: Sequence[NerResult]) -> Judged:
    confidences, right = [], []
    for sentence, result in zip(sentences, answers, strict=True):
        gold = set(get_entities(list(sentence.tags)))
        starts = [0, *accumulate(len(token) + 1 for token in sentence.tokens)]
        for entity in result.entities:
            first = bisect_right(starts, entity.start) - 1
            last = bisect_right(starts, entity.end - 1) - 1
            confidences.append(entity.score)
            right.append((entity.label, first, last) in gold)
    return Judged(confidences, right)


def tagging_confusion(task: Ner, sentences: Sequence[Tagged]) -> Confusion:
    """Token by token: each token's type, or O."""
    gold = [tag.split("-", 1)[-1] for sentence in sentences for tag in sentence.tags]
    found = [tag.split("-", 1)[-1] for tags in predicted_tags(task, sentences) for tag in tags]
    labels = [*task.bundle.manifest.labels, "O"]
    return Confusion(labels, confusion_matrix(gold, found, labels=labels))


def classification(task: Sentiment, examples: Sequence[Labelled]) -> Values:
    """Macro-averaged recall and F1 over the labels that the test set has, accuracy, recall by label.

    Where the set lacks labels that the model knows (a test of two classes), the largest of its own counts.
    """
    return classification_values(*judged_labels(task, examples))


def classification_values(gold: list[str], judged: list[tuple[str, float]]) -> Values:
    """The same, of answers that are there already."""
    found = [label for label, _ in judged]
    values = classification_overall(gold, found)
    for label, figures in classification_by_label(gold, found).items():
        values[f"recall_{label}"] = figures["recall"]
    values["calibration_error"] = calibration.error(confidence(gold, judged))
    return values


def classification_overall(gold: list[str], found: list[str]) -> Values:
    options: dict[str, Any] = {"labels": sorted(set(gold)), "average": "macro", "zero_division": 0}
    return {
        "macro_recall": round(float(label_recall(gold, found, **options)), 4),
        "macro_f1": round(float(label_f1(gold, found, **options)), 4),
        "accuracy": round(float(accuracy_score(gold, found)), 4),
    }


def classification_by_label(gold: list[str], found: list[str]) -> ByLabel:
    """For each label of the test set."""
    labels = sorted(set(gold))
    report = label_report(gold, found, labels=labels, output_dict=True, zero_division=0)
    return {label: _figures(report[label]) for label in labels}


def macro_recall(gold: NDArray[Any], found: NDArray[Any]) -> float:
    """Mean over the gold labels of the share of each that was found."""
    return float(
        label_recall(gold, found, labels=sorted(set(gold)), average="macro", zero_division=0)
    )


def predicted_labels(task: Sentiment, examples: Sequence[Labelled]) -> tuple[list[str], list[str]]:
    """Gold and predicted labels."""
    gold, judged = judged_labels(task, examples)
    return gold, [label for label, _ in judged]


def judged_labels(
    task: Sentiment, examples: Sequence[Labelled]
) -> tuple[list[str], list[tuple[str, float]]]:
    """Gold labels; predicted ones, each with its probability among the labels that the examples have."""
    texts = [example.text for example in examples]
    gold = [example.label for example in examples]
    labels = set(gold)
    judged = []
    for result in predict(task, texts, task.request(texts)):
        own = {label: score for label, score in result.scores.items() if label in labels}
        score, label = max((score, label) for label, score in own.items())
        judged.append((label, score / max(sum(own.values()), 1e-9)))
    return gold, judged


def confidence(gold: list[str], judged: list[tuple[str, float]]) -> Judged:
    """The winning label's probability among the labels that the examples have, and whether it is theirs."""
    return Judged(
        [sure for _, sure in judged],
        [label == wanted for (label, _), wanted in zip(judged, gold, strict=True)],
    )


def classification_confusion(task: Sentiment, examples: Sequence[Labelled]) -> Confusion:
    gold, found = predicted_labels(task, examples)
    labels = task.bundle.manifest.labels
    return Confusion(labels, confusion_matrix(gold, found, labels=labels))
