"""Scores of a tagger: its answers against the corpus's own tokens."""

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
