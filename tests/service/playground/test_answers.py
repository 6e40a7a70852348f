"""What the playground shows of entities and sentiment, and the request as code."""

import json
import shlex
from pathlib import Path

import httpx
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from .. import tiny
from ..conftest import serving
from ..helpers import until
from .browser import Page


def test_offsets_are_right_among_emoji_and_markup_stays_text(page: Page) -> None:
    page.open()
    text = "😀 <b>Ada Lovelace</b> 👩‍👩‍👧‍👦 & London 🇬🇧"
    page.write(text)
    script = "return [...document.querySelectorAll('mark')].map((mark) => mark.firstChild.data)"
    assert page.driver.execute_script(script) == ["Ada Lovelace", "London"]
    read = "const read = document.querySelector('.read').cloneNode(true);"
    bare = (
        "read.querySelectorAll('small').forEach((each) => each.remove()); return read.textContent"
    )
    assert page.driver.execute_script(read + bare) == text
    page.one("#ner summary").click()
    units = text.encode("utf-16-le")
    for row in page.driver.find_elements(By.CSS_SELECTOR, "#ner tbody tr"):
        name, _, start, end, _ = (cell.text for cell in row.find_elements(By.TAG_NAME, "td"))
        assert units[2 * int(start) : 2 * int(end)].decode("utf-16-le") == name


def test_labels_and_scores_choose_which_names_are_shown(page: Page) -> None:
    page.open()
    page.write("Ada Lovelace in London")
    assert len(page.all("mark")) == 2
    chip = page.one("#labels button[aria-pressed=true]")  # LOC
    chip.click()
    page.settle()
    assert chip.get_attribute("aria-pressed") == "false"
    assert ["PER" in mark for mark in page.all("mark")] == [True]
    slider = page.one("#least")
    slider.send_keys(Keys.END)
    assert page.one("#least-shown").text == "95 %"
    assert json.loads(page.code("ner", "curl").partition("-d '")[2][:-1])["min_score"] == 0.95


def test_each_sentence_has_its_own_bar(page: Page) -> None:
    page.open()
    page.write("A good good table. It is awful, awful!")
    assert page.all(".sentences p") == ["A good good table.", "It is awful, awful!"]
    assert [said.split()[0] for said in page.all(".sentences span")] == ["positive", "negative"]
    legend = page.all("#sentiment .legend li")
    assert [line.split()[0] for line in legend] == ["negative", "neutral", "positive"]


def test_very_many_names_do_not_stop_the_browser(page: Page) -> None:
    page.open()
    page.write("London good. " * 1000)
    assert len(page.all("mark")) == 500
    assert "Only the first 500 of 1,000 entities" in page.one("#ner .note").text
    assert len(page.one("#code code").text) < 2000


def test_what_is_copied_does_the_same(page: Page) -> None:
    page.open()
    text = 'It\'s "Ada Lovelace", \\ in\nLondon 😀'
    page.write(text)
    answer = json.loads(page.code("ner", "answer"))
    page.code("ner", "curl")
    words = shlex.split(page.copied("#copy").replace("\\\n", " "))
    assert words[:3] == ["curl", "-s", f"{page.address}/ner"]
    body = words[words.index("-d") + 1]
    assert json.loads(body)["text"] == text
    headers = {"Content-Type": "application/json"}
    same = httpx.post(words[2], content=body.encode(), headers=headers, timeout=180).json()
    assert [entity["text"] for entity in same["results"][0]["entities"]] == [
        entity["text"] for entity in answer["results"][0]["entities"]
    ]


def test_only_what_is_served_is_shown(driver: webdriver.Chrome, tmp_path: Path) -> None:
    tiny.ner(tmp_path)
    with serving(tmp_path) as client:
        page = Page(driver, str(client.base_url)).open()
        page.write("Ada Lovelace")
        assert [small.split()[0] for small in page.all("mark small")] == ["PER"]
        assert page.all("main > section:not([hidden]) h2") == [
            "Your text", "Entities", "The same request from your own program",
        ]  # fmt: skip
        assert page.all("#code-task label") == ["Entities"]
        assert page.complaints() == []


def test_a_model_can_be_picked_where_there_are_several(
    driver: webdriver.Chrome, tmp_path: Path
) -> None:
    tiny.ner(tmp_path)
    tiny.sentiment(tmp_path)
    tiny.sentiment(tmp_path, {"refund": "bad"}, name="tickets", labels=["bad", "fine"])
    with serving(tmp_path) as client:
        page = Page(driver, str(client.base_url)).open()
        page.write("a good refund")
        assert page.one("#sentiment .verdict b").text == "positive"
        assert not page.driver.find_elements(By.CSS_SELECTOR, "#ner select")
        page.one("#sentiment select").send_keys("tickets")
        until(lambda: page.all("#sentiment .verdict b") == ["bad"])
        assert 'model="tickets"' in page.code("sentiment", "python")
        assert page.violations() == []


def test_a_classifier_with_a_name_of_its_own_is_shown(
    driver: webdriver.Chrome, tmp_path: Path
) -> None:
    tiny.sentiment(tmp_path, {"refund": "bad"}, name="tickets", labels=["bad", "fine"])
    with serving(tmp_path) as client:
        page = Page(driver, str(client.base_url)).open()
        page.write("a refund")
        assert page.one("#sentiment .verdict b").text == "bad"


def test_names_of_low_confidence_are_dashed(driver: webdriver.Chrome, tmp_path: Path) -> None:
    tiny.ner(tmp_path, certainty=0.5)
    with serving(tmp_path) as client:
        page = Page(driver, str(client.base_url)).open()
        page.write("London")
        assert page.all("mark.low")
        assert page.all("#ner .note") == ["Dashed: low confidence, below 50 %."]


def test_sentiment_of_low_confidence_is_said(page: Page) -> None:
    page.open().write("A good, awful thing.")
    assert page.one("#sentiment .verdict span").text.endswith("low confidence")
    page.write("A good thing.")
    assert "low" not in page.one("#sentiment").text
