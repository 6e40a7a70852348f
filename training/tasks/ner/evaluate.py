"""A tagger's scores on a file, for `training evaluate`."""

from functools import partial
from typing import Annotated

import tyro

from service.tasks.ner.task import Ner
from training.data import guidelines
from training.data.corpora import Tagged
from training.evaluation import calibration, report
from training.evaluation.perturbations import Perturbation, perturb
from training.evaluation.report import Report
from training.tasks.ner import scores


class EvaluateOptions(report.EvaluateOptions):
    reconciled: bool = False
    """Applies the rules that the bundle was trained with (training/data/guidelines.py)."""
    annotated: tuple[str, ...] = ()
    """Labels that the files have, if not all of the bundle's: what it finds of the others does not count. Corpora
    that the bundle was trained or scored on have those of its recipe."""
    perturbation: Annotated[Perturbation, tyro.conf.arg(name="copy")] = "written"
    """Scores on a copy in another case, or with invented names (training/evaluation/perturbations.py)."""


def evaluate(task: Ner, name: str, options: EvaluateOptions) -> Report:
    recipe = task.bundle.manifest.training.recipe
    rules = recipe.get("guidelines", {}) if options.reconciled else {}
    annotated = recipe.get("annotated", {})
    if options.annotated:
        annotated = {"": " ".join(options.annotated)}
    read = partial(guidelines.read, guidelines=rules, annotated=annotated)
    sentences: list[Tagged] = report.read_examples(read, name, options)
    sentences = perturb(sentences, options.perturbation, known=scores.known_words(task))
    gold = [list(sentence.tags) for sentence in sentences]
    report.check_labels(task, name, {tag[2:] for tags in gold for tag in tags if tag != "O"})
    found = scores.predicted_tags(task, sentences)
    graded = scores.graded_predictions(task, sentences)
    return Report(
        examples=len(sentences),
        overall=scores.overall(gold, found)
        | {"calibration_error": calibration.expected_error(graded)},
        by_label=scores.by_label(gold, found),
    )
