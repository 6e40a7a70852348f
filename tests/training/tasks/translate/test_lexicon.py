"""The lexicon of a bundle holds words and short phrases of pairs, as the service looks them up."""

import string
from pathlib import Path

import pytest

from service.tasks.translate.lexicon import Lexicon
from service.tasks.translate.reading import Reader
from training.data.corpora import Pair
from training.errors import TrainingError
from training.tasks.translate import lexicon

KNOWN = string.printable + "àâçèéêëîïôùûœ“”–"
READER = Reader("en", "fr", KNOWN)


@pytest.mark.parametrize(
    ("source", "target", "entry"),
    [
        ("Save", "Enregistrer", ("save", "enregistrer")),
        ("How are you?", "Comment allez-vous ?", ("how are you", "comment allez-vous")),
        ("Monday", "lundi", ("monday", "lundi")),
        ("URL", "URL", ("URL", "URL")),
        ("Abu Dhabi", "Abou Dhabi", ("abu dhabi", "abou Dhabi")),
    ],
)
def test_an_entry_is_in_small_letters_without_marks_at_its_end(
    source: str, target: str, entry: tuple[str, str]
) -> None:
    assert lexicon.entries([Pair(source, target)], READER) == {entry[0]: [entry[1]]}


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("one two three four", "un"),
        ("{name}", "{name}"),
        ("on/off", "oui"),
        ("...", "…"),
        ("x", ""),
    ],
)
def test_what_is_long_or_no_word_is_no_entry(source: str, target: str) -> None:
    assert lexicon.entries([Pair(source, target)], READER) == {}


def test_the_first_translations_count_each_once() -> None:
    targets = ["banque", "rive", "banque", "banc", "talus"]
    found = lexicon.entries([Pair("bank", target) for target in targets], READER)
    assert found == {"bank": ["banque", "rive", "banc"]}


def test_the_service_finds_what_training_writes(tmp_path: Path) -> None:
    words, path = tmp_path / "words.tsv", tmp_path / "lexicon.tsv"
    words.write_text("the water\tl'eau\nMonday\tlundi\n", encoding="utf-8")
    names = [str(words)]
    found = lexicon.read(names, languages=("fr", "en"), reverse=True, known=KNOWN, folder=None)
    lexicon.write(path, found)
    read = Lexicon.read(path.read_bytes(), "en")
    reader = Reader("fr", "en", KNOWN)
    assert read.find(reader.read("L’eau !").text.text) == [" the water!"]
    assert read.find(reader.read("lundi").text.text) == ["\ue000 monday"]
    assert read.find(reader.read("mardi").text.text) == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"nowhere\.tsv"):
        lexicon.read(
            ["nowhere.tsv"], languages=("en", "fr"), reverse=False, known=KNOWN, folder=tmp_path
        )
