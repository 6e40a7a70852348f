"""A beam search that does not go round in circles, and tells where the network attended."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.tasks.translate.beam import Hypothesis, Ids, Search, Step
from service.tasks.translate.repetition import PHRASE, longest_run
from service.tasks.translate.spelling import Spelling

END = 2


@pytest.mark.parametrize(
    ("tokens", "times"),
    [([], 0), ([5], 1), ([5, 6, 7], 1), ([5, 5, 6, 6, 6], 3), ([5, 7, 8, 7, 8, 7, 8, 9], 3)],
)
def test_the_longest_run_is_as_counted_by_hand(tokens: list[int], times: int) -> None:
    assert longest_run(tokens) == times


def searched(
    choices: Mapping[int, list[int]],
    repeats: int,
    width: int,
    length_penalty: float = 1.0,
    varied: bool = False,
    spelling: Spelling | None = None,
    words: tuple[str, ...] = (),
) -> list[Hypothesis]:
    """The hypotheses of a network that prefers, after a token, these tokens in this order."""
    branches = width + 1

    def network(tokens: Ids, states: Any, memory: Any) -> Step:
        del memory
        following = np.array([choices[int(token)][:branches] for token in tokens])
        log_probabilities = np.tile(np.linspace(-0.1, -5.0, branches), (len(tokens), 1))
        return Step(log_probabilities.astype(np.float32), following, states, tokens * 10)

    search = Search(
        network,
        width=width,
        length_penalty=length_penalty,
        begin=1,
        end=END,
        source_axes={},
        spelling=spelling,
    )
    nothing: dict[str, NDArray[Any]] = {"none": np.zeros((1, 1))}
    search.join([0], [12], [(repeats,) * PHRASE], [4], nothing, nothing, [varied], [words])
    while not (done := search.step()):
        pass
    return done[0][1]


@pytest.mark.parametrize(("length_penalty", "ids"), [(0.0, ()), (2.0, (5,))])
def test_a_longer_hypothesis_wins_with_a_larger_penalty(
    length_penalty: float, ids: tuple[int, ...]
) -> None:
    # two hypotheses end: none at all with -2.55, and one token with -0.1 - 2.55
    choices = {1: [5, END, 6], 5: [5, END, 6], 6: [END, END, END]}
    assert searched(choices, repeats=2, width=2, length_penalty=length_penalty)[0].ids == ids


CIRCLE = {1: [5, 6, 7, END], 5: [6, END, 7, 5], 6: [5, END, 7, 6], 7: [7, END, 5, 6]}


@pytest.mark.parametrize(("repeats", "ids"), [(1, (5, 6, 5)), (2, (5, 6, 5, 6, 5))])
def test_a_repetition_is_left_where_it_would_begin_once_more(
    repeats: int, ids: tuple[int, ...]
) -> None:
    (greedy,) = searched(CIRCLE, repeats, width=1)
    assert greedy.ids == ids
    for hypothesis in searched(CIRCLE, repeats, width=3):
        assert longest_run(hypothesis.ids) <= repeats


def test_a_varied_hypothesis_has_no_three_tokens_twice() -> None:
    for hypothesis in searched(CIRCLE, repeats=9, width=3, varied=True):
        triples = list(zip(hypothesis.ids, hypothesis.ids[1:], hypothesis.ids[2:], strict=False))
        assert len(set(triples)) == len(triples)
    (greedy,) = searched(CIRCLE, repeats=9, width=1, varied=True)
    assert greedy.ids == (5, 6, 5, 6)  # and then 5 once more


def test_a_network_that_knows_nothing_else_may_repeat_itself() -> None:
    (hypothesis,) = searched({1: [8, 8], 8: [8, 8]}, repeats=2, width=1)
    assert hypothesis.ids == (8,) * 12


def test_each_token_comes_with_the_position_that_its_step_attended_to() -> None:
    # the network says that it attended to ten times the token before
    for hypothesis in searched(CIRCLE, repeats=2, width=3):
        before = (1, *hypothesis.ids)[: len(hypothesis.ids)]
        assert hypothesis.attended == tuple(10 * token for token in before)


@pytest.mark.parametrize(
    ("words", "own", "ids"),
    [
        (["imprisoned"], (), (5, 8)),
        (["emprisoned"], (), (6, 8)),
        (["other"], ("emprisoned",), (6, 8)),
        (["other"], (), (5, 8)),  # no word is listed, so the network decides
    ],
)
def test_a_word_that_is_not_listed_gives_way_to_one_that_is(
    words: list[str], own: tuple[str, ...], ids: tuple[int, ...]
) -> None:
    pieces = [" ", " ", " ", "", "", " im", " em", "x", "prisoned"]
    choices = {1: [5, 6, 7], 5: [8, 7, 7], 6: [8, 7, 7], 7: [END, 7, 7], 8: [END, 7, 7]}
    spelling = Spelling(words, pieces)
    assert searched(choices, repeats=9, width=2, spelling=spelling, words=own)[0].ids == ids
