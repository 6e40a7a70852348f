"""Translation from text to text: what the network never sees, and a search that does not go round in circles."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

from service import tasks
from service.tasks.base import predict
from service.tasks.translate.beam import Hypothesis, Ids, Search, Step, longest_run
from service.tasks.translate.task import Sentence, Translate, Translating
from tests.service import tiny

END = 2


@pytest.fixture(scope="module")
def shouting(tmp_path_factory: pytest.TempPathFactory) -> Translate:
    """Writes in capitals what reaches the network."""
    task = tasks.open_bundle(tiny.translator(tmp_path_factory.mktemp("models"), "en", "fr"))
    assert isinstance(task, Translate)
    return task


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("hello 😀", "HELLO 😀"),
        ("👍🏽 hello 👨‍👩‍👧❤️", "👍🏽 HELLO 👨‍👩‍👧❤️"),
        ("i ❤️ oslo", "I ❤️ OSLO"),
        (
            "- milk\n- bread 🎉\n\n  * 🍕 pizza\r\n> hi",
            "- MILK\n- BREAD 🎉\n\n  * 🍕 PIZZA\r\n> HI",
        ),
        ("1. milk\n2) bread\n(b) eggs", "1. MILK\n2) BREAD\n(b) EGGS"),
        ("well-known - and cheap!", "WELL-KNOWN - AND CHEAP!"),
        ("write to a.b@example.org today", "WRITE TO A.B@EXAMPLE.ORG TODAY"),
        ("www", "WWW"),
        ("a@b", "A@B"),
        ("a) 😀 ok", "a) 😀 OK"),
        ("12:30 :-) pm", "12:30 :-) PM"),
    ],
)
def test_bullets_and_emoji_stay_and_words_are_translated(
    shouting: Translate, text: str, wanted: str
) -> None:
    (result,) = predict(shouting, [text], shouting.request(text))
    assert result.translation == wanted


@pytest.mark.parametrize(
    "text",
    [
        "😀",
        " 😀 👍🏽\n",
        "10:30",
        "+33 1 23 45 67 89",
        "3.14 %",
        "a) 😀",
        "?!... --",
        "https://example.org/a?b=1",
        "www.example.org",
        "anna.smith+x@mail.example.org",
        "😀 see@example.org, https://example.org/path 42",
        "@sam_lee #GoodNews report_v3.pdf",
    ],
)
def test_a_text_without_words_comes_back_as_it_is(shouting: Translate, text: str) -> None:
    request = shouting.request(text, alternatives=2)
    assert shouting.encode(text, request) == []
    (result,) = predict(shouting, [text], request)
    assert (result.translation, result.score, result.alternatives) == (text, 0.0, [])


def test_a_bundle_of_before_translates_everything(tmp_path: Path) -> None:
    bundle = tiny.translator(tmp_path, "en", "fr", options={"beam": 1, "length_penalty": 1.0})
    task = tasks.open_bundle(bundle)
    assert isinstance(task, Translate)
    assert [window.span for window in task.encode("- a 😀\n12", task.request(""))] == [
        (0, 5),
        (6, 8),
    ]
    assert [window.repeats for window in task.encode("a\nb", task.request(""))] == [10**6] * 2


SPELLING = tiny.SEARCH | {"capitals": True, "stand_ins": ["Zed", "Kim"]}


def opened(folder: Path, source: str, target: str, options: dict[str, Any]) -> Translate:
    task = tasks.open_bundle(tiny.translator(folder, source, target, options))
    assert isinstance(task, Translate)
    return task


def read(task: Translate, text: str) -> list[str]:
    """What the network gets to read."""
    decode = Tokenizer.from_file(str(task.bundle.file("tokenizer.json"))).decode
    return [decode(window.ids[:-1]) for window in task.encode(text, task.request(""))]


def test_capitals_are_read_in_small_letters_and_answered_in_capitals(tmp_path: Path) -> None:
    task = opened(tmp_path, "fr", "en", SPELLING)
    text = "OÙ EST LA GARE ?\n- Ici, à l'OTAN.  VOILÀ L'ÉTÉ"
    assert read(task, text) == ["Où est la gare ?", "Ici, à l'OTAN.", "Voilà l'été"]
    (result,) = predict(task, [text], task.request(text))
    assert result.translation == "OÙ EST LA GARE ?\n- ici, à l'otan.  VOILÀ L'ÉTÉ"


def test_addresses_inside_a_sentence_come_back_as_they_are(tmp_path: Path) -> None:
    task = opened(tmp_path, "fr", "en", SPELLING)
    text = "Voir Anna.B@Example.org ou WWW.EXAMPLE.ORG. Fin."
    assert read(task, text) == ["Voir Zed ou Kim.", "Fin."]
    (result,) = predict(task, [text], task.request(text, alternatives=2))
    assert result.translation == "voir Anna.B@Example.org ou WWW.EXAMPLE.ORG. fin."
    assert result.alternatives is not None
    for other in result.alternatives:
        assert other.translation.count("Anna.B@Example.org ") == 1
    text = "ÉCRIS À Anna.B@Example.org !"
    (result,) = predict(task, [text], task.request(text))
    assert result.translation == "ÉCRIS À Anna.B@Example.org !"


def test_a_bundle_that_asks_for_neither_reads_what_is_there(shouting: Translate) -> None:
    assert read(shouting, "WRITE TO a.b@example.org") == ["WRITE TO a.b@example.org"]


def test_a_long_sentence_is_read_in_pieces_with_its_addresses(tmp_path: Path) -> None:
    task = opened(tmp_path, "fr", "en", SPELLING)
    text = "LE CHAT " * 8 + "VOIT a@b.org " + "ET DORT " * 5 + "!"
    assert len(pieces := read(task, text)) > 2
    # the tokenizer of these tests counts the space before a word to it
    assert "".join(pieces).replace("Zed", "a@b.org") == text.capitalize()
    (result,) = predict(task, [text], task.request(text))
    assert result.translation.replace(" ", "") == text.replace(" ", "")


def finished(task: Translate, sentence: Sentence, holds: Any) -> list[Hypothesis]:
    batch = Translating(task.search, task.encode_batch, holds, beam=2)
    (handle,) = batch.join([sentence])
    while not (done := batch.step()):
        pass
    assert [each for each, _ in done] == [handle]
    assert batch.step() == []
    return done[0][1]


@pytest.mark.parametrize("alternatives", [0, 3])
def test_the_best_hypothesis_with_all_stand_ins_is_taken(tmp_path: Path, alternatives: int) -> None:
    task = opened(tmp_path, "fr", "en", SPELLING)
    text = "Voir a@b.org"
    (sentence,) = task.encode(text, task.request(text, alternatives=alternatives))
    best = finished(task, sentence, lambda *_: True)[0]
    kept = finished(task, sentence, lambda _, hypothesis: hypothesis.ids != best.ids)
    assert best.ids not in {hypothesis.ids for hypothesis in kept}
    assert len(kept) > alternatives


@pytest.mark.parametrize("alternatives", [0, 3])
def test_where_no_hypothesis_has_them_the_addresses_are_spelled(
    tmp_path: Path, alternatives: int
) -> None:
    task = opened(tmp_path, "fr", "en", SPELLING)
    text = "VOIR AUSSI a@b.org"
    (sentence,) = task.encode(text, task.request(text, alternatives=alternatives))
    spelled = finished(task, sentence, lambda sentence, _: not sentence.addresses)
    result = task.decode(text, task.request(text), [sentence], [spelled])
    assert result.translation == "VOIR AUSSI A@B.ORG"
    assert sentence.spelled
    assert spelled[0] == finished(task, sentence.spelled, lambda *_: True)[0]


def test_a_translation_may_repeat_what_its_source_does(shouting: Translate) -> None:
    texts = ["no no no no no", "hahahaha", "na na na na na na na na hey"]
    answers = predict(shouting, texts, shouting.request(texts))
    assert [answer.translation for answer in answers] == [text.upper() for text in texts]


@pytest.mark.parametrize(
    ("tokens", "times"),
    [([], 0), ([5], 1), ([5, 6, 7], 1), ([5, 5, 6, 6, 6], 3), ([5, 7, 8, 7, 8, 7, 8, 9], 3)],
)
def test_the_longest_run_is_as_counted_by_hand(tokens: list[int], times: int) -> None:
    assert longest_run(tokens) == times


def searched(
    choices: Mapping[int, list[int]], repeats: int, width: int, length_penalty: float = 1.0
) -> list[Hypothesis]:
    """The hypotheses of a network that prefers, after a token, these tokens in this order."""
    branches = width + 1

    def network(tokens: Ids, states: Any, memory: Any) -> Step:
        del memory
        following = np.array([choices[int(token)][:branches] for token in tokens])
        log_probabilities = np.tile(np.linspace(-0.1, -5.0, branches), (len(tokens), 1))
        return Step(log_probabilities.astype(np.float32), following, states)

    search = Search(
        network, width=width, length_penalty=length_penalty, begin=1, end=END, source_axes={}
    )
    nothing: dict[str, NDArray[Any]] = {"none": np.zeros((1, 1))}
    search.join([0], [12], [repeats], [4], nothing, nothing)
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


def test_a_network_that_knows_nothing_else_may_repeat_itself() -> None:
    (hypothesis,) = searched({1: [8, 8], 8: [8, 8]}, repeats=2, width=1)
    assert hypothesis.ids == (8,) * 12
