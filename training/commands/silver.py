"""`python -m training silver`: silver labels for a tagger, from the articles of an encyclopedia."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field
from tqdm import tqdm

from service.registry.bundle import read
from service.tasks.base import predict
from service.tasks.ner.task import Ner
from training.config import Options, parse
from training.data.corpora import locate
from training.data.silver_labels import (
    NOUNS,
    articles,
    label_sentence,
    sentences_about,
    subject_of,
)
from training.errors import TrainingError


class Config(Options):
    text: tuple[str, ...] = ()
    """Files of articles, a paragraph a line and a blank line between articles; .xz too."""
    data: Path | None = None
    """Folder in which relative file names are looked up, after the current one."""
    bundle: Path = Path("models/ner/1")
    """Folder of the version of a tagger that labels the other names."""
    out: Path = Path("runs/silver.txt")
    """File to write, in CoNLL's two columns."""
    each: Annotated[int, Field(ge=1)] = 5000
    """Most articles about people, about places, about organisations, and about other things."""
    sure: float = 0.6
    """A sentence with a name of a lower score is left out."""
    seed: int = 1
    """Chooses the articles."""


def main(argv: Sequence[str]) -> Path:
    """Finds the articles, labels their sentences and writes them; gives the file."""
    config = parse(Config, argv, "silver", "Labels sentences of an encyclopedia automatically.")
    if not config.text:
        raise TrainingError("--text needs a file")
    paths = [locate(name, config.data) for name in config.text]
    found: dict[str, list[tuple[str, str, list[str]]]] = {label: [] for label in NOUNS}
    for path in paths:
        for paragraphs in tqdm(articles(path), unit="article", mininterval=5):
            if subject := subject_of(paragraphs[0]):
                name, label = subject
                if sentences := sentences_about(name, label, paragraphs):
                    found[label].append((name, label, sentences))
    rng = random.Random(config.seed)
    chosen = [one for few in found.values() for one in rng.sample(few, min(len(few), config.each))]
    if not chosen:
        raise TrainingError("no article says in its first sentence what it is about")
    task = Ner(read(config.bundle.resolve()))
    texts = [text for _, _, sentences in chosen for text in sentences]
    subjects = [(name, label) for name, label, sentences in chosen for _ in sentences]
    answers = predict(task, texts, task.request(texts))
    lines = []
    for text, (name, label), answer in zip(texts, subjects, answers, strict=True):
        if rows := label_sentence(text, name, label, answer.entities, config.sure):
            lines.append("".join(f"{word}\t{tag}\n" for word, tag in rows) + "\n")
    config.out.parent.mkdir(parents=True, exist_ok=True)
    config.out.write_text("".join(lines), encoding="utf-8")
    tqdm.write(f"wrote {len(lines):,} sentences to {config.out}")
    return config.out
