"""The tables, the files and the picture of a run."""

import json
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from benchmarks.overload import DEADLINE_MS
from benchmarks.rows import Plan, Row

SUMMARY = (
    *("ner-LitServe", "ner-FastAPI def", "ner-one-connection"),
    *("translate-in-process", "overload-goodput"),
)
"""The rows that the project's README shows: throughput, latency, translation and overload."""

MARKS = ("<!-- benchmarks -->", "<!-- /benchmarks -->")
"""A page shows a table between these."""

LIBRARIES = (
    *("onnxruntime", "fastapi", "uvicorn", "uvloop", "tokenizers", "numpy"),
    *("litserve", "bentoml", "ray", "ctranslate2"),
)


def circumstances(plan: Plan, commit: str) -> dict[str, Any]:
    """On what, of what and how this was measured."""

    def installed(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return "not installed"

    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in cpuinfo if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "cpu": f"{len(models)} x {models[0] if models else platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: installed(name) for name in LIBRARIES},
        "plan": plan.__dict__,
    }


def save(folder: Path, measure: str, rows: list[Row], about: dict[str, Any]) -> None:
    """`MEASURE.json`: every row with the figures of every turn."""
    content = {**about, "rows": [row.as_dict() for row in rows]}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{measure}.json").write_text(json.dumps(content, indent=1) + "\n")


def kept(folder: Path, measures: Sequence[str]) -> list[Row]:
    """The rows of the results in `folder`, in the order of `measures`; a new measure has none yet."""
    files = [folder / f"{measure}.json" for measure in measures]
    contents = [json.loads(file.read_text()) for file in files if file.exists()]
    return [
        Row(**{name: fields[name] for name in fields if name != "met"})
        for content in contents
        for fields in content["rows"]
    ]


def table(rows: Sequence[Row]) -> str:
    """All rows as a Markdown table, with the median of ours and of the other, from the least to the most."""
    lines = [
        "| measure | ours | other | result | floor | goal | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [row.measure, _shown(row.ours), _shown(row.theirs), *_result(row)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def summary(rows: Sequence[Row]) -> str:
    """The rows of `SUMMARY` as a Markdown table, without the figures behind each result."""
    named = {row.name: row for row in rows}
    shown = ([named[name].measure, *_result(named[name])] for name in SUMMARY)
    lines = ["| measure | result | floor | goal | verdict |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(cells)} |" for cells in shown]
    return "\n".join(lines)


def put(page: Path, content: str, marks: tuple[str, str] = MARKS) -> None:
    """Replace what stands between these marks in a page. Raises ValueError if it has none."""
    text = page.read_text(encoding="utf-8")
    before, first, rest = text.partition(marks[0])
    _, last, after = rest.partition(marks[1])
    if not last:
        raise ValueError(f"{page} has no {' ... '.join(marks)}")
    page.write_text(f"{before}{first}\n{content}\n{last}{after}", encoding="utf-8")


def _result(row: Row) -> list[str]:
    limits = ("" if limit is None else f"{limit:g}" for limit in (row.floor, row.goal))
    return [f"{row.value:.3g} {row.unit}", *limits, row.verdict]


def _shown(values: list[float]) -> str:
    if not values:
        return ""
    middle = _figure(statistics.median(values))
    if len(values) < 2:
        return middle
    return f"{middle} ({_figure(min(values))} to {_figure(max(values))})"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def picture(path: Path, rows: list[Row]) -> None:
    """Latency percentiles over offered load, ours and the peers'."""
    curves = [row for row in rows if row.points]
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for row, colour in zip(curves, ("#1f5fa8", "#c2571a", "#4a8f3c"), strict=False):
        name = row.name.removeprefix("curve-") if row.name.startswith("curve-") else "TextLoom"
        for percentile, style in (("p50", "-"), ("p99", "--")):
            points = [point for point in row.points if point[percentile] > 0]
            axes.plot(
                [point["offered"] for point in points],
                [1000 * point[percentile] for point in points],
                style,
                color=colour,
                marker=".",
                label=f"{name}, {percentile}",
            )
    axes.axhline(DEADLINE_MS, color="#999999", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_xlabel("offered load, requests a second (texts of 5 to 400 tokens, /ner)")
    axes.set_ylabel("latency from when a request was due, ms")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)
