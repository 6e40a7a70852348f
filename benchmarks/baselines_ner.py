"""What a user would try first for names: spaCy's tagger, trained from scratch on a recipe's files and vectors.

`python -m benchmarks.baselines_ner --recipe training/recipes/ner-conll2003.toml --data DATA`; the options are
those of `python -m training ner`, of which only the files, the guidelines, the vectors, the epochs and the seed
are looked at. Network and schedule are those of spaCy's own recipe for accuracy, which keeps the weights that
are best on dev; it is scored as the tagger is, on the corpus's own tokens.
Needs `make install`, and `pip install spacy==3.8.18` beside it.
"""

import sys
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from training.config import Fit, parse
from training.data import corpora, guidelines
from training.data.corpora import Tagged
from training.data.tokenization import words_of
from training.pretraining.warm_start import Pretrained, read_pretrained
from training.tasks.ner import scores
from training.tasks.ner.config import Config


def main(argv: Sequence[str]) -> None:
    config = parse(Config, argv, "baselines_ner", __doc__ or "")
    read = partial(guidelines.read, guidelines=config.guidelines, annotated=config.annotated)
    data = corpora.load(read, **corpora.file_options(config.files, config.fit.seed))
    vectors = read_pretrained(config.network.vectors, config.network.embedding)
    with TemporaryDirectory() as folder:
        tagger = spacy_tagger(data, vectors, config.fit, Path(folder))
    for test, sentences in data.tests.items():
        gold = [list(sentence.tags) for sentence in sentences]
        print(f"spaCy on {test}: {scores.overall(gold, tagged(tagger, sentences))}")


def spacy_tagger(
    data: corpora.Data[Tagged], vectors: Pretrained | None, fit: Fit, folder: Path
) -> Any:
    """A pipeline of the tagger alone, with its convolutions over hashed words and, if there are any, vectors."""
    import spacy
    from spacy.cli.init_config import init_config
    from spacy.cli.train import train
    from spacy.tokens import DocBin
    from spacy.vectors import Vectors

    blank = spacy.blank("en")
    for name, sentences in (("train", data.train), ("dev", data.dev)):
        documents = DocBin(docs=[_document(blank, sentence) for sentence in sentences])
        documents.to_disk(folder / f"{name}.spacy")
    if vectors:
        examples = [*data.train, *data.dev, *chain.from_iterable(data.tests.values())]
        table = Vectors(strings=blank.vocab.strings, data=vectors.table, keys=vectors.words)
        for token, row in rows(vectors.words, examples).items():
            table.add(token, row=row)
        blank.vocab.vectors = table
        blank.to_disk(folder / "vectors")
    config = init_config(lang="en", pipeline=["ner"], optimize="accuracy", gpu=False)
    config["components"]["tok2vec"]["model"]["embed"]["include_static_vectors"] = bool(vectors)
    config["initialize"]["vectors"] = str(folder / "vectors") if vectors else None
    config["training"]["seed"] = fit.seed
    config["training"]["max_epochs"] = fit.epochs
    config.to_disk(folder / "config.cfg")
    files = {f"paths.{name}": str(folder / f"{name}.spacy") for name in ("train", "dev")}
    train(folder / "config.cfg", folder / "out", overrides=files)
    return spacy.load(folder / "out" / "model-best")


def rows(known: Sequence[str], sentences: Iterable[Tagged]) -> dict[str, int]:
    """Of each token that is one word, as the corpora write it, the row of its vector: those have small letters
    and one digit, and spaCy looks tokens up as they stand."""
    places = {word: row for row, word in enumerate(known)}
    tokens = sorted({token for sentence in sentences for token in sentence.tokens})
    read = zip(tokens, words_of(tokens), strict=True)
    return {
        token: places[words[0]] for token, words in read if len(words) == 1 and words[0] in places
    }


def _document(blank: Any, sentence: Tagged) -> Any:
    from spacy.tokens import Doc, Span

    document = Doc(blank.vocab, words=list(sentence.tokens))
    spans = guidelines.spans_of(sentence.tags)
    document.ents = [Span(document, first, end, label=label) for first, end, label in spans]
    return document


def tagged(tagger: Any, sentences: Sequence[Tagged]) -> list[list[str]]:
    """IOB2 tags of the corpus's own tokens."""
    documents = tagger.pipe(_document(tagger, Tagged(one.tokens, ())) for one in sentences)
    return [
        list(
            guidelines.tags_of(
                [(span.start, span.end, span.label_) for span in document.ents], len(document)
            )
        )
        for document in documents
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
