"""Scores of a tagger by seqeval: of the answers of a loaded bundle, on the corpus's own tokens."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import get_args

from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2
from sklearn.metrics import confusion_matrix
from tokenizers import Tokenizer

from service.tasks.base import predict
from service.tasks.ner.messages import Entity, NerResult
from service.tasks.ner.task import Ner
from training.data.corpora import Tagged
from training.evaluation import calibration
from training.evaluation.calibration import GradedPredictions
from training.evaluation.perturbations import Perturbation, perturb
from training.evaluation.scores import ByLabel, Confusion, Values, label_figures

_STRICT = {"mode": "strict", "scheme": IOB2, "zero_division": 0}


def score(task: Ner, sentences: Sequence[Tagged]) -> Values:
    """Entity precision, recall and F1 (exact span and label, micro average), and F1 by label."""
    gold = [list(sentence.tags) for sentence in sentences]
    answers = _entities(task, sentences)
    found = _tags(sentences, answers)
    values = overall(gold, found)
    for label, figures in by_label(gold, found).items():
        values[f"f1_{label}"] = figures["f1"]
    values["calibration_error"] = calibration.expected_error(_graded(sentences, answers))
    return values


def overall(gold: list[list[str]], found: list[list[str]]) -> Values:
    """Micro-averaged over all entities."""
    return {
        "f1": round(f1_score(gold, found, **_STRICT), 4),
        "precision": round(precision_score(gold, found, **_STRICT), 4),
        "recall": round(recall_score(gold, found, **_STRICT), 4),
    }


def by_label(gold: list[list[str]], found: list[list[str]]) -> ByLabel:
    """For each entity type that was wanted or found; {} if there is no gold entity at all."""
    if all(tag == "O" for tags in gold for tag in tags):
        return {}
    report = classification_report(gold, found, output_dict=True, **_STRICT)
    return {
        label: label_figures(row) for label, row in report.items() if not label.endswith(" avg")
    }


def entity_f1(gold: list[list[str]], found: list[list[str]]) -> float:
    """Micro-averaged F1 of exact spans with their labels."""
    return float(f1_score(gold, found, **_STRICT))


def predicted_tags(task: Ner, sentences: Sequence[Tagged]) -> list[list[str]]:
    """IOB2 tags of the corpus's own tokens, from the entities found in the text of each sentence.

    A token belongs to an entity that covers any of its characters.
    """
    return _tags(sentences, _entities(task, sentences))


def _entities(task: Ner, sentences: Sequence[Tagged]) -> list[list[Entity]]:
    """What is found in each sentence, of the labels that are annotated there."""
    texts = [sentence.text for sentence in sentences]
    answers: Sequence[NerResult] = predict(task, texts, task.request(texts))
    return [
        [one for one in answer.entities if known is None or one.label in known]
        for answer, known in zip(answers, (one.annotated for one in sentences), strict=True)
    ]


def _tags(sentences: Sequence[Tagged], answers: Sequence[Sequence[Entity]]) -> list[list[str]]:
    tagged = []
    for sentence, found in zip(sentences, answers, strict=True):
        tags, start = [], 0
        entities = iter(found)
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


def graded_predictions(task: Ner, sentences: Sequence[Tagged]) -> GradedPredictions:
    """Of each entity found: its probability, and whether exactly these tokens are an entity of that label."""
    return _graded(sentences, _entities(task, sentences))


def _graded(sentences: Sequence[Tagged], answers: Sequence[Sequence[Entity]]) -> GradedPredictions:
    confidences, right = [], []
    for sentence, found in zip(sentences, answers, strict=True):
        gold = set(get_entities(list(sentence.tags)))
        starts = [0, *accumulate(len(token) + 1 for token in sentence.tokens)]
        for entity in found:
            first = bisect_right(starts, entity.start) - 1
            last = bisect_right(starts, entity.end - 1) - 1
            confidences.append(entity.score)
            right.append((entity.label, first, last) in gold)
    return GradedPredictions(confidences, right)


def confusion(task: Ner, sentences: Sequence[Tagged]) -> Confusion:
    """Token by token: each token's type, or O."""
    gold = [tag.split("-", 1)[-1] for sentence in sentences for tag in sentence.tags]
    found = [tag.split("-", 1)[-1] for tags in predicted_tags(task, sentences) for tag in tags]
    labels = [*task.bundle.manifest.labels, "O"]
    return Confusion(labels, confusion_matrix(gold, found, labels=labels))


def known_words(task: Ner) -> Callable[[str], bool]:
    """Whether a bundle has a vector for a word."""
    tokenizer = Tokenizer.from_file(str(task.bundle.file("tokenizer.json")))
    return lambda word: tokenizer.token_to_id(word) is not None


def test_sets(
    task: Ner,
    written: Mapping[str, list[Tagged]],
    reconciled: Mapping[str, list[Tagged]],
) -> dict[str, list[Tagged]]:
    """What the bundle is scored on: each test set as its corpus has it, after our rules where these change it,
    and perturbations of the latter: other cases and invented names."""
    known = known_words(task)
    everything = {}
    for name, sentences in reconciled.items():
        everything[name] = written[name]
        if sentences != written[name]:
            everything[f"{name}, reconciled"] = sentences
        for perturbation in get_args(Perturbation)[1:]:
            everything[f"{name}, {perturbation}"] = perturb(sentences, perturbation, known=known)
    return everything
