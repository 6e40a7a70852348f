"""What a user would try first for translation: leaving the source as it is, and a word-for-word table.

`python -m benchmarks.baselines_translation --recipe training/recipes/multi30k.toml --data DATA`; the options are
those of `python -m training translate`, of which only the files, the direction and the seed are looked at. Scored
as the translator is. Needs `make install`.
"""

import random
import re
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence

from training.config import parse
from training.data import corpora
from training.data.corpora import Pair
from training.evaluation.scores import Values
from training.tasks.translate import scores
from training.tasks.translate.config import Config

PAIRS = 30_000
"""Of more training pairs, so many are drawn for the table."""
ROUNDS = 4
PIECES = re.compile(r"\w+(?:['’]\w+)*['’]?|[^\w\s]|\s+")

Table = Mapping[str, str]


def main(argv: Sequence[str]) -> None:
    config = parse(Config, argv, "baselines_translation", __doc__ or "")
    files = corpora.file_options(config.files, config.fit.seed)
    data = corpora.load(corpora.read_pairs, **files)
    reverse = config.network.reverse
    train = [pair.swapped() if reverse else pair for pair in data.train]
    chance = random.Random(config.fit.seed)
    words = learnt(chance.sample(train, min(PAIRS, len(train))))
    for test, pairs in data.tests.items():
        turned = [pair.swapped() if reverse else pair for pair in pairs]
        print(f"the source as it is on {test}: {scored(turned, {})}", flush=True)
        print(f"word for word on {test}: {scored(turned, words)}", flush=True)


def scored(pairs: Sequence[Pair], words: Table) -> Values:
    """The scores of a table's translations; an empty table leaves the source as it is."""
    translations = [word_for_word(pair.text, words) for pair in pairs]
    return scores.overall(translations, [pair.other for pair in pairs])


def word_for_word(text: str, words: Table) -> str:
    """Every word by the one that the table has for it, capitals as in the text; others stay."""
    parts = []
    for piece in PIECES.findall(text):
        found = words.get(piece.lower(), piece)
        parts.append(found.capitalize() if piece[:1].isupper() and found != piece else found)
    return "".join(parts)


def learnt(pairs: Sequence[Pair]) -> dict[str, str]:
    """For every source word its likeliest translation by IBM's model 1 (Brown et al. 1993), in lower case."""
    sides = [(_words(pair.text), _words(pair.other)) for pair in pairs if pair.text and pair.other]
    chances: dict[str, dict[str, float]] = {}
    for source, target in sides:
        for word in source:
            chances.setdefault(word, {}).update(dict.fromkeys(target, 1.0))
    for _ in range(ROUNDS):
        counts: dict[str, dict[str, float]] = {word: defaultdict(float) for word in chances}
        for source, target in sides:
            for other in target:
                total = sum(chances[word][other] for word in source)
                for word in source:
                    counts[word][other] += chances[word][other] / total
        chances = {
            word: {other: count / sum(found.values()) for other, count in found.items()}
            for word, found in counts.items()
        }
    return {
        word: max(found, key=lambda each: found[each]) for word, found in chances.items() if found
    }


def _words(text: str) -> list[str]:
    return [piece.lower() for piece in PIECES.findall(text) if not piece.isspace()]


if __name__ == "__main__":
    main(sys.argv[1:])
