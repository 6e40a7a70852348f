"""The word list of a bundle is made of what the training's targets hold often enough."""

from pathlib import Path

from service.tasks.translate.spelling import Spelling
from training.data.corpora import Pair
from training.data.parallel import Corpus
from training.tasks.translate import spelling

CORPORA = [
    Corpus(
        "large", [Pair("le chat", "The cat"), Pair("des chats", "the Cats"), Pair("x", "catz")], 1.0
    ),
    Corpus("small", [Pair("l'encre d'une seiche", "a cuttlefish's ink")], 2.0),
]


def test_words_count_as_often_as_they_are_read() -> None:
    assert spelling.words(CORPORA, 2) == ["a", "cuttlefish", "ink", "s", "the"]
    assert spelling.words(CORPORA, 3) == []
    assert spelling.words(CORPORA, 3, known=["été", "cat"]) == ["cat", "été"]


def test_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    listed = spelling.words(CORPORA, 1)
    spelling.write(tmp_path / "words.txt", listed)
    read = Spelling.read((tmp_path / "words.txt").read_bytes(), [" "])
    assert all(read.after(word, 0, ()) == ("", True) for word in listed)
    assert read.after("dog", 0, ()) == ("", False)
