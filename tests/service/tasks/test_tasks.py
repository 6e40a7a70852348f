"""What holds of every answer: the same in any company, true to the text, and of the whole text."""

import math
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.tasks.base import predict, run_grouped
from service.tasks.ner.task import Ner
from service.tasks.sentiment.task import Sentiment
from service.tasks.text import Unit, sentences
from service.tasks.translate.task import Translate

BLANK = ["", " ", "\n\r\n\t", "\u00a0\u2003"]
TEXTS = [
    *BLANK,
    "Ada Lovelace lives in Paris .",
    "In Oslo we met Max Planck .",
    "What a superb film !",
    "The cat sleeps.",
    "The black dog eats. The king sings!\n\nThe grey baker runs.",
    "😀 Ada Lovelace 👩‍👩‍👧 lives in e\u0301t\u00e9 Paris 😀 .",
    "深度学习 Paris مرحبا\r\nOslo\x00\u200b .",
    "The meal was awful . " * 9,
    "word " * 70,
    "x" * 300,
    "THE CAT SLEEPS. Write to ada@example.org, www.example.org and @ada !",
]


@pytest.fixture(params=["ner", "sentiment", "translate"])
def task(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def options(task: Any) -> dict[str, Any]:
    """The options that make the most work."""
    if isinstance(task, Sentiment):
        return {"sentences": True}
    return {"alternatives": 4} if isinstance(task, Translate) else {}


def test_a_text_gets_the_same_answer_alone_and_in_any_batch(task: Any) -> None:
    request = task.request("", **options(task))
    alone = [predict(task, [text], request)[0] for text in TEXTS]
    assert predict(task, TEXTS, request) == alone
    order = list(range(len(TEXTS)))
    for seed in range(3):
        random.Random(seed).shuffle(order)
        answers = predict(task, [TEXTS[index] for index in order], request)
        assert answers == [alone[index] for index in order]
    assert predict(task, ["The cat sleeps."] * 40, request) == [alone[7]] * 40


@given(texts=st.lists(st.text(max_size=40), min_size=1, max_size=4))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_text_gets_an_answer_and_the_same_among_others(task: Any, texts: list[str]) -> None:
    request = task.request("", **options(task))
    together = predict(task, texts, request)
    assert together == [predict(task, [text], request)[0] for text in texts]


def test_windows_are_of_at_most_the_limit(task: Any) -> None:
    limit = task.bundle.manifest.limits.max_tokens
    request = task.request("")
    lengths = [window.length for text in TEXTS for window in task.encode(text, request)]
    assert max(lengths) <= limit
    assert min(lengths) >= 1
    for text in BLANK:
        assert task.encode(text, request) == []


def test_an_unknown_word_is_counted(ner: Ner, sentiment: Sentiment) -> None:
    assert [w.unknown for w in ner.encode("In zzz we", ner.request(""))] == [1]
    assert [w.unknown for w in sentiment.encode("zzz film zzz", sentiment.request(""))] == [2]


def test_outputs_come_in_the_order_of_the_windows(sentiment: Sentiment) -> None:
    request = sentiment.request("")
    windows = [w for text in TEXTS for w in sentiment.encode(text, request)]
    batches = []

    def run(batch: Any) -> list[int]:
        batches.append([window.length for window in batch])
        return [window.length for window in batch]

    assert run_grouped(run, windows, tokens=30) == [window.length for window in windows]
    assert len(batches) > 1
    assert all(max(batch) * len(batch) <= 30 for batch in batches)


# --- names

LONG = "Ada Lovelace lives in Paris . " * 5 + "Then nothing " * 10 + ". In Oslo we met Max Planck ."


@pytest.mark.parametrize("unit", ["codepoint", "utf16", "byte"])
@pytest.mark.parametrize("text", [*TEXTS, "😀 é " + LONG])
def test_an_entity_is_what_stands_at_its_offsets(ner: Ner, text: str, unit: Unit) -> None:
    (result,) = predict(ner, [text], ner.request("", offsets=unit))
    encoding, width = {"codepoint": ("utf-32-le", 4), "utf16": ("utf-16-le", 2), "byte": ("utf-8", 1)}[
        unit
    ]  # fmt: skip
    data = text.encode(encoding)
    end = 0
    for entity in result.entities:
        assert end <= entity.start < entity.end
        assert data[entity.start * width : entity.end * width].decode(encoding) == entity.text
        assert 0 <= entity.score <= 1
        assert entity.label in ner.bundle.manifest.labels
        end = entity.end


def test_a_text_longer_than_the_window_is_read_whole(ner: Ner) -> None:
    request = ner.request("")
    assert len(ner.encode(LONG, request)) > 4
    (result,) = predict(ner, [LONG], request)
    found = [(entity.text, entity.label) for entity in result.entities]
    assert found.count(("Ada Lovelace", "PER")) == 5
    assert found.count(("Paris", "LOC")) == 5
    assert found[-2:] == [("Oslo", "LOC"), ("Max Planck", "PER")]
    assert result.entities[-1].start == LONG.index("Max Planck")


def test_entities_are_kept_by_label_and_by_score(ner: Ner) -> None:
    (every,) = predict(ner, [LONG], ner.request(""))
    (places,) = predict(ner, [LONG], ner.request("", labels=["LOC"]))
    assert places.entities == [entity for entity in every.entities if entity.label == "LOC"]
    assert predict(ner, [LONG], ner.request("", labels=[]))[0].entities == []
    bar = sorted(entity.score for entity in every.entities)[len(every.entities) // 2]
    (sure,) = predict(ner, [LONG], ner.request("", min_score=bar))
    assert {entity.score for entity in sure.entities} <= {
        entity.score for entity in every.entities if entity.score >= bar - 1e-4
    }
    assert 0 < len(sure.entities) <= len(every.entities)


def test_the_odds_of_a_score_are_moved_as_the_bundle_says(ner: Ner) -> None:
    def scores(log_odds: dict[str, float]) -> list[tuple[str, float]]:
        options = {**ner.bundle.manifest.options, "log_odds": log_odds}
        manifest = ner.bundle.manifest.model_copy(update={"options": options})
        task = Ner(replace(ner.bundle, manifest=manifest))
        (result,) = predict(task, [LONG], task.request(""))
        return [(entity.label, entity.score) for entity in result.entities]

    before, after = scores({}), scores({"LOC": math.log(3)})
    assert [label for label, _ in before] == [label for label, _ in after]
    assert {label for label, _ in before} == {"LOC", "PER"}
    for (label, sure), (_, surer) in zip(before, after, strict=True):
        expected = 3 * sure / (3 * sure + 1 - sure) if label == "LOC" else sure
        assert surer == pytest.approx(expected, abs=2e-4)
    assert before != after


@pytest.mark.parametrize("text", BLANK)
def test_a_blank_text_has_no_entity(ner: Ner, text: str) -> None:
    assert predict(ner, [text], ner.request(""))[0].entities == []


# --- sentiment


def test_scores_are_probabilities_and_the_label_is_the_likeliest(sentiment: Sentiment) -> None:
    for result in predict(sentiment, TEXTS[4:], sentiment.request("")):
        assert list(result.scores) == ["negative", "neutral", "positive"]
        assert abs(sum(result.scores.values()) - 1) < 2e-4
        assert result.score == max(result.scores.values()) == result.scores[result.label]
        assert result.sentences is None


@pytest.mark.parametrize("text", BLANK)
def test_a_blank_text_is_neutral_without_certainty(sentiment: Sentiment, text: str) -> None:
    (result,) = predict(sentiment, [text], sentiment.request("", sentences=True))
    assert (result.label, result.score, result.sentences) == ("neutral", 0.0, [])
    assert set(result.scores.values()) == {0.0}
    assert result.predictions() == []


@pytest.mark.parametrize("unit", ["codepoint", "utf16", "byte"])
def test_each_sentence_is_judged_as_it_would_be_alone(sentiment: Sentiment, unit: Unit) -> None:
    text = " 😀 What a superb film! The meal was awful .\n\nI had a weekly trip today . " * 3
    request = sentiment.request("", sentences=True, offsets=unit)
    (result,) = predict(sentiment, [text], request)
    assert result.sentences is not None
    spans = sentences(text, "en")
    assert [one.text for one in result.sentences] == [text[start:end] for start, end in spans]
    for one, (start, end) in zip(result.sentences, spans, strict=True):
        (alone,) = predict(sentiment, [one.text], sentiment.request(""))
        assert (one.label, one.score, one.scores) == (alone.label, alone.score, alone.scores)
        if unit == "byte":
            assert one.start == len(text[:start].encode())
            assert one.end == len(text[:end].encode())
        elif unit == "codepoint":
            assert (one.start, one.end) == (start, end)


def test_the_view_by_sentence_does_not_change_the_whole(sentiment: Sentiment) -> None:
    for text in TEXTS:
        (plain,) = predict(sentiment, [text], sentiment.request(""))
        (viewed,) = predict(sentiment, [text], sentiment.request("", sentences=True))
        assert (plain.label, plain.scores) == (viewed.label, viewed.scores)


def test_the_end_of_a_long_text_counts(sentiment: Sentiment) -> None:
    start = "I had a weekly trip today . " * 6
    texts = [start + "What a superb film ! " * 6, start + "The meal was awful . " * 6]
    good, bad = predict(sentiment, texts, sentiment.request(""))
    assert good.scores["positive"] > bad.scores["positive"] + 0.2
    assert bad.scores["negative"] > good.scores["negative"] + 0.2


# --- translation


def test_a_translation_keeps_lines_and_the_white_space_around_sentences(
    translate: Translate,
) -> None:
    text = "  The cat sleeps.\n\n\tThe dog eats.  The king sings.\r\n\u00a0The baker runs. \n"
    (result,) = predict(translate, [text], translate.request(""))
    parts, end = [], 0
    for start, stop in sentences(text, "en"):
        (alone,) = predict(translate, [text[start:stop]], translate.request(""))
        parts += [text[end:start], alone.translation]
        end = stop
    assert result.translation == "".join([*parts, text[end:]])
    assert len(parts) == 8
    assert result.translation.startswith("  ")
    assert "\n\n\t" in result.translation
    assert result.translation.endswith(" \n")


def test_a_sentence_longer_than_the_window_is_translated_in_parts(translate: Translate) -> None:
    text = "the black cat and the green dog and " * 8 + "the king"
    windows = translate.encode(text, translate.request(""))
    assert len(windows) > 1
    end = 0
    for window in windows:
        assert text[end : window.span[0]].strip() == ""
        assert window.span[0] < window.span[1]
        end = window.span[1]
    assert end == len(text)
    (result,) = predict(translate, [text], translate.request(""))
    assert result.translation.strip()


def test_alternatives_differ_from_each_other_and_from_the_translation(
    translate: Translate,
) -> None:
    texts = ["The cat sleeps.", "The black dog eats. The king sings!", "zzz"]
    for wanted in range(5):
        request = translate.request("", alternatives=wanted)
        for plain, result in zip(
            predict(translate, texts, translate.request("")),
            predict(translate, texts, request),
            strict=True,
        ):
            assert (result.translation, result.score) == (plain.translation, plain.score)
            assert (result.alternatives is None) == (wanted == 0)
            alternatives = result.alternatives or []
            assert len(alternatives) <= wanted
            others = [other.translation for other in alternatives]
            assert len({result.translation, *others}) == 1 + len(others)
            scores = [other.score for other in alternatives]
            assert scores == sorted(scores, reverse=True)
    (result,) = predict(translate, texts[:1], translate.request("", alternatives=2))
    assert result.alternatives is not None
    assert len(result.alternatives) == 2


@pytest.mark.parametrize("text", BLANK)
def test_the_translation_of_a_blank_text_is_empty_and_sure_of_nothing(
    translate: Translate, text: str
) -> None:
    (result,) = predict(translate, [text], translate.request("", alternatives=2))
    assert (result.translation, result.score, result.alternatives) == ("", 0.0, [])
    assert (result.source, result.target) == ("en", "fr")
    assert result.predictions() == []


def test_special_tokens_in_a_text_are_text(translate: Translate) -> None:
    (window,) = translate.encode("a</s>b <pad>", translate.request(""))
    assert window.ids[-1] == 2
    assert not {0, 1, 2} & set(window.ids[:-1])


@pytest.mark.parametrize("seed", range(4))
def test_sentences_that_join_and_leave_at_any_step_change_no_translation(
    translate: Translate, seed: int
) -> None:
    chance = random.Random(seed)
    words = ["the", "cat", "sleeps", "and", "a", "black", "dog", "eats", "while", "kings", "sing"]
    windows = []
    for number in range(24):
        text = " ".join(chance.choices(words, k=1 + number % 12))
        windows += translate.encode(text, translate.request("", alternatives=number % 3))
    alone = [translate.run([window])[0] for window in windows]

    running, waiting = translate.begin(), list(enumerate(windows))
    inside: dict[int, int] = {}
    gone, found = set(), {}
    while waiting or inside:
        joining = [waiting.pop(0) for _ in range(min(len(waiting), chance.randrange(4)))]
        if joining:
            handles = running.join([window for _, window in joining])
            inside |= dict(zip(handles, (index for index, _ in joining), strict=True))
        if inside and chance.random() < 0.1:
            handle = chance.choice(list(inside))
            running.leave([handle])
            gone.add(inside.pop(handle))
        for handle, output in running.step():
            found[inside.pop(handle)] = output
    assert gone
    assert found == {index: alone[index] for index in range(len(windows)) if index not in gone}
