"""A trained network to a published bundle: write the graphs, check them, score them, publish.

The same steps for every task. A graph that strays from PyTorch, or whose answer for a text depends on the
text's neighbours, is not published.
"""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from service import bundle
from service.bundle import Bundle, Corpus, Golden, Limits, Manifest, TaskName
from service.session import Session
from service.tasks import AnyTask
from service.tasks.common import predict
from training import card
from training.config import Files, Fit, Precision
from training.errors import TrainingError
from training.evaluation.calibration import GradedPredictions
from training.evaluation.scores import Confusion, Scores
from training.graph import OPSET
from training.nn.fit import CHECKPOINT, History

TOLERANCE = 1e-4
"""Largest difference allowed between a float32 graph and PyTorch; relative for values over 1."""

INT8_TOLERANCE = 0.05
"""Root mean square of an int8 graph's differences from PyTorch, relative to that of PyTorch's values."""

GOLDEN = (
    "",
    "Marie Curie was born in Warsaw and worked in Paris.",
    "The food was good, but the service at Luigi's was terrible.",
    "not bad at all!!! 😀",
    "The meeting is on Tuesday at 10:30.",
    "Where is the nearest railway station?",
    "Le musée est fermé le lundi.\n\nMerci, à bientôt !",
    "EVERYTHING IN CAPITALS, FROM LONDON TO 東京",
    "write to anna.smith@example.org  or see https://example.org/a?b=1",
    "café e\u0301te\u0301 \u200d مرحبا 42 %\r\n\tend",
)
"""Inputs of the golden examples: of no corpus, so that no bundle gives away its owner's texts."""

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
        root = Path(__file__).parents[1]
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
"""Of the code that trains: read when the training starts."""

Arrays = Mapping[str, NDArray[Any]]


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

    task: TaskName
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
) -> Path:
    """Writes, checks, scores and publishes the next version; gives its folder.

    run: the folder of this training; its checkpoint is deleted once the bundle is there.
    write: puts the graphs in a precision, and the tokenizer, into a folder.
    check: compares them with PyTorch; gives the largest difference of each graph.
    load, score: the task that will serve, and its scores by test set.
    confusion: the table of labels against predictions, where the task has one.
    tune: chooses options with the task on dev, where it has any to choose; gives them and what it tried.
    predictions: by test set, how sure and how right the predictions are, where they have a confidence.

    Raises TrainingError if a graph is not exact. Where the bundle's precision is less than float32, a
    float32 one is checked and scored beside it, and the card compares them.
    """

    def made(repository: Path, precision: Precision) -> tuple[Path, Any]:
        staged = bundle.stage(repository, draft.config.files.out.name)
        write(staged, precision)
        for graph, difference in check(staged, precision).items():
            tqdm.write(
                f"{graph}, {precision}: differs from PyTorch by at most {difference:.1e}; "
                "neighbours change nothing"
            )
        return staged, load(bundle.seal(staged, _manifest(draft, {}, [])))

    staged, task = made(draft.config.files.out.parent, draft.config.precision)
    if tune:
        chosen, tried = tune(task)
        draft = replace(draft, options=draft.options | chosen, tried=tried)
        task = load(bundle.seal(staged, _manifest(draft, {}, [])))
    whole: Scores | None = None
    if draft.config.precision != "float32":
        with TemporaryDirectory() as folder:
            whole = score(made(Path(folder), "float32")[1])
    results = score(task)
    manifest = _manifest(draft, results, golden_examples(task))
    card.write(
        staged,
        manifest,
        draft.history,
        confusion(task) if confusion else None,
        whole,
        predictions(task) if predictions else None,
    )
    published = bundle.publish(bundle.seal(staged, manifest))
    (run / CHECKPOINT).unlink()
    for name, values in results.items():
        shown = "  ".join(f"{key} {value}" for key, value in values.items() if key != "signature")
        tqdm.write(f"{name}: {shown}")
    tqdm.write(f"published {published.path}")
    return published.path


def golden_examples(task: AnyTask) -> list[Golden]:
    """What the task answers to GOLDEN."""
    answers = predict(task, GOLDEN, task.request(list(GOLDEN)))
    return [
        Golden(input=text, answer=answer.model_dump(mode="json"))
        for text, answer in zip(GOLDEN, answers, strict=True)
    ]


def check_graph(
    session: Session,
    feeds: Arrays,
    expected: Arrays,
    alone: Callable[[int], Arrays],
    rows: int,
    precision: Precision,
) -> float:
    """Checks one batch of a graph; gives its largest difference from PyTorch, relative for values over 1.

    expected: PyTorch's outputs by name. alone: the feeds of one row by itself, padded as it would be alone.
    Raises TrainingError if an output strays by TOLERANCE (INT8_TOLERANCE), or a row alone is not
    bit-identical, which it must be in any precision.
    """
    outputs = dict(zip(session.outputs, session.run(feeds), strict=True))
    worst = 0.0
    for name, wanted in expected.items():
        scale = max(1.0, float(np.abs(wanted).max()))
        strays = outputs[name] - wanted
        difference = float(np.abs(strays).max()) / scale
        worst = max(worst, difference)
        share = float(np.sqrt(np.square(strays).mean() / np.square(wanted).mean()))
        if not (difference < TOLERANCE if precision == "float32" else share < INT8_TOLERANCE):
            raise TrainingError(f"the graph's {name} differs from PyTorch's by {difference:.2e}")
    for row in range(rows):
        single = dict(zip(session.outputs, session.run(alone(row)), strict=True))
        for name in expected:
            own = single[name][0]
            among = outputs[name][row][tuple(slice(size) for size in own.shape)]
            if not np.array_equal(own, among):
                off = float(np.abs(own - among).max())
                raise TrainingError(f"the graph's {name} depends on batch neighbours: by {off:.2e}")
    return worst


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
