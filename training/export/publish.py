"""A trained network to a published bundle: write the graphs, check them, score them, publish.

The same steps for every task. A graph that differs from PyTorch, or whose answer for a text depends on the other
texts of its batch, is not published.
"""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from tqdm import tqdm

from service.registry import bundle
from service.registry.bundle import Bundle, Corpus, Golden, Limits, Manifest
from service.tasks.base import AnyTask
from training.config import Files, Fit, Precision
from training.evaluation.calibration import GradedPredictions
from training.evaluation.scores import Confusion, Scores
from training.export import card
from training.export.golden import golden_examples
from training.export.onnx_graph import OPSET
from training.nn.checkpoint import CHECKPOINT, History
from training.nn.distributed import by_first

_LIBRARIES = (
    "torch",
    "onnx",
    "onnxruntime",
    "tokenizers",
    "numpy",
    "seqeval",
    "scikit-learn",
    "sacrebleu",
)


def _commit() -> str:
    """The checkout's commit, with `-dirty` if the code was changed since; `unknown` outside of git."""

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        root = Path(__file__).parents[2]
        return subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, check=False
        )

    try:
        head = git("rev-parse", "HEAD")
        changed = git("diff", "--quiet", "HEAD", "--", "training", "service")
    except OSError:
        return "unknown"
    if head.returncode:
        return "unknown"
    return head.stdout.strip() + ("-dirty" if changed.returncode else "")


COMMIT = _commit()
"""Of the code that trains, read when the training starts."""


class TaskConfig(Protocol):
    """The options of any task."""

    @property
    def files(self) -> Files: ...

    @property
    def fit(self) -> Fit: ...

    @property
    def precision(self) -> Precision: ...

    def model_dump(self, *, mode: str) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Draft:
    """What a bundle's manifest and card say, beside what is measured while publishing."""

    task: str
    languages: list[str]
    labels: list[str]
    limits: Limits
    options: dict[str, Any]
    config: TaskConfig
    corpora: list[Corpus]
    history: History
    parameters: int
    device: str
    tried: Scores = field(default_factory=dict)


@by_first
def publish(
    draft: Draft,
    run: Path,
    *,
    write: Callable[[Path, Precision], None],
    check: Callable[[Path, Precision], dict[str, float]],
    load: Callable[[Bundle], AnyTask],
    score: Callable[[Any], Scores],
    confusion: Callable[[Any], Confusion] | None = None,
    predictions: Callable[[Any], Mapping[str, GradedPredictions]] | None = None,
    tune: Callable[[Any], tuple[dict[str, Any], Scores]] | None = None,
    keep_checkpoint: bool = False,
) -> Path:
    """Writes, checks, scores and publishes the next version; gives its folder.

    run: the folder of this training; its checkpoint is deleted once the bundle is there, unless it is to be
    kept for a training that goes on.
    write: writes the graphs in a precision, and the tokenizer, into a folder.
    check: compares them with PyTorch; gives the largest difference of each graph.
    load, score: the task that will serve, and its scores by test set.
    confusion: the table of labels against predictions, where the task has one.
    predictions: by test set, the confidence of each prediction and whether it is right, where there is one.
    tune: chooses options of the task on dev, where there are any to choose; gives them and what it tried.

    Raises TrainingError if a graph is not exact. Where the bundle's precision is less than float32, a
    float32 one is checked and scored beside it, and the card compares them.
    """

    def write_and_load(repository: Path, precision: Precision) -> tuple[Path, Any]:
        staged = bundle.stage(repository, draft.config.files.out.name)
        write(staged, precision)
        for graph, difference in check(staged, precision).items():
            tqdm.write(
                f"{graph}, {precision}: differs from PyTorch by at most {difference:.1e}; "
                "neighbours change nothing"
            )
        return staged, load(bundle.seal(staged, _manifest(draft, {}, [])))

    staged, task = write_and_load(draft.config.files.out.parent, draft.config.precision)
    if tune:
        chosen, tried = tune(task)
        draft = replace(draft, options=draft.options | chosen, tried=tried)
        task = load(bundle.seal(staged, _manifest(draft, {}, [])))
    float32_scores: Scores | None = None
    if draft.config.precision != "float32":
        with TemporaryDirectory() as folder:
            float32_scores = score(write_and_load(Path(folder), "float32")[1])
    results = score(task)
    manifest = _manifest(draft, results, golden_examples(task))
    card.write(
        staged,
        manifest,
        draft.history,
        confusion(task) if confusion else None,
        float32_scores,
        predictions(task) if predictions else None,
    )
    published = bundle.publish(bundle.seal(staged, manifest))
    if not keep_checkpoint:
        (run / CHECKPOINT).unlink()
    for name, values in results.items():
        shown = "  ".join(f"{key} {value}" for key, value in values.items() if key != "signature")
        tqdm.write(f"{name}: {shown}")
    tqdm.write(f"published {published.path}")
    return published.path


def _manifest(draft: Draft, results: Scores, golden: list[Golden]) -> Manifest:
    return Manifest(
        name=draft.config.files.out.name,
        task=draft.task,
        version=0,
        languages=draft.languages,
        labels=draft.labels,
        limits=draft.limits,
        opset=OPSET,
        options=draft.options,
        training=bundle.Training(
            recipe=_recipe(draft.config),
            corpora=draft.corpora,
            commit=COMMIT,
            seed=draft.config.fit.seed,
            libraries={name: version(name) for name in _LIBRARIES},
            device=draft.device,
            seconds=round(draft.history.seconds, 1),
            parameters=draft.parameters,
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            tried=draft.tried,
        ),
        scores=results,
        golden=golden,
    )


def _recipe(config: TaskConfig) -> dict[str, Any]:
    """Every option, without the folders of the machine that trained."""
    recipe = config.model_dump(mode="json")
    recipe["files"] = {
        key: value for key, value in recipe["files"].items() if key not in ("data", "out", "runs")
    }
    return recipe
