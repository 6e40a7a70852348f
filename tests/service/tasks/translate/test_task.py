"""Translation from text to text, by a network that writes what it reads: all that is around it."""

from pathlib import Path
from typing import Any

import pytest

from service import tasks
from service.tasks.base import predict
from service.tasks.translate.reading import SPECIAL
from service.tasks.translate.task import Translate
from tests.service import tiny

from .alphabet import KNOWN


def opened(folder: Path, source: str, target: str, **options: Any) -> Translate:
    bundle = tiny.copier(folder, source, target, KNOWN, {}, tiny.SEARCH | options)
    task = tasks.open_bundle(bundle)
    assert type(task) is Translate
    return task


@pytest.fixture(scope="module")
def french(tmp_path_factory: pytest.TempPathFactory) -> Translate:
    return opened(tmp_path_factory.mktemp("models"), "en", "fr")


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Translate:
    return opened(tmp_path_factory.mktemp("models"), "fr", "en")


def translated(task: Translate, text: str) -> str:
    (result,) = predict(task, [text], task.request(text))
    assert not set(result.translation) & set(SPECIAL)
    return str(result.translation)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Stop! It is 3:30 pm.", "Stop ! It is 15 h 30."),
        ("He said: “Hi {name}!”", "He said : « Hi {name} ! »"),
        ("It’s $1,250.50 at https://x.org?", "It’s 1 250,50 $ at https://x.org ?"),
        ("WHERE IS a.b@x.org?", "WHERE IS a.b@x.org ?"),
        ("soft\u00adly e\u0301te\u0301\ufeff", "softly été"),
        ("\ufeffE\u0301te\u0301", "Été"),
        ("Run `rm -rf` in /tmp, 👍🏽!", "Run `rm -rf` in /tmp, 👍🏽 !"),
    ],
)
def test_a_sentence_is_printed_as_the_target_language_does(
    french: Translate, text: str, wanted: str
) -> None:
    assert translated(french, text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("«\u00a0L’été\u202f!\u00a0» Ça va ?", "“L’ été!” Ça va?"),
        ("Il est 20h15 : 1 250,5 %", "Il est 8:15 pm: 1,250.5%"),
    ],
)
def test_french_is_read_without_its_spaces(english: Translate, text: str, wanted: str) -> None:
    assert translated(english, text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "- milk\n- bread 🎉\n\n  * 🍕 pizza\r\n> hi",
        "1. milk\n2) bread\n(b) eggs",
        "# Title\n\nSome **bold** text and [a link](https://x.org/a).\n\n```\nx = 5\n```\n",
        "| Name | Price |\n|------|-------|\n| Tea | 5 |\n",
        "1\n00:00:01,000 --> 00:00:02,500\nHello there,\nmy friend.\n\n2\n00:00:03,000 --> 00:00:04,000\nBye.\n",
        "A sentence that is\n  wrapped over\n  three lines.\n\nAnother.",
        "  One.\t Two.\r\n\u00a0Three. \n",
        "<p>Hello <b>you</b></p>",
        "See WWW.EXAMPLE.ORG/path. It is there.",
    ],
)
def test_lines_lists_markup_and_white_space_stay(french: Translate, text: str) -> None:
    assert translated(french, text) == text


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
        "😀 see@example.org, https://example.org/path 42",
        "@sam_lee #GoodNews report_v3.pdf",
        "{name}: %s",
        "```\ncode here\n```",
        "\ufffd \ue020",
    ],
)
def test_a_text_without_words_comes_back_as_it_is(french: Translate, text: str) -> None:
    request = french.request(text, alternatives=2)
    assert french.encode(text, request) == []
    (result,) = predict(french, [text], request)
    assert (result.translation, result.score, result.alternatives) == (text, 0.0, [])


def test_a_long_sentence_is_read_in_parts_with_all_that_is_in_it(french: Translate) -> None:
    text = "A Cat sees {name}, and the Dog, " * 5 + "at 80000 o'clock."
    windows = french.encode(text, french.request(text))
    assert len(windows) > 3
    assert all(window.length <= 50 for window in windows)
    assert [window.first for window in windows] == sorted(window.first for window in windows)
    assert translated(french, text) == text


def test_a_word_longer_than_the_network_reads_is_cut_anywhere(french: Translate) -> None:
    assert translated(french, "x" * 130) == "x" * 130


def test_a_sentence_has_another_reading_with_all_its_numbers_taken_over(french: Translate) -> None:
    (sentence,) = french.encode("Room 5, 80000.", french.request(""))
    assert sentence.text == " room 5, \ue010."
    assert sentence.numbered
    assert sentence.numbered.text == " room \ue011, \ue010."
    assert sentence.numbered.span == sentence.span
    (sentence,) = french.encode("A room.", french.request(""))
    assert sentence.numbered is None


@pytest.mark.parametrize("beam", [1, 2, 5])
def test_there_are_alternatives_at_any_width(tmp_path: Path, beam: int) -> None:
    task = opened(tmp_path, "en", "fr", beam=beam)
    text = "See {name}. Hello you."
    (plain,) = predict(task, [text], task.request(text))
    (result,) = predict(task, [text], task.request(text, alternatives=3))
    assert (result.translation, result.score) == (plain.translation, plain.score)
    assert result.alternatives is not None
    assert len(result.alternatives) == 3
    others = {other.translation for other in result.alternatives}
    assert len({result.translation, *others}) == 4
    assert all(other.count("{name}") == 1 for other in others)


def test_a_translation_may_repeat_what_its_source_does(french: Translate) -> None:
    for text in ["no no no no no", "hahahaha", "na na na na na na hey"]:
        assert translated(french, text) == text
