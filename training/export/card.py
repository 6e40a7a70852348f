"""Writes a bundle's `card.md` and its pictures: training curves and, where labels are few, a confusion table."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from service.registry.bundle import Manifest
from service.tasks import specs
from training.data import guidelines
from training.evaluation import calibration
from training.evaluation.calibration import GradedPredictions
from training.evaluation.scores import Confusion
from training.nn.checkpoint import History


def write(
    folder: Path,
    manifest: Manifest,
    history: History | None,
    confusion: Confusion | None,
    float32_scores: Mapping[str, Mapping[str, float | str]] | None,
    predictions: Mapping[str, GradedPredictions] | None = None,
) -> None:
    """`card.md`, `curves.png` and, if there is one, `confusion.png` into `folder`.

    history: of the training; None if `curves.png` is there already.
    predictions: by test set, what `reliability.png` shows; none without.
    float32_scores: of a bundle of less precision, what it scores in float32.
    """
    if history:
        _curves(folder / "curves.png", history)
    training = manifest.training
    notes = training.recipe.get("notes")
    lines = [
        f"# {manifest.name}",
        "",
        f"{specs()[manifest.task].about} Languages: {', '.join(manifest.languages)}.",
        "",
        *([f"Labels: {', '.join(manifest.labels)}.", ""] if manifest.labels else []),
        "## Scores",
        "",
        "Computed for this bundle, by the code that serves it.",
        "",
        *_score_table(manifest, float32_scores),
        "",
        *(["## Strengths and weaknesses", "", str(notes), ""] if notes else []),
        *_tried(training.tried),
        *_lexicon(folder / str(manifest.options.get("lexicon"))),
        *_guidelines(training.recipe.get("guidelines", {})),
        "## Training data",
        "",
        "| file | split | examples | licence |",
        "|---|---|---|---|",
        *(
            f"| {corpus.file} | {corpus.split} | {corpus.examples:,} | {corpus.licence or 'not stated'} |"
            for corpus in training.corpora
        ),
        "",
        f"{training.parameters:,} parameters, trained for {training.seconds / 60:.1f} minutes on "
        f"{training.device}, seed {training.seed}, commit `{training.commit[:12]}`. "
        "The full recipe is in `manifest.json`.",
        "",
        "## Curves",
        "",
        "![Training loss and dev score](curves.png)",
    ]
    if predictions:
        calibration.draw_reliability(folder / "reliability.png", predictions)
        lines += [
            "",
            "## Confidence",
            "",
            "Of the predictions with a score of 0.8, 80 % should be right: the closer to the diagonal, the "
            "better.",
            "",
            "![Share of correct predictions by confidence](reliability.png)",
        ]
    if confusion:
        _confusion(folder / "confusion.png", confusion)
        lines += ["", "## Confusion", "", "![Labels against predictions](confusion.png)"]
    (folder / "card.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _tried(settings: Mapping[str, Mapping[str, float | str]]) -> list[str]:
    if not settings:
        return []
    metrics = list(next(iter(settings.values())))
    return [
        "## Search settings on dev",
        "",
        "The bundle uses the best setting for its beam width; a wider beam takes more time.",
        "",
        f"| setting | {' | '.join(metrics)} |",
        f"|---|{'---|' * len(metrics)}",
        *(
            f"| {setting} | {' | '.join(str(values[metric]) for metric in metrics)} |"
            for setting, values in settings.items()
        ),
        "",
    ]


def _lexicon(path: Path) -> list[str]:
    if not path.is_file():
        return []
    count = len(path.read_text("utf-8").splitlines())
    return [
        "## Words and short phrases",
        "",
        f"A sentence that is nothing but one of {count:,} words and phrases is not translated by the network but "
        f"looked up in `{path.name}`, made of pairs written for this project; its score is 0, as sure as can be. "
        "Scores on sets of single words and greetings are those of this list more than of the network.",
        "",
    ]


def _guidelines(rules: Mapping[str, str]) -> list[str]:
    if not rules:
        return []
    return [
        "## What counts as a name",
        "",
        "The corpora disagree; these rules reconcile them (`training/data/guidelines.py`). Each test set is "
        "scored with its own annotation and, where the rules change it, `reconciled`.",
        "",
        *guidelines.described(rules),
        "",
    ]


def _score_table(
    manifest: Manifest, float32_scores: Mapping[str, Mapping[str, float | str]] | None
) -> list[str]:
    precision = manifest.training.recipe["precision"]
    lines = ["| test set | metric | value |", "|---|---|---|"]
    if float32_scores:
        lines = [f"| test set | metric | {precision} | float32 |", "|---|---|---|---|"]
    for name, values in manifest.scores.items():
        for metric, value in values.items():
            both = [value, *([float32_scores[name][metric]] if float32_scores else [])]
            shown = (f"{one:.4g}" if isinstance(one, float) else str(one) for one in both)
            lines.append(f"| {name} | {metric} | {' | '.join(shown)} |")
    if float32_scores:
        lines += [
            "",
            f"This bundle computes in {precision}; the last column has the scores in float32.",
        ]
    return lines


def _curves(path: Path, history: History) -> None:
    figure, left = plt.subplots(figsize=(7, 3.5), layout="constrained")
    epochs = [point.epoch for point in history.points]
    left.plot(epochs, [point.loss for point in history.points], color="#1f5fa8", marker=".")
    left.set_xlabel("epoch")
    left.set_ylabel("training loss", color="#1f5fa8")
    right = left.twinx()
    right.plot(epochs, [point.score for point in history.points], color="#c2571a", marker=".")
    right.set_ylabel("dev score", color="#c2571a")
    right.axvline(history.best.epoch, color="#999999", linewidth=0.8, linestyle="--")
    left.grid(alpha=0.25)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _confusion(path: Path, confusion: Confusion) -> None:
    shares = confusion.counts / confusion.counts.sum(axis=1, keepdims=True).clip(1)
    size = 2.2 + 0.55 * len(confusion.labels)
    figure, axes = plt.subplots(figsize=(size, size), layout="constrained")
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(confusion.labels))
    axes.set_xticks(ticks, confusion.labels, rotation=45, ha="right")
    axes.set_yticks(ticks, confusion.labels)
    axes.set_xlabel("predicted")
    axes.set_ylabel("gold")
    for row in ticks:
        for column in ticks:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(
                column,
                row,
                f"{confusion.counts[row, column]}\n{shares[row, column]:.0%}",
                ha="center",
                va="center",
                color=colour,
                fontsize=8,
            )
    figure.savefig(path, dpi=110)
    plt.close(figure)
