"""Every answer that README, documentation and /docs show is the one that the shipped bundles give."""

import json
import re
from pathlib import Path

import httpx
import pytest

from .samples import PAGES, ROOT, Sample, layout, same, samples

SAMPLES = list(samples())


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_an_answer_is_the_one_that_is_shown(sample: Sample, shipped_client: httpx.Client) -> None:
    answer = sample.answer(shipped_client)
    assert same(answer, json.loads(sample.shown)), f"`make samples` writes {layout(answer)}"


def test_readme_shows_a_call_of_each_task() -> None:
    calls = " ".join(sample.call for sample in SAMPLES if sample.place == ROOT / "README.md")
    assert all(f":8000/{task} " in calls for task in ("ner", "sentiment", "translate"))


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_answer_of_a_page_is_a_sample_or_that_of_a_server_of_its_own(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    above = re.findall(r"```sh\n([^`]*)```\n+```json\n", text)
    assert len(above) == text.count("```json\n")
    ours = [call for call in above if ":9000" not in call]
    assert ours == [sample.call for sample in SAMPLES if sample.place == page]


@pytest.mark.parametrize(
    ("answer", "shown", "equal"),
    [
        ({"score": 0.5012}, {"score": 0.5}, True),
        ({"score": 0.51}, {"score": 0.5}, False),
        ({"label": "PER"}, {"label": "LOC"}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ([1, 2], [1], False),
        ({"request_id": "1"}, {"request_id": "2"}, True),
    ],
)
def test_only_the_last_digits_of_a_score_may_differ(
    answer: object, shown: object, equal: bool
) -> None:
    assert same(answer, shown) is equal


def test_a_sample_is_written_where_it_stands(tmp_path: Path) -> None:
    alone = tmp_path / "example_answer.json"
    alone.write_text("{}\n")
    Sample(alone, "ner", "{}\n").write({"a": [1]})
    assert alone.read_text() == '{"a": [1]}\n'
    page = tmp_path / "page.md"
    page.write_text("```json\n{}\n```\n```sh\ncurl\n```\n```json\n{}\n```\n")
    Sample(page, "curl\n", "{}\n").write({"a": [1]})
    assert page.read_text() == '```json\n{}\n```\n```sh\ncurl\n```\n```json\n{"a": [1]}\n```\n'
