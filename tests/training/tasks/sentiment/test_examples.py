"""Random stretches of long texts, and the labels of each file."""

from collections import Counter

import torch

from training.tasks.sentiment.examples import EncodedText, labels_by_file, random_stretch


def test_a_stretch_is_of_the_text_and_no_end_is_neglected() -> None:
    torch.manual_seed(0)
    assert random_stretch([1, 2, 3], 5) == [1, 2, 3]
    ids = list(range(30))
    seen: Counter[int] = Counter()
    for _ in range(2000):
        stretch = random_stretch(ids, 10)
        assert stretch == list(range(stretch[0], stretch[0] + 10))
        seen.update(stretch)
    assert seen.keys() == set(ids)
    assert min(seen.values()) > 2000 * 10 / 30 / 2


def test_a_file_knows_the_labels_it_has() -> None:
    texts = [EncodedText([1], 0, 0), EncodedText([1], 2, 0), EncodedText([1], 1, 1)]
    assert labels_by_file(texts, 3).int().tolist() == [[1, 0, 1], [1, 1, 1]]
