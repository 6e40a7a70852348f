"""Which words and characters a network knows, and the tokenizer that a run builds once and then loads."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from training.data.tokenization import word_counts, word_tokenizer


def load_or_build_tokenizer(path: Path, build: Callable[[], Tokenizer]) -> Tokenizer:
    """The tokenizer in `path`, or a new one that is saved there, so that a resumed run has the same."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        build().save(str(path))
    return Tokenizer.from_file(str(path))


def build_word_tokenizer(
    texts: Iterable[str],
    with_vector: Sequence[str],
    *,
    at_least: int,
    at_most: int,
    web: bool = False,
) -> Tokenizer:
    """Knows the words of the training texts that occur `at_least` times or have a vector, and then, up to
    `at_most` in all, further words that have one.

    with_vector: words that have a vector, most frequent first.
    """
    have_vector = set(with_vector)
    counts = word_counts(texts, web=web)
    own = [word for word, count in counts.items() if count >= at_least or word in have_vector]
    known = dict.fromkeys([*own, *with_vector])
    return word_tokenizer(list(known)[:at_most], web=web)


def frequent_characters(counts: Counter[str], at_least: int) -> str:
    """The alphabet of a character CNN: what was seen `at_least` times, in order."""
    return "".join(sorted(one for one, count in counts.items() if count >= at_least))
