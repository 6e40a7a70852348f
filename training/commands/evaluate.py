"""`python -m training evaluate`: scores any bundle on any file; overall, and for each label where there are any.

The answers are computed by the code that serves; nothing is trained and nothing is written.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import tyro

from service.errors import BundleError
from service.registry import bundle
from training.errors import TrainingError
from training.evaluation.loading import load_task
from training.evaluation.report import EvaluateOptions, Report
from training.tasks import part


def main(argv: Sequence[str], *, program: str = "python -m training evaluate") -> dict[str, Report]:
    """Prints the scores on each file, and gives them by the file's name."""
    options = tyro.cli(
        options_for(argv),
        args=list(argv),
        prog=program,
        description="Scores a bundle on files in the format of its task, whose options `BUNDLE --help` lists.",
    )
    if not options.files:
        raise TrainingError("name at least one file to score on")
    task = load_task(options.bundle)
    manifest = task.bundle.manifest
    evaluate = part(manifest.task, "evaluate").evaluate
    reports: dict[str, Report] = {name: evaluate(task, name, options) for name in options.files}
    title = f"{manifest.name}/{manifest.version}"
    if options.as_json:
        files = {name: asdict(report) for name, report in reports.items()}
        print(json.dumps({"bundle": title, "task": manifest.task, "files": files}, indent=1))
    else:
        for name, report in reports.items():
            print(f"{title} on {name}: {report.examples:,} examples\n")
            print("\n".join(table(report)) + "\n")
    return reports


def options_for(argv: Sequence[str]) -> type[EvaluateOptions]:
    """The options of the task whose bundle is named first, or those of every task if none is."""
    for argument in argv:
        try:
            task = bundle.read_manifest(Path(argument)).task
        except BundleError:
            continue
        options: type[EvaluateOptions] = part(task, "evaluate").EvaluateOptions
        return options
    return EvaluateOptions


def table(report: Report) -> list[str]:
    """The lines of a report: a figure a line, then one line for each label."""
    width = max(map(len, [*report.overall, *report.by_label]))
    lines = [f"{name:{width}}  {value}" for name, value in report.overall.items()]
    if report.by_label:
        lines += ["", f"{'label':{width}}  precision  recall      f1  support"]
        lines += [
            f"{label:{width}}  {row['precision']:9.4f}  {row['recall']:6.4f}  {row['f1']:6.4f}"
            f"  {row['support']:7}"
            for label, row in report.by_label.items()
        ]
    return lines
