"""The sets of behaviour are what they say, and an answer has the faults that a reader would find."""

import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from service.tasks.sentiment.task import Sentiment
from service.tasks.translate.messages import Alternative, TranslateResult
from service.tasks.translate.task import Translate
from training.errors import TrainingError
from training.evaluation import behaviour
from training.evaluation.behaviour import ExpectedTranslation, find_fault, normalized
from training.tasks.sentiment.examples import LABELS

SENTIMENT = behaviour.FOLDER / "sentiment"
SETS = sorted(path for path in SENTIMENT.glob("*.jsonl") if path.stem != "swaps")
PAIRS = ["translate-en-fr", "translate-fr-en"]


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, *cases: dict[str, Any]) -> None:
    path.write_text("".join(json.dumps(case) + "\n" for case in cases))


# --- the sets of the classifier


def test_there_is_a_set_for_each_phenomenon() -> None:
    assert len(SETS) == 13


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_a_set_has_fifty_inputs_and_all_labels(path: Path) -> None:
    cases = rows(path)
    assert len({case["text"] for case in cases}) == len(cases) >= 50
    assert {case["label"] for case in cases} == set(LABELS)


def test_no_set_is_trained_on() -> None:
    remarks = behaviour.FOLDER.with_name("remarks.jsonl")
    trained_on = {case["text"].casefold().strip(".!? ") for case in rows(remarks)}
    for path in SETS:
        for case in rows(path):
            text = case["text"].casefold().strip(".!? ")
            assert not text or text not in trained_on, f"{path.stem}: {text}"


def test_swaps_change_a_sentence_in_one_place() -> None:
    swaps = rows(SENTIMENT / "swaps.jsonl")
    assert len(swaps) >= 50
    for case in swaps:
        assert len(set(case["texts"])) == len(case["texts"]) >= 8


def test_labels_are_scored_as_counted_by_hand(sentiment: Sentiment, tmp_path: Path) -> None:
    write(
        tmp_path / "odd.jsonl",
        {"text": "What a superb film !", "label": "positive"},
        {"text": "The meal was awful .", "label": "negative"},
        {"text": "The meal was superb .", "label": "negative"},
        {"text": "I had a wooden phone today .", "label": "neutral"},
    )
    write(
        tmp_path / "swaps.jsonl",
        {"texts": ["What a superb film !", "What a superb book !", "What a superb meal !"]},
        {"texts": ["What a superb film !", "What a superb song !", "What a awful film !"]},
    )
    assert behaviour.score_sets(sentiment, tmp_path) == {
        "behaviour-odd": {"right": 0.75},
        "behaviour-swaps": {"right": 0.75},
    }


# --- the sets of the translators


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_has_sixteen_sets_of_different_inputs(pair: str) -> None:
    paths = sorted((behaviour.FOLDER / pair).glob("*.jsonl"))
    assert len(paths) == 16
    cases = list(chain.from_iterable(rows(path) for path in paths))
    for case in cases:
        expected = ExpectedTranslation.model_validate(case)
        assert expected.same or expected.any or expected.keeps, expected.text
    assert len({case["text"] for case in cases}) == len(cases) >= 250


@pytest.mark.parametrize("pair", PAIRS)
def test_translations_in_a_set_are_without_fault_by_its_own_measure(pair: str) -> None:
    for path in sorted((behaviour.FOLDER / pair).glob("*.jsonl")):
        for case in rows(path):
            expected = ExpectedTranslation.model_validate(case).model_copy(
                update={"alternatives": 0}
            )
            for right in expected.any:
                mark = expected.text[-1:] if right[-1:].isalpha() else ""
                said = right + (mark if mark in ".?!" else "")
                assert find_fault(expected, answer(said, pair[-2:])) == "", (path.stem, right)
            if expected.same:
                assert find_fault(expected, answer(expected.text, pair[-2:])) == ""


@pytest.mark.parametrize("pair", PAIRS)
def test_the_source_itself_is_right_only_where_it_should_stay(pair: str) -> None:
    for path in sorted((behaviour.FOLDER / pair).glob("*.jsonl")):
        for case in rows(path):
            expected = ExpectedTranslation.model_validate(case).model_copy(
                update={"alternatives": 0}
            )
            fault = find_fault(expected, answer(expected.text, pair[-2:]))
            assert (fault == "") == (expected.same or expected.text in expected.any), expected.text


def answer(translation: str, target: str = "fr", others: tuple[str, ...] = ()) -> TranslateResult:
    return TranslateResult(
        translation=translation,
        source="en",
        target=target,
        score=0.0,
        alternatives=[Alternative(translation=other, score=0.0) for other in others],
    )


HELLO = {"text": "Hello!", "any": ["Bonjour !", "Salut !"]}
OPEN = {"text": "The door of Zorb is open.", "keeps": ["Zorb", ["ouverte", "ouvert"]]}
LIST = {"text": "Buy:\n\n- milk\n  1. bread", "keeps": ["lait"]}


@pytest.mark.parametrize(
    ("case", "translation", "fault"),
    [
        (HELLO, "Bonjour !", ""),
        (HELLO, "Bonjour\u202f!", ""),
        (HELLO, " Salut. ", ""),
        (HELLO, "Salut", "other marks"),
        (HELLO, "Salut ?", "other marks"),
        (HELLO, "Salut!", "space before"),
        (HELLO, "bonjour !", "should be 'Bonjour !'"),
        (HELLO, "Bonjour à vous !", "should be"),
        ({"text": "hi", "any": ["Aujourd'hui"]}, "Aujourd’hui.", ""),
        ({"text": "xkcd", "same": True}, "xkcd", ""),
        ({"text": "xkcd", "same": True}, "Xkcd", "stay as it is"),
        ({"text": " \n", "same": True}, "", ""),
        ({"text": "", "same": True}, "Rien.", "stay as it is"),
        (OPEN, "La porte de Zorb est ouverte.", ""),
        (OPEN, "La porte est ouverte.", "lacks 'Zorb'"),
        (OPEN, "La porte de Zorb est fermée.", "lacks 'ouverte'"),
        (OPEN, "La porte de Zorb est ouverte", "other marks"),
        (OPEN, "Zorb ouvert.", "length"),
        (OPEN, "La porte de Zorb est ouverte, ouverte, ouverte, et ouverte, et ouverte.", "length"),
        (OPEN, "La porte Zorb Zorb Zorb est ouverte.", "circles"),
        (OPEN, "La porte de Zorb est ouvertetetete.", "circles"),
        ({"text": "Very very very good.", "keeps": ["bon"]}, "Très très très bon.", ""),
        ({"text": "Zorb is open.", "keeps": ["open"]}, "zorb is open.", "not translated"),
        (LIST, "Achetez :\n\n- lait\n  1. pain", ""),
        (LIST, "Achetez:\r\n\r\n- lait\r\n  1. pain", ""),
        (LIST, "Achetez :\n- lait\n  1. pain", "other lines"),
        (LIST, "Achetez :\n\nlait\n  1. pain", "other lines"),
        (LIST, "Achetez :\n\n- lait\n  pain", "other lines"),
        (LIST, "Achetez\n\n- lait\n  1. pain", "other marks"),
    ],
)
def test_a_translation_has_the_faults_that_a_reader_would_find(
    case: dict[str, Any], translation: str, fault: str
) -> None:
    found = find_fault(ExpectedTranslation.model_validate(case), answer(translation))
    assert fault in found
    assert bool(found) == bool(fault)


def test_an_english_mark_has_no_space_before_it() -> None:
    expected = ExpectedTranslation(text="Salut !", any=("Hi!",))
    assert find_fault(expected, answer("Hi!", "en")) == ""
    assert "space" in find_fault(expected, answer("Hi !", "en"))
    assert find_fault(expected, answer("Hi !", "de")) == ""


def test_alternatives_must_be_there_and_differ() -> None:
    expected = ExpectedTranslation(text="Hi!", any=("Salut !",), alternatives=2)
    assert find_fault(expected, answer("Salut !", others=("Bonjour !", "Coucou !"))) == ""
    for others in ((), ("Bonjour !",), ("Bonjour !", "Salut\u00a0!"), ("Bonjour !", "Bonjour ! ")):
        assert "alternatives" in find_fault(expected, answer("Salut !", others=others))


def test_plain_text_has_one_form_of_each_character() -> None:
    assert normalized(" l’e\u0301te\u0301\u00a0! …\n") == "l'été ! ..."


def test_translations_are_scored_as_counted_by_hand(translate: Translate, tmp_path: Path) -> None:
    write(
        tmp_path / "animals.jsonl",
        {"text": "The king sings.", "any": ["Le roi chante."]},
        {"text": "The dog eats.\n\nThe king sings.", "keeps": ["chien", "roi"], "alternatives": 1},
        {"text": "😀 10:30", "same": True},
        {"text": "The baker runs.", "keeps": ["chat"]},
    )
    faults = [fault for _, fault in behaviour.verdicts(translate, tmp_path / "animals.jsonl")]
    assert faults[:3] == ["", "", ""]
    assert "lacks 'chat'" in faults[3]
    assert behaviour.score_sets(translate, tmp_path) == {"behaviour-animals": {"right": 0.75}}


@pytest.mark.parametrize("line", ["", "{", '{"text": "a", "wants": 1}', '{"any": ["a"]}'])
def test_a_set_that_cannot_be_read_is_named(
    translate: Translate, tmp_path: Path, line: str
) -> None:
    with pytest.raises(TrainingError, match="holds no set"):
        behaviour.score_sets(translate, tmp_path)
    (tmp_path / "bad.jsonl").write_text(line + "\n")
    with pytest.raises(TrainingError, match=r"bad\.jsonl: not a set for this task"):
        behaviour.score_sets(translate, tmp_path)
