"""What the playground shows of its own samples is right: looked at in the page, as the shipped bundles answer.

What is right is written here by hand, and is never taken from an answer.
"""

import json
from dataclasses import dataclass

import httpx
import pytest
from selenium import webdriver

from service.http.pages import PLAYGROUND

from .browser import Page

SAMPLES = json.loads((PLAYGROUND / "samples.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Right:
    """What the page should show of a sample."""

    names: str = ""
    sentences: str = ""
    """A letter for each: positive, neutral, negative; `?` where people would disagree."""
    translation: tuple[str, ...] = ()
    """What every right translation holds; a bar between different ways to say it."""


RIGHT = {
    "News": Right(
        "Maria Schneider PER, Microsoft ORG, Berlin LOC, Emmanuel Macron PER, Paris LOC, Monday DATE",
        "00",
        (
            "Maria Schneider travaille pour Microsoft à Berlin.",
            "Emmanuel Macron est arrivé|Emmanuel Macron arriva",
            "à Paris lundi",
        ),
    ),
    "Review": Right(
        "",
        "+0-",
        (
            "gens sont très gentils|personnes sont très gentilles|gens sont très sympathiques",
            "près de la gare",
            "nourriture|repas",
            "terrible|affreu",
        ),
    ),
    "French": Right(
        "",
        "",
        ("Your data", "leave your server", "wo children", "football|soccer", "the park"),
    ),
    "Emoji": Right(
        "Anna PER, London LOC",
        "0++",
        (
            "Anna vit à Londres. 😀|Anna habite à Londres. 😀",
            "aime la ville|adore la ville|aime cette ville",
            "🎉",
        ),
    ),
    "Letter": Right(
        "Anna PER, Vienna LOC, Monday DATE, Yesterday DATE, Maria Schneider PER, Laura PER",
        "00-+00++0",
        ("Anna,\n\n", "à Vienne", "voyage", "musée avec Maria Schneider", "heureu", "Laura"),
    ),
    "HTML": Right(
        "",
        "",
        ("<p>", "<b>hôtel</b>", '<a href="rules.html">règles</a>', "</p>"),
    ),
}


@pytest.fixture(scope="module")
def shipped(driver: webdriver.Chrome, shipped_client: httpx.Client) -> Page:
    return Page(driver, str(shipped_client.base_url)).open()


def test_every_sample_is_looked_at() -> None:
    assert [sample["title"] for sample in SAMPLES] == list(RIGHT)


@pytest.mark.parametrize("title", RIGHT)
def test_names_are_right(shipped: Page, title: str) -> None:
    shipped.sample(title)
    script = (
        "return [...document.querySelectorAll('mark')]"
        ".map((mark) => mark.firstChild.data + ' ' + mark.querySelector('small').firstChild.data)"
    )
    assert ", ".join(shipped.driver.execute_script(script)) == RIGHT[title].names


@pytest.mark.parametrize("title", [title for title in RIGHT if RIGHT[title].sentences])
def test_the_sentiment_of_each_sentence_is_right(shipped: Page, title: str) -> None:
    shipped.sample(title)
    signs = {"positive": "+", "neutral": "0", "negative": "-"}
    shown = [signs[said.split()[0]] for said in shipped.all(".sentences span")]
    right = RIGHT[title].sentences
    assert [sign if sign == "?" else said for sign, said in zip(right, shown, strict=True)] == [
        *right
    ]


@pytest.mark.parametrize("title", RIGHT)
def test_the_translation_is_right(shipped: Page, title: str) -> None:
    shipped.sample(title)
    shown = shipped.one("#translate .body").text
    missing = [
        words
        for words in RIGHT[title].translation
        if not any(word in shown for word in words.split("|"))
    ]
    assert not missing, shown
    assert "Low confidence" not in shown
