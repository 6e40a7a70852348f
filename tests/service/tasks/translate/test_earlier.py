"""Translators of version 5 and before, which answer as they did when they were published."""

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from service import tasks
from service.tasks.base import predict
from service.tasks.translate.beam import Hypothesis
from service.tasks.translate.earlier import EarlierTranslate, EarlierTranslating, Sentence
from tests.service import tiny


@pytest.fixture(scope="module")
def shouting(tmp_path_factory: pytest.TempPathFactory) -> EarlierTranslate:
    """Writes in capitals what reaches the network."""
    task = tasks.open_bundle(tiny.translator(tmp_path_factory.mktemp("models"), "en", "fr"))
    assert isinstance(task, EarlierTranslate)
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
    shouting: EarlierTranslate, text: str, wanted: str
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
def test_a_text_without_words_comes_back_as_it_is(shouting: EarlierTranslate, text: str) -> None:
    request = shouting.request(text, alternatives=2)
    assert shouting.encode(text, request) == []
    (result,) = predict(shouting, [text], request)
    assert (result.translation, result.score, result.alternatives) == (text, 0.0, [])


def test_a_bundle_of_before_translates_everything(tmp_path: Path) -> None:
    bundle = tiny.translator(tmp_path, "en", "fr", options={"beam": 1, "length_penalty": 1.0})
    task = tasks.open_bundle(bundle)
    assert isinstance(task, EarlierTranslate)
    assert [window.span for window in task.encode("- a 😀\n12", task.request(""))] == [
        (0, 5),
        (6, 8),
    ]
    assert [window.repeats for window in task.encode("a\nb", task.request(""))] == [10**6] * 2


SPELLING = tiny.SEARCH | {"capitals": True, "stand_ins": ["Zed", "Kim"]}


def opened(folder: Path, source: str, target: str, options: dict[str, Any]) -> EarlierTranslate:
    task = tasks.open_bundle(tiny.translator(folder, source, target, options))
    assert isinstance(task, EarlierTranslate)
    return task


def read(task: EarlierTranslate, text: str) -> list[str]:
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


def test_a_bundle_that_asks_for_neither_reads_what_is_there(shouting: EarlierTranslate) -> None:
    assert read(shouting, "WRITE TO a.b@example.org") == ["WRITE TO a.b@example.org"]


def test_a_long_sentence_is_read_in_pieces_with_its_addresses(tmp_path: Path) -> None:
    task = opened(tmp_path, "fr", "en", SPELLING)
    text = "LE CHAT " * 8 + "VOIT a@b.org " + "ET DORT " * 5 + "!"
    assert len(pieces := read(task, text)) > 2
    # the tokenizer of these tests counts the space before a word to it
    assert "".join(pieces).replace("Zed", "a@b.org") == text.capitalize()
    (result,) = predict(task, [text], task.request(text))
    assert result.translation.replace(" ", "") == text.replace(" ", "")


def finished(task: EarlierTranslate, sentence: Sentence, holds: Any) -> list[Hypothesis]:
    batch = EarlierTranslating(task.search, task.encode_batch, holds, beam=2)
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
    windows: list[Any] = [sentence]  # `decode` is that of today's translators
    result = task.decode(text, task.request(text), windows, [spelled])
    assert result.translation == "VOIR AUSSI A@B.ORG"
    assert sentence.spelled
    assert spelled[0] == finished(task, sentence.spelled, lambda *_: True)[0]


def test_a_translation_may_repeat_what_its_source_does(shouting: EarlierTranslate) -> None:
    texts = ["no no no no no", "hahahaha", "na na na na na na na na hey"]
    answers = predict(shouting, texts, shouting.request(texts))
    assert [answer.translation for answer in answers] == [text.upper() for text in texts]
