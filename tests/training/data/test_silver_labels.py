"""Silver labels: what an article says of itself, and which sentences are clean enough to learn from."""

import pytest

from service.tasks.ner.messages import Entity
from training.data import silver_labels


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
