"""Many-to-one and many-to-many: a classifier word by word, and a tagger with its conditional random field."""

from pathlib import Path

import torch
from matplotlib import pyplot as plt

from training.nn.layers import FORBIDDEN
from training.understand import classifier, tagger
from training.understand.figure import FigureOptions, save
from training.understand.tagger import TAGS

REMARK = "Not a bad hotel at all ."
HELD_OUT = 500
SHADES = ("#b3352c", "#999999", "#2c7fb3")


class Config(FigureOptions):
    steps: int = 400
    """Steps of a training."""


def draw(config: Config) -> list[Path]:
    return [draw_many_to_one(config), draw_many_to_many(config)]


def draw_many_to_one(config: Config) -> Path:
    """The probability of each label after each word of one remark."""
    torch.manual_seed(config.seed)
    remarks = classifier.read_remarks(config.seed)
    held_out, known = remarks[:HELD_OUT], remarks[HELD_OUT:]
    network = classifier.Classifier(classifier.vocabulary_of(known))
    classifier.learn(network, known, steps=config.steps, seed=config.seed)
    print(f"remarks: {classifier.accuracy(network, held_out):.0%} of {len(held_out)} right")
    words = REMARK.lower().split()
    with torch.no_grad():
        probabilities = network([words])[0][0].softmax(-1).numpy()
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    for label, values, colour in zip(classifier.LABELS, probabilities.T, SHADES, strict=True):
        axes.plot(values, marker=".", label=label, color=colour)
    axes.set_xticks(range(len(words)), REMARK.split())
    axes.set(ylabel="probability", ylim=(0, 1))
    axes.legend()
    path = save(figure, config.out, "many-to-one")
    plt.close(figure)
    return path


def draw_many_to_many(config: Config) -> Path:
    """The probability of each tag of each word of one order, and the transitions that were learnt."""
    torch.manual_seed(config.seed)
    orders = tagger.read_orders("train")
    network = tagger.Tagger(tagger.words_in(orders))
    tagger.learn(network, orders, steps=config.steps, seed=config.seed)
    print(f"orders: {tagger.recall(network, tagger.read_orders('test')):.0%} of the words of names")
    shown = max(tagger.read_orders("dev"), key=lambda one: len(one.tokens))
    probabilities = tagger.marginals(network, [shown])[0]
    figure, (tags, transitions) = plt.subplots(
        1, 2, figsize=(11, 3.2), width_ratios=(3, 1), layout="constrained"
    )
    tags.imshow(probabilities.T.numpy(), aspect="auto", cmap="Blues", vmin=0, vmax=1)
    tags.set_xticks(range(len(shown.tokens)), shown.tokens, rotation=40, ha="right")
    tags.set_yticks(range(len(TAGS)), TAGS)
    tags.set_title("probability of each tag")
    scores = network.crf.potentials()[0].detach()
    largest = float(scores[scores > FORBIDDEN / 2].abs().max())
    allowed = scores.where(scores > FORBIDDEN / 2, torch.nan).numpy()
    image = transitions.imshow(allowed, cmap="RdBu_r", vmin=-largest, vmax=largest)
    figure.colorbar(image, ax=transitions)
    transitions.set_xticks(range(len(TAGS)), TAGS, rotation=90)
    transitions.set_yticks(range(len(TAGS)), TAGS)
    transitions.set(title="score from tag (row) to tag", facecolor="black")
    for axes in (tags, transitions):
        axes.grid(visible=False)
    path = save(figure, config.out, "many-to-many")
    plt.close(figure)
    return path
