"""What a user would try first for sentiment: TF-IDF with logistic regression, and fastText, on a recipe's files.

`python -m benchmarks.baselines_sentiment --recipe training/recipes/sst2.toml --data DATA`; the options are those
of `python -m training sentiment`, of which only the files and the seed are looked at. Scored as the classifier
is. Needs `make install`, and `pip install fasttext-wheel==0.9.2` beside it.
"""

import random
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from training.config import parse
from training.data import corpora
from training.data.corpora import Labelled
from training.data.tokenization import words_of
from training.evaluation.scores import Values
from training.tasks.sentiment import scores
from training.tasks.sentiment.config import Config

Classifier = Callable[[list[str]], tuple[list[str], NDArray[np.float64]]]
"""Texts -> labels, and the probability of each for each text."""


def main(argv: Sequence[str]) -> None:
    config = parse(Config, argv, "baselines_sentiment", __doc__ or "")
    data = corpora.load(
        corpora.read_labelled, **corpora.file_options(config.files, config.fit.seed)
    )
    for name, learn in (("TF-IDF + logistic regression", tf_idf), ("fastText", fast_text)):
        classify = learn(data, config.fit.seed)
        for test, examples in data.tests.items():
            print(f"{name} on {test}: {scored(classify, examples)}", flush=True)


def scored(classify: Classifier, examples: Sequence[Labelled]) -> Values:
    gold = [example.label for example in examples]
    found = best_of(set(gold), *classify([example.text for example in examples]))
    return scores.overall(gold, found)


def best_of(own: set[str], labels: list[str], chances: NDArray[np.float64]) -> list[str]:
    """The likeliest label of each text among those that the test set has."""
    columns = [column for column, label in enumerate(labels) if label in own]
    return [labels[columns[best]] for best in chances[:, columns].argmax(1)]


def tf_idf(data: corpora.Data[Labelled], seed: int) -> Classifier:
    """One and two words, and three to five characters within a word."""
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=(3, 5),
            min_df=3,
            max_features=200_000,
            sublinear_tf=True,
        ),
    )
    model = make_pipeline(features, LogisticRegression(C=3.0, max_iter=300, random_state=seed))
    model.fit([one.text for one in data.train], [one.label for one in data.train])
    return lambda texts: (list(model.classes_), model.predict_proba(texts))


def fast_text(data: corpora.Data[Labelled], seed: int) -> Classifier:
    """Supervised fastText (Joulin et al. 2017) over one and two words; its passes are chosen on dev."""
    import fasttext

    train = random.Random(seed).sample(
        data.train, len(data.train)
    )  # it reads in the order it is given
    labels = sorted({example.label for example in train})

    def lines(texts: Iterable[str]) -> Iterator[str]:
        return map(" ".join, words_of(texts, web=True))

    def learnt(path: Path, passes: int) -> Classifier:
        options = {"dim": 50, "lr": 0.25, "wordNgrams": 2, "minCount": 2, "thread": 1, "verbose": 0}
        model = fasttext.train_supervised(str(path), epoch=passes, seed=seed, **options)

        def classify(texts: list[str]) -> tuple[list[str], NDArray[np.float64]]:
            chances = np.zeros((len(texts), len(labels)))
            for row, line in enumerate(lines(texts)):
                # its own `predict` does not know NumPy 2
                for chance, label in model.f.predict(line + "\n", len(labels), 0.0, "strict"):
                    chances[row, labels.index(label.removeprefix("__label__"))] = chance
            return labels, chances

        return classify

    with TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        spoken = zip(train, lines(example.text for example in train), strict=True)
        rows = (f"__label__{example.label} {line}\n" for example, line in spoken)
        path.write_text("".join(rows), encoding="utf-8")
        tried = [learnt(path, passes) for passes in (2, 5, 10)]
    return max(tried, key=lambda classify: float(scored(classify, data.dev)["macro_recall"]))


if __name__ == "__main__":
    main(sys.argv[1:])
