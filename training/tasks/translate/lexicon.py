"""The lexicon of a bundle: words and short phrases of written pairs (service/tasks/translate/lexicon.py).

Whoever types `save` or `Save!` wants the same word, so entries are in small letters and without marks at their
end, which the service puts back. Only files that may be passed on as they are belong into a lexicon.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from service.tasks.translate.lexicon import key
from service.tasks.translate.reading import Reader
from training.data import corpora
from training.data.corpora import Pair

WORDS = 3
"""Most words of an entry; longer phrases are what a network is good at."""

TRANSLATIONS = 3
"""Most translations of an entry."""

Entries = dict[str, list[str]]

_END = re.compile(r"[\s.!?…,:;]+$")
_NOTE = re.compile(r"[/()\[\]\t\n]")


def read(
    names: Sequence[str],
    *,
    languages: tuple[str, str],
    reverse: bool,
    known: Collection[str],
    folder: Path | None,
) -> Entries:
    """Of files of pairs, the first of which has the usual translations; none without files.

    known: the characters of the network. folder: where relative names are looked up, after the current one.
    Raises TrainingError if a file cannot be read.
    """
    pairs: list[Pair] = []
    for name in names:
        _, found, _ = corpora.read_file(
            corpora.read_pairs, name, folder=folder, labels={}, seed=1, kind="train"
        )
        pairs += [pair.swapped() for pair in found] if reverse else found
    return entries(pairs, Reader(*languages, known))


def entries(pairs: Iterable[Pair], reader: Reader) -> Entries:
    """Translations by key, in the order of the pairs."""
    found: Entries = {}
    for pair in pairs:
        source, target = _END.sub("", pair.text.strip()), _END.sub("", pair.other.strip())
        if not source or not target or len(source.split()) > WORDS or _NOTE.search(source + target):
            continue
        read = reader.read(source)
        if read.items:
            continue
        name = key(read.text.text)
        abbreviation = source.isupper() and len(source) > 1
        translations = found.setdefault(name.upper() if abbreviation else name, [])
        usual = _in_small_letters(target) if source[0].isupper() else target
        if usual not in translations and len(translations) < TRANSLATIONS:
            translations.append(usual)
    return found


def _in_small_letters(text: str) -> str:
    """Without the capital of its first word, which the source has, too: of a label, or of a sentence.

    >>> [_in_small_letters(text) for text in ("Enregistrer", "À bientôt", "URL")]
    ['enregistrer', 'à bientôt', 'URL']
    """
    return text if text[1:2].isupper() else text[0].lower() + text[1:]


def write(path: Path, found: Entries) -> None:
    lines = ("\t".join((source, *targets)) for source, targets in sorted(found.items()))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
