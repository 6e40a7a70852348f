"""Silver labels: what an article says of itself, and which sentences are clean enough to learn from."""

from pathlib import Path

import pytest

from service.tasks.ner import Entity
from training.__main__ import main
from training.data import silver_labels
from training.data.corpora import read_conll


@pytest.mark.parametrize(
    ("paragraph", "subject"),
    [
        ("Ada Lovelace (1815–1852) was an English mathematician.", ("Ada Lovelace", "PER")),
        ("Vincent van Gogh, a Dutchman, was a painter.", ("Vincent van Gogh", "PER")),
        ("The White Stripes were an American rock band.", ("White Stripes", "ORG")),
        ("Prawda is a village in Poland.", ("Prawda", "LOC")),
        ("True Game is the debut album by CJ Mac.", ("True Game", "")),
        ("Aston Villa is an English football club.", ("Aston Villa", "ORG")),
        ("Xo is a company director in Rome.", ("Xo", "PER")),
        ("Rome is a place with a river.", ("Rome", "LOC")),
        ("Rome is a place in a river.", None),
        ("Brown bears are a problem.", None),
        ("It rained on Monday.", None),
    ],
)
def test_the_first_noun_of_the_first_sentence_tells_the_type(
    paragraph: str, subject: tuple[str, str] | None
) -> None:
    assert silver_labels.subject_of(paragraph) == subject


def test_an_article_gives_its_first_sentence_and_others_that_hold_the_name() -> None:
    paragraphs = [
        "Ada Lovelace was an English mathematician of note. She was born in London, far from home.",
        "In later years Lovelace wrote about the engine. Too short, Lovelace. Nobody else did.",
    ]
    assert silver_labels.sentences_about("Ada Lovelace", "PER", paragraphs) == [
        "Ada Lovelace was an English mathematician of note.",
        "In later years Lovelace wrote about the engine.",
    ]
    assert len(silver_labels.sentences_about("Ada Lovelace", "ORG", paragraphs)) == 1


def entity(text: str, word: str, label: str, score: float) -> Entity:
    start = text.index(word)
    return Entity(text=word, label=label, start=start, end=start + len(word), score=score)


def shown(rows: list[tuple[str, str]]) -> str:
    return " ".join(word if tag == "O" else f"{word}|{tag}" for word, tag in rows)


def test_the_subject_is_labelled_by_its_article_and_the_rest_by_the_tagger() -> None:
    text = "Ada Lovelace met Italians in Turin; Lovelace left in May."
    turin = entity(text, "Turin", "LOC", 0.9)
    wrong = entity(text, "Ada", "LOC", 0.4)
    rows = silver_labels.label_sentence(text, "Ada Lovelace", "PER", [wrong, turin], 0.6)
    assert shown(rows) == (
        "Ada|B-PER Lovelace|I-PER met Italians in Turin|B-LOC ; Lovelace|B-PER left in May ."
    )


def test_the_title_of_a_film_is_no_name() -> None:
    text = "Paris Blues is a film set in Paris."
    rows = silver_labels.label_sentence(
        text, "Paris Blues", "", [entity(text, "Paris.", "LOC", 0.9)], 0.6
    )
    assert shown(rows) == "Paris Blues is a film set in Paris|B-LOC .|I-LOC"


def test_a_sentence_with_a_doubtful_name_is_left_out() -> None:
    text = "Prawda lies near Lublin."
    assert silver_labels.label_sentence(text, "Prawda", "LOC", [], 0.6) == []
    unsure = entity(text, "Lublin", "LOC", 0.5)
    assert silver_labels.label_sentence(text, "Prawda", "LOC", [unsure], 0.6) == []
    assert silver_labels.label_sentence(text, "Prawda", "LOC", [unsure], 0.5) != []


def test_the_command_writes_what_a_training_reads(
    ner_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wiki.txt").write_text(
        "Ada Turing (born 1900) was an English painter.\nTuring painted.\n\n\n"
        "Oslo Falls is a river with many fishes.\n\n"
        "Nothing to see here, as everybody says.\n"
    )
    out = tmp_path / "deep" / "silver.txt"
    options = ["--text", "wiki.txt", "--data", str(tmp_path), "--bundle", str(ner_path)]
    assert main(["silver", *options, "--out", str(out), "--each", "1", "--seed", "2"]) == 0
    texts = {sentence.text: sentence.tags for sentence in read_conll(out, {})}
    assert len(texts) == 2
    assert texts["Oslo Falls is a river with many fishes ."][:3] == ("B-LOC", "I-LOC", "O")
    assert main(["silver", "--bundle", str(ner_path)]) == 1
    assert "--text needs a file" in capsys.readouterr().err
    (tmp_path / "wiki.txt").write_text("Nothing.\n")
    assert main(["silver", *options, "--out", str(out), "--sure", "0.9"]) == 1
    assert "no article says" in capsys.readouterr().err
