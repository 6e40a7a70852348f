"""Tiny corpora, written by templates, and the options of trainings that end in seconds."""

import json
import random
from itertools import product
from pathlib import Path

from training.commands import train as command

PEOPLE = [
    ("Ada", "Lovelace"),
    ("Alan", "Turing"),
    ("Marie", "Curie"),
    ("Grace", "Hopper"),
    ("Emmy", "Noether"),
    ("Max", "Planck"),
]
PLACES = ["London", "Paris", "Berlin", "Rome", "Oslo", "Lima"]
PLOTS = ["{p} lives in {l} .", "In {l} we met {p} .", "{p} wrote to {q} .", "It rained in {l} ."]

GOOD = ["good", "great", "lovely", "superb", "wonderful"]
BAD = ["bad", "awful", "boring", "terrible", "horrible"]
PLAIN = ["long", "new", "green", "wooden", "weekly"]
THINGS = ["film", "book", "song", "meal", "trip", "phone"]
JUDGEMENTS = ["The {t} was {j} .", "What a {j} {t} !", "I had a {j} {t} today ."]

NOUNS = [("cat", "chat"), ("dog", "chien"), ("baker", "boulanger"), ("king", "roi")]
COLOURS = [("black", "noir"), ("green", "vert"), ("grey", "gris")]
VERBS = [("sleeps", "dort"), ("eats", "mange"), ("sings", "chante"), ("runs", "court")]

FIT = ["--learning-rate", "0.01", "--batch-tokens", "96", "--warmup", "0.1", "--device", "cpu"]
NARROW = ["--hidden", "16", "--embedding", "16"]
OPTIONS = {
    "ner": [
        *(*FIT, *NARROW, "--epochs", "10", "--dropout", "0.1", "--at-least", "1"),
        *("--character-embedding", "8", "--character-filters", "8", "--word-characters", "10"),
    ],
    "sentiment": [*FIT, *NARROW, "--epochs", "9", "--dropout", "0.3", "--at-least", "1"],
    "translate": [
        *(*FIT, "--epochs", "30", "--hidden", "24", "--embedding", "24", "--decoder", "32"),
        *("--vocabulary", "330", "--dropout", "0.0", "--label-smoothing", "0.0"),
    ],
}


def write_corpora(folder: Path) -> Path:
    """TASK-SPLIT.txt, .jsonl or .tsv for each task and split; no text stands in two splits."""
    for task, ending, lines in (
        ("ner", "txt", ner_lines()),
        ("sentiment", "jsonl", sentiment_lines()),
        ("translate", "tsv", translate_lines()),
    ):
        random.Random(0).shuffle(lines)
        for split, part in (("dev", lines[:12]), ("test", lines[12:24]), ("train", lines[24:])):
            path = folder / f"{task}-{split}.{ending}"
            path.write_text("".join(part), encoding="utf-8", newline="\n")
    return folder


def ner_lines() -> list[str]:
    """Sentences in CoNLL, each with the blank line after it."""
    sentences = []
    for number, (person, place) in enumerate(product(PEOPLE, PLACES)):
        other = PEOPLE[(number + 1) % len(PEOPLE)]
        for plot in PLOTS[:3] if number % 6 else PLOTS:
            rows = []
            for word in plot.split():
                if word in ("{p}", "{q}"):
                    name = person if word == "{p}" else other
                    rows += [f"{name[0]}\tB-PER", f"{name[1]}\tI-PER"]
                else:
                    rows.append(f"{place}\tB-LOC" if word == "{l}" else f"{word}\tO")
            sentences.append("\n".join(rows) + "\n\n")
    return list(dict.fromkeys(sentences))


def sentiment_lines() -> list[str]:
    words = {"positive": GOOD, "negative": BAD, "neutral": PLAIN}
    return [
        json.dumps({"text": plot.format(t=thing, j=word), "label": label}) + "\n"
        for label, own in words.items()
        for word, thing, plot in product(own, THINGS, JUDGEMENTS)
        if (len(word) + len(thing) + len(plot)) % 2
    ]


def translate_lines() -> list[str]:
    lines = [
        f"The {noun[0]} {verb[0]}.\tLe {noun[1]} {verb[1]}.\n"
        for noun, verb in product(NOUNS, VERBS)
    ]
    lines += [
        f"The {colour[0]} {noun[0]} {verb[0]}.\tLe {noun[1]} {colour[1]} {verb[1]}.\n"
        for colour, noun, verb in product(COLOURS, NOUNS, VERBS)
    ]
    return lines


def files(task: str, corpora: Path) -> list[str]:
    """The options that name a task's three files."""
    ending = {"ner": "txt", "sentiment": "jsonl", "translate": "tsv"}[task]
    pairs = [
        (f"--{split}", str(corpora / f"{task}-{split}.{ending}"))
        for split in ("train", "dev", "test")
    ]
    return [word for pair in pairs for word in pair]


def arguments(task: str, corpora: Path, folder: Path, *options: str) -> list[str]:
    """All arguments of a training whose bundle goes to `folder`/models and checkpoints to `folder`/runs.

    Options given here win over the usual ones.
    """
    name = "translate-en-fr" if task == "translate" else task
    return [
        *files(task, corpora),
        *("--out", str(folder / "models" / name), "--runs", str(folder / "runs")),
        *OPTIONS[task],
        *("--threads", "1", *options),
    ]


def train(task: str, corpora: Path, folder: Path, *options: str) -> Path:
    """Trains here and now; gives the folder of the published bundle."""
    return command.main(task, arguments(task, corpora, folder, *options))
