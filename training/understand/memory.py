"""How long each cell can remember: the copy problem over growing gaps."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib import pyplot as plt

from training.nn.layers import CELLS, Cell
from training.understand.copy_task import SYMBOLS, Learnt, learn
from training.understand.figure import COLOURS, NAMES, FigureOptions, save


class Config(FigureOptions):
    steps: int = 2000
    """Most steps of a training, which ends once the problem is solved."""
    gaps: tuple[int, ...] = (10, 25, 50, 100, 200)
    """Steps of noise between the symbol and its recall; a training for each."""


def draw(config: Config) -> list[Path]:
    """Prints a table of accuracies, and draws them."""
    learnt = {
        cell: {gap: learn(cell, gap, steps=config.steps, seed=config.seed) for gap in config.gaps}
        for cell in CELLS
    }
    print("\n".join(table(learnt)))
    figure, (by_gap, by_step) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    longest = max(config.gaps)
    for cell, runs in learnt.items():
        style = {"color": COLOURS[cell], "label": NAMES[cell], "marker": "."}
        by_gap.plot(config.gaps, [runs[gap].accuracy for gap in config.gaps], **style)
        by_step.plot(*zip(*runs[longest].accuracies, strict=True), **style)
    by_gap.set(xlabel="steps to remember", ylabel="symbols recalled", xscale="log")
    by_gap.set_xticks(config.gaps, [str(gap) for gap in config.gaps], minor=False)
    by_gap.minorticks_off()
    by_step.set(xlabel="training steps", ylabel=f"the same, over {longest} steps")
    for axes in (by_gap, by_step):
        axes.set_ylim(0, 1.05)
        axes.axhline(1 / SYMBOLS, color="black", linewidth=0.8, linestyle=":")
        axes.text(
            0.03, 1 / SYMBOLS - 0.02, "guessing", transform=axes.get_yaxis_transform(), va="top"
        )
    by_gap.legend(loc="center left")
    path = save(figure, config.out, "memory")
    plt.close(figure)
    return [path]


def table(learnt: Mapping[Cell, Mapping[int, Learnt]]) -> list[str]:
    """Accuracies by gap, and in brackets the steps that the training took."""
    gaps = list(next(iter(learnt.values())))
    return [
        f"| steps to remember | {' | '.join(map(str, gaps))} |",
        "|---" * (len(gaps) + 1) + "|",
        *(
            f"| {NAMES[cell]} | "
            + " | ".join(f"{run.accuracy:.0%} ({run.accuracies[-1][0]})" for run in runs.values())
            + " |"
            for cell, runs in learnt.items()
        ),
    ]
