"""Makes the word list of a bundle from the training targets (service/tasks/translate/spelling.py)."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from service.tasks.translate.spelling import WORD
from training.data.parallel import Corpus


def words(corpora: Iterable[Corpus], at_least: int, known: Iterable[str] = ()) -> list[str]:
    """Words that stand at least so often in the targets, and the `known` ones: in small letters, sorted.

    A corpus that is read twice (PATH#2x) counts twice: what stands once in a small, careful corpus is a word.
    """
    counts: Counter[str] = Counter()
    for corpus in corpora:
        here = Counter(word for pair in corpus.pairs for word in WORD.findall(pair.other.lower()))
        for word, count in here.items():
            counts[word] += round(100 * count * corpus.weight)
    return sorted({word for word, count in counts.items() if count >= 100 * at_least}.union(known))


def write(path: Path, listed: Iterable[str]) -> None:
    path.write_text("".join(f"{word}\n" for word in listed), encoding="utf-8")
