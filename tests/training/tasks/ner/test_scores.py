"""Scores of a tagger: its answers against the corpus's own tokens."""

from dataclasses import replace

from service.tasks.ner.task import Ner
from training.data.corpora import Tagged
from training.tasks.ner import scores


def test_each_found_name_is_compared_with_the_gold_names(ner: Ner) -> None:
    sentence = Tagged(
        ("Ada", "Lovelace", "lives", "in", "Paris", "."),
        ("B-PER", "I-PER", "O", "O", "B-PER", "O"),
    )
    graded = scores.graded_predictions(ner, [sentence])
    assert graded.right == [True, False]
    assert all(0.5 < sure <= 1 for sure in graded.confidences)


def test_what_is_found_of_a_label_that_is_not_annotated_does_not_count(ner: Ner) -> None:
    whole = Tagged(("Ada", "Lovelace", "lives", "in", "Paris", "."), ("O",) * 4 + ("B-LOC", "O"))
    assert scores.score(ner, [whole])["precision"] == 0.5
    places = replace(whole, annotated=frozenset({"LOC"}))
    figures = scores.score(ner, [places])
    assert (figures["precision"], figures["recall"]) == (1.0, 1.0)
    assert scores.predicted_tags(ner, [places]) == [list(places.tags)]
    assert scores.graded_predictions(ner, [places]).right == [True]
    confusion = scores.confusion(ner, [places])
    assert confusion.labels == ["LOC", "PER", "O"]
    assert confusion.counts.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 5]]
