"""The classifier's own parts: stretches of long texts, the labels of a corpus, calibration, behaviour."""

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from service.tasks.sentiment import Sentiment
from training import behaviour, sentiment
from training.__main__ import main
from training.sentiment import LABELS, Text


def test_a_stretch_is_of_the_text_and_no_end_is_neglected() -> None:
    torch.manual_seed(0)
    assert sentiment.stretch_of([1, 2, 3], 5) == [1, 2, 3]
    ids = list(range(30))
    seen: Counter[int] = Counter()
    for _ in range(2000):
        stretch = sentiment.stretch_of(ids, 10)
        assert stretch == list(range(stretch[0], stretch[0] + 10))
        seen.update(stretch)
    assert seen.keys() == set(ids)
    assert min(seen.values()) > 2000 * 10 / 30 / 2


def test_a_file_knows_the_labels_it_has() -> None:
    texts = [Text([1], 0, 0), Text([1], 2, 0), Text([1], 1, 1)]
    assert sentiment.labels_by_file(texts, 3).int().tolist() == [[1, 0, 1], [1, 1, 1]]


def test_pairs_are_of_neighbours_and_padding_adds_none() -> None:
    ids = torch.tensor([[5, 7, 9], [5, 7, 0]])
    rows = sentiment.pairs_of(ids, 1_000_003)
    assert rows[0, 0] == rows[1, 0]
    assert rows[0, 1] != rows[1, 1]
    assert sentiment.pairs_of(ids[1:, :2], 1_000_003).tolist() == rows[1:, :2].tolist()


def test_calibration_finds_temperature_growth_and_prior() -> None:
    torch.manual_seed(0)
    network = sentiment.Network(sentiment.Architecture(hidden=3, embedding=3), 10, 3)
    lengths = torch.randint(1, 200, (60_000,))
    true = torch.randn(60_000, 3) * 2
    gold = torch.distributions.Categorical(logits=true).sample().tolist()
    texts = [Text([1] * length, label, 0) for length, label in zip(lengths, gold, strict=True)]
    prejudice = torch.tensor([1.0, 0.0, -1.0])
    given = 2.5 * (true + prejudice) / lengths[:, None].clamp(max=100) ** 0.3
    sentiment.calibrate(network, given, texts, 100)
    assert abs(float(network.temperature) - 2.5) < 0.2
    assert abs(float(network.growth) - 0.3) < 0.02
    assert torch.allclose(network.prior, -prejudice, atol=0.05)


def test_a_label_that_a_file_lacks_does_not_count_in_its_calibration() -> None:
    torch.manual_seed(0)
    network = sentiment.Network(sentiment.Architecture(hidden=3, embedding=3), 10, 3)
    logits = torch.randn(2000, 3)
    logits[:, 1] = -10_000.0
    gold = (functional.softmax(logits, -1)[:, 2] > torch.rand(2000)).long() * 2
    sentiment.calibrate(network, logits, [Text([1], int(label), 0) for label in gold], 10)
    assert abs(float(network.prior[1])) < 0.01


SETS = sorted(path for path in behaviour.FOLDER.glob("*.jsonl") if path.stem != behaviour.SWAPS)


def test_there_is_a_set_for_each_phenomenon() -> None:
    assert len(SETS) == 13


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_a_set_has_fifty_inputs_and_all_labels(path: Path) -> None:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len({row["text"] for row in rows}) == len(rows) >= 50
    assert {row["label"] for row in rows} == set(LABELS)


def test_no_set_is_trained_on() -> None:
    written = behaviour.FOLDER.with_name("remarks.jsonl").read_text(encoding="utf-8").splitlines()
    trained_on = {json.loads(line)["text"].casefold().strip(".!? ") for line in written}
    for path in SETS:
        for line in path.read_text(encoding="utf-8").splitlines():
            text = json.loads(line)["text"].casefold().strip(".!? ")
            assert not text or text not in trained_on, f"{path.stem}: {text}"


def test_swaps_change_a_sentence_in_one_place() -> None:
    swaps = (behaviour.FOLDER / "swaps.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in swaps]
    assert len(rows) >= 50
    for row in rows:
        assert len(set(row["texts"])) == len(row["texts"]) >= 8


def test_behaviour_is_scored_as_counted_by_hand(sentiment: Sentiment, tmp_path: Path) -> None:
    rows = [
        ("What a superb film !", "positive"),
        ("The meal was awful .", "negative"),
        ("The meal was superb .", "negative"),
        ("I had a wooden phone today .", "neutral"),
    ]
    lines = [json.dumps({"text": text, "label": label}) + "\n" for text, label in rows]
    (tmp_path / "odd.jsonl").write_text("".join(lines))
    same = {"texts": ["What a superb film !", "What a superb book !", "What a superb meal !"]}
    other = {"texts": ["What a superb film !", "What a superb song !", "What a awful film !"]}
    (tmp_path / "swaps.jsonl").write_text(f"{json.dumps(same)}\n{json.dumps(other)}\n")
    assert behaviour.scored(sentiment, tmp_path) == {
        "behaviour-odd": {"accuracy": 0.75},
        "behaviour-swaps": {"same_label": 0.75},
    }


def test_the_command_prints_every_set_and_what_is_wrong(
    sentiment_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["behaviour", str(sentiment_path), "--wrong", "True"]) == 0
    printed = capsys.readouterr().out
    for path in SETS:
        assert f"behaviour-{path.stem} " in printed
    assert "is positive, not" in printed


def test_the_command_is_for_classifiers(ner_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["behaviour", str(ner_path)]) == 1
    assert "is no classifier" in capsys.readouterr().err
