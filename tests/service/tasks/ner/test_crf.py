"""The CRF of the tagger against all paths of small random chains, enumerated."""

from itertools import pairwise, product

import numpy as np
import pytest
from numpy.typing import NDArray

from service.tasks.ner.crf import CRFDecoder

TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
LENGTHS = np.array([5, 1, 3, 4, 2], np.int32)


def random_crf(seed: int) -> tuple[CRFDecoder, NDArray[np.float64]]:
    """A CRF that forbids what IOB2 forbids, and emissions [5, 5, tags]; padding is noise."""
    chance = np.random.default_rng(seed)
    transitions = chance.normal(size=(len(TAGS), len(TAGS)))
    start, end = chance.normal(size=(2, len(TAGS)))
    for after, tag in enumerate(TAGS):
        if tag.startswith("I-"):
            start[after] = -10_000
            for before, previous in enumerate(TAGS):
                if previous[2:] != tag[2:]:
                    transitions[before, after] = -10_000
    return CRFDecoder(transitions, start, end, TAGS), chance.normal(size=(5, 5, len(TAGS))) * 2


def paths(crf: CRFDecoder, emissions: NDArray[np.float64]) -> dict[tuple[int, ...], float]:
    """Each path of one text [time, tags] with its score."""
    scores = {}
    for path in product(range(len(TAGS)), repeat=len(emissions)):
        total = crf.start[path[0]] + crf.end[path[-1]]
        total += sum(emissions[position, tag] for position, tag in enumerate(path))
        total += sum(crf.transitions[before, after] for before, after in pairwise(path))
        scores[path] = float(total)
    return scores


def entities(path: tuple[int, ...]) -> set[tuple[int, int, int]]:
    """(first, last, tag B-X) of each entity of a path."""
    found = set()
    for first, tag in enumerate(path):
        if TAGS[tag].startswith("B-"):
            last = first
            while last + 1 < len(path) and path[last + 1] == tag + 1:
                last += 1
            found.add((first, last, tag))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_viterbi_finds_the_best_path_of_each_row(seed: int) -> None:
    crf, emissions = random_crf(seed)
    found = crf.viterbi(emissions, LENGTHS)
    for row, length in enumerate(LENGTHS):
        scores = paths(crf, emissions[row, :length])
        assert tuple(found[row]) == max(scores, key=lambda path: scores[path])


@pytest.mark.parametrize("seed", range(4))
def test_the_probability_of_an_entity_is_that_of_all_paths_with_it(seed: int) -> None:
    crf, emissions = random_crf(seed)
    for row, found in enumerate(crf.entities(emissions, LENGTHS)):
        scores = paths(crf, emissions[row, : LENGTHS[row]])
        weights = {path: np.exp(score) for path, score in scores.items()}
        best = max(scores, key=lambda path: scores[path])
        assert {entity[:3] for entity in found} == entities(best)
        for first, last, tag, probability in found:
            having = [
                weight for path, weight in weights.items() if (first, last, tag) in entities(path)
            ]
            wanted = sum(having) / sum(weights.values())
            np.testing.assert_allclose(probability, wanted, rtol=1e-9)


def test_some_of_these_chains_hold_entities_of_several_words() -> None:
    spans = [
        entity
        for seed in range(4)
        for found in [random_crf(seed)]
        for row in found[0].entities(found[1], LENGTHS)
        for entity in row
    ]
    assert any(last > first for first, last, *_ in spans)
    assert any(last == first for first, last, *_ in spans)
    assert len({tag for _, _, tag, _ in spans}) == 2


def test_padding_changes_no_entity() -> None:
    crf, emissions = random_crf(7)
    among = crf.entities(emissions, LENGTHS)
    for row, length in enumerate(LENGTHS):
        (alone,) = crf.entities(emissions[row : row + 1, :length], LENGTHS[row : row + 1])
        assert alone == among[row]
