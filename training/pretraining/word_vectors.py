"""Learns skip-gram word vectors from plain text (Mikolov et al. 2013), with gensim.

Words are split as the tagger and the classifier split them, so that every vector finds its word. One worker thread
and a fixed seed: the same texts give the same vectors.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors, Word2Vec
from gensim.models.callbacks import CallbackAny2Vec
from numpy.typing import NDArray
from pydantic import Field
from tqdm import tqdm

from training.config import Options
from training.data.corpora import locate, read_texts
from training.data.tokenization import words_of
from training.errors import TrainingError


class Config(Options):
    text: tuple[str, ...] = ()
    """Files of plain text, a paragraph a line, or JSON lines with the field `text`; .xz too."""
    data: Path | None = None
    """Folder in which relative file names are looked up, after the current one."""
    out: Path = Path("runs/vectors.bin")
    """File to write, in word2vec's binary format."""
    dimensions: int = Field(default=100, ge=1)
    """Numbers in a vector."""
    window: int = 5
    """Words to each side that are predicted."""
    at_least: int = Field(default=5, ge=1)
    """Words seen less often get no vector."""
    epochs: int = Field(default=2, ge=1)
    """Passes over the texts."""
    web: bool = False
    """Read links, names of users and numbers as the classifier does."""
    seed: int = 1
    """The same seed and texts give the same vectors."""


def learn(config: Config) -> Path:
    """Reads the texts, learns the vectors and writes them; gives the file."""
    if not config.text:
        raise TrainingError("--text needs a file")
    paths = [locate(name, config.data) for name in config.text]
    model = Word2Vec(
        vector_size=config.dimensions,
        window=config.window,
        min_count=config.at_least,
        sg=1,
        negative=5,
        workers=1,
        seed=config.seed,
    )
    corpus = _Corpus(paths, web=config.web)
    model.build_vocab(corpus)
    if not model.wv.key_to_index:
        raise TrainingError(f"no word stands in these texts {config.at_least} times or more")
    tqdm.write(f"{model.corpus_total_words:,} words, {len(model.wv):,} of them kept")
    model.train(
        corpus,
        total_examples=model.corpus_count,
        epochs=config.epochs,
        callbacks=[_PrintEpochs()],
    )
    config.out.parent.mkdir(parents=True, exist_ok=True)
    model.wv.save_word2vec_format(str(config.out), binary=True)
    tqdm.write(f"wrote {config.out}")
    return config.out


def read_word_vectors(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Words, most frequent first, and their vectors [words, dimensions].

    Raises TrainingError if the file is not in word2vec's binary format.
    """
    try:
        vectors = KeyedVectors.load_word2vec_format(str(path), binary=True)
    except (OSError, ValueError, EOFError) as error:
        raise TrainingError(f"{path}: cannot read word vectors: {error}") from error
    return list(vectors.index_to_key), vectors.vectors


class _Corpus:
    """The files as lists of words, read again in every epoch, with a progress bar of lines."""

    def __init__(self, paths: list[Path], *, web: bool) -> None:
        self._paths, self._web = paths, web
        self._lines: int | None = None

    def __iter__(self) -> Iterator[list[str]]:
        count = 0
        with tqdm(total=self._lines, unit="line", unit_scale=True, mininterval=5) as bar:
            for path in self._paths:
                for words in words_of(read_texts(path), web=self._web):
                    count += 1
                    bar.update()
                    yield words
        self._lines = count


class _PrintEpochs(CallbackAny2Vec):  # type: ignore[misc]
    """Prints a line at the end of an epoch."""

    def __init__(self) -> None:
        self._epoch = 0

    def on_epoch_end(self, model: Word2Vec) -> None:
        self._epoch += 1
        tqdm.write(f"epoch {self._epoch} done")
