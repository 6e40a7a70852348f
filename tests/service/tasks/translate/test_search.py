"""A batch of sentences: what cannot be right is translated again in another way, and every one finishes."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from service import tasks
from service.tasks.base import predict
from service.tasks.translate.beam import Arrays, Hypothesis
from service.tasks.translate.checks import faults, looped
from service.tasks.translate.repetition import PHRASE
from service.tasks.translate.sentence import Sentence
from service.tasks.translate.task import Translate
from tests.service import tiny

from .alphabet import KNOWN

Made = Callable[..., Translate]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A translator that writes what it reads, but for what is changed; changed into "", it ends there."""

    def make(changes: dict[str, str], **options: Any) -> Translate:
        task = tasks.open_bundle(
            tiny.copier(tmp_path, "fr", "en", KNOWN, changes, tiny.SEARCH | options)
        )
        assert type(task) is Translate
        return task

    return make


def translated(task: Translate, text: str, **options: Any) -> str:
    (result,) = predict(task, [text], task.request(text, **options))
    return str(result.translation)


def first_answers(task: Translate, sentence: Sentence) -> list[str]:
    """What the network writes of the whole sentence, without any check."""
    states, memory = task.encode_batch([sentence])
    search = task.search(task.beam)
    search.join(
        [0], [99], [(9,) * PHRASE], [task.padded(sentence.length)], states, memory, [False], [()]
    )
    while not (done := search.step()):
        pass
    return [task.written(hypothesis) for hypothesis in done[0][1]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Dis à {nom} de venir.", "Dis à {nom} de venir."),
        ("{nom}", "{nom}"),
        ("{nom} vient (avec 80000 amis) !", "{nom} vient (avec 80000 amis)!"),
        ("Vois https://x.org et {nom} {x}", "Vois https://x.org et {nom} {x}"),
    ],
)
@pytest.mark.parametrize("change", ["x", "", "\ue025", "\ue010"])
def test_around_a_placeholder_that_gets_lost_the_sentence_is_translated_in_parts(
    made: Made, change: str, text: str, wanted: str
) -> None:
    task = made({"\ue020": change})
    for sentence in task.encode(text, task.request(text)):
        assert all(faults(sentence.text, given) for given in first_answers(task, sentence))
    assert translated(task, text) == wanted


def test_a_number_that_is_not_in_the_source_is_translated_as_a_placeholder(made: Made) -> None:
    task = made({"7": "8"})
    text = "J'ai 7 chats et 80000 chiens."
    (sentence,) = task.encode(text, task.request(text))
    assert all(faults(sentence.text, given).numbers for given in first_answers(task, sentence))
    assert translated(task, text) == "J' ai 7 chats et 80000 chiens."


def test_where_all_ways_have_faults_the_one_with_the_fewest_is_taken(made: Made) -> None:
    # as placeholders, the numbers get lost, which is worse
    task = made({"7": "8", "\ue010": "x"})
    assert translated(task, "J'ai 7 chats.") == "J' ai 8 chats."


def test_what_ends_too_early_is_translated_clause_by_clause(made: Made) -> None:
    task = made({"~": ""}, beam=1)
    text = "Un chat, ~ et un chien, qui mange, dort là."
    (sentence,) = task.encode(text, task.request(text))
    assert all(
        faults(sentence.text, given).looped_or_dropped for given in first_answers(task, sentence)
    )
    assert translated(task, text) == "Un chat, , qui mange, dort là."


def test_of_a_beam_the_first_hypothesis_without_a_fault_is_taken(made: Made) -> None:
    task = made({"~": ""}, beam=2)
    text = "Un chat, ~ et un chien, qui mange, dort là."
    (sentence,) = task.encode(text, task.request(text))
    first, second = first_answers(task, sentence)
    assert faults(sentence.text, first)
    assert not faults(sentence.text, second)
    assert task.written(task.run([sentence])[0][0]) == second


def test_a_sentence_without_clauses_that_ends_too_early_stays_so(made: Made) -> None:
    task = made({"~": ""}, beam=1)
    assert translated(task, "Un chat ~ et un chien qui mange dort là") == "Un chat"


def test_a_loop_is_searched_again_with_nothing_twice(made: Made) -> None:
    task = made({"à": "a", "â": "a"}, beam=1)
    text = "Le chat va, puis le chàt va, et le chât va."
    (sentence,) = task.encode(text, task.request(text))
    assert all(
        faults(sentence.text, given).looped_or_dropped for given in first_answers(task, sentence)
    )
    assert counted(task, text) == 2
    assert not looped(text.lower(), translated(task, text).lower())


def test_a_loop_beside_a_placeholder_that_gets_lost_ends_too(made: Made) -> None:
    task = made({"à": "a", "â": "a", "\ue020": "x"}, beam=1)
    text = "Le chat va, puis le chàt va, et le chât va {nom}."
    answer = translated(task, text)
    assert not looped(text.lower(), answer.lower())
    assert answer.endswith(" {nom}.")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("« Oui ! »", "“Oui!”"),
        ("« Je viens », dit-il.", "“Je viens”, dit-il."),
        ("Il dit : « Viens ! », puis « Pars ! »", "Il dit: “Viens!”, puis “Pars!”"),
    ],
)
def test_what_stands_in_quotes_that_get_lost_is_translated_by_itself(
    made: Made, text: str, wanted: str
) -> None:
    task = made({"“": "x"})
    (sentence,) = task.encode(text, task.request(text))
    assert all(faults(sentence.text, given).quotes for given in first_answers(task, sentence))
    assert translated(task, text) == wanted


def test_tags_stay_with_their_words_around_quotes_that_get_lost(made: Made) -> None:
    task = made({"“": "x"})
    text = "<p>Il dit : « <b>Viens</b> ! » à <i>Anna</i>.</p>"
    wanted = "<p>Il dit: “<b>Viens</b>!” à <i>Anna</i>.</p>"
    assert translated(task, text, format="html") == wanted


def test_an_amount_without_the_sign_of_its_currency_is_translated_as_a_placeholder(
    made: Made,
) -> None:
    assert translated(made({"€": "$"}), "Il a payé 5 € pour ça.") == "Il a payé €5 pour ça."


def test_with_a_sign_too_many_a_sentence_is_translated_around_its_numbers(
    made: Made,
) -> None:
    task = made({",": "%"})
    text = "Du 12345, 23456 il pleut."
    (sentence,) = task.encode(text, task.request(text))
    assert all(faults(sentence.text, given).numbers for given in first_answers(task, sentence))
    assert translated(task, text) == text


class Counted(Translate):
    """Counts how often sentences are encoded."""

    times = 0

    def encode_batch(self, sentences: Sequence[Sentence]) -> tuple[Arrays, Arrays]:
        self.times += 1
        return super().encode_batch(sentences)


def counted(task: Translate, text: str, **options: Any) -> int:
    watched = Counted(task.bundle)
    predict(watched, [text], watched.request(text, **options))
    return watched.times


@pytest.mark.parametrize("beam", [1, 2, 5])
@pytest.mark.parametrize("alternatives", [0, 3])
def test_no_other_way_is_tried_where_the_first_is_right(
    made: Made, beam: int, alternatives: int
) -> None:
    text = "Dis à {nom} de venir à 5 heures."
    assert counted(made({}, beam=beam), text, alternatives=alternatives) == 1


def test_each_way_is_tried_once(made: Made) -> None:
    task = made({"\ue020": "", "7": "8", "~": ""}, beam=1)
    assert counted(task, "Dis à {nom} 7 ~ fois de venir, et de partir.") == 6


def test_no_alternative_lacks_a_placeholder(made: Made) -> None:
    task = made({"\ue020": "x"})
    text = "Dis à {nom} de venir."
    (result,) = predict(task, [text], task.request(text, alternatives=4))
    assert result.translation == text
    assert all(other.translation.count("{nom}") == 1 for other in result.alternatives or [])


def test_of_each_written_token_the_attended_position_is_known_in_parts_too(made: Made) -> None:
    for changes in ({}, {"\ue020": "x"}):
        task = made(changes)
        text = "Dis à {nom} de venir."
        (sentence,) = task.encode(text, task.request(text))
        (best, *_) = task.run([sentence])[0]
        assert best.attended == tuple(range(len(best.ids)))
        assert best.ids == tuple(sentence.ids[:-1])


TEXTS = [
    "Un chat.",
    "Dis à {nom} de venir.",
    "J'ai 7 chats et {x} chiens.",
    "Un chat, ~ et un chien, qui mange, dort là.",
    "{nom} a 7 ~ amis, et 80000 autres, dit-on, ici.",
    "7 ~ {a}",
    "Bien, 17 fois, ~~ puis {b} 7 fois encore, n'est-ce pas ?",
    "x" * 60,
]


@pytest.mark.parametrize("seed", range(5))
def test_every_sentence_finishes_once_and_those_that_leave_change_no_other(
    made: Made, seed: int
) -> None:
    task = made({"\ue020": "x", "7": "8", "~": ""})
    chance = random.Random(seed)
    windows = [
        window
        for number in range(30)
        for window in task.encode(
            chance.choice(TEXTS), task.request("", alternatives=2 * (number % 2))
        )
    ]
    alone = [task.run([window])[0] for window in windows]

    batch, coming = task.begin(), list(enumerate(windows))
    inside: dict[int, int] = {}
    gone: set[int] = set()
    found: dict[int, list[Hypothesis]] = {}
    for _ in range(5000):
        joining = [coming.pop(0) for _ in range(min(len(coming), chance.randrange(4)))]
        if joining:
            handles = batch.join([window for _, window in joining])
            assert not set(handles) & set(inside)
            inside |= dict(zip(handles, (index for index, _ in joining), strict=True))
        if inside and chance.random() < 0.03:
            leaving = chance.sample(list(inside), min(2, len(inside)))
            batch.leave(leaving)
            gone |= {inside.pop(handle) for handle in leaving}
        for handle, output in batch.step():
            found[inside.pop(handle)] = output
        if not coming and not inside:
            break
    assert not inside
    assert gone
    assert found == {index: alone[index] for index in range(len(windows)) if index not in gone}
    assert batch.step() == []
    assert not batch._jobs
    assert not batch._places
