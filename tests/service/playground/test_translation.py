"""The translation in the playground: its languages, formats, progress and links."""

import json
import string
from pathlib import Path

import httpx
from selenium import webdriver

from .. import tiny
from ..conftest import serving
from ..helpers import until
from .browser import Page

SLOW = """
const real = window.fetch;
window.fetch = async (address, options) => {
    if (String(address).endsWith("translate")) await new Promise((go) => setTimeout(go, 600));
    return real(address, options);
};
"""


def test_the_translation_turns_to_the_other_language_by_itself(page: Page) -> None:
    page.open()
    page.write("The cat is sleeping on a chair in the kitchen.")
    assert page.attribute(".translated", "lang") == "fr"
    page.write("Le chat dort sur la chaise dans la cuisine.")
    assert page.attribute(".translated", "lang") == "en"
    assert page.one("#language").text == "French, detected"
    assert page.one("#into").get_property("value") == "en"
    assert "was trained on English only" in page.one("#ner .note").text
    page.choose("#into", "fr")
    assert page.one("#translate .note").text == "The text is already in French."


def test_source_and_target_can_be_chosen(page: Page) -> None:
    page.open()
    assert page.all("#from option") == ["detect language", "English", "French"]
    assert page.all("#into option") == ["French", "English"]
    page.write("Le chat dort sur la chaise dans la cuisine.")
    page.choose("#from", "en")
    assert page.all("#into option") == ["French"]
    assert page.one("#language").text == "English"
    assert page.one(".translated").text == "LE CHAT DORT SUR LA CHAISE DANS LA CUISINE."
    query = json.loads(page.code("translate", "curl").partition("-d '")[2][:-1])
    assert (query["source"], query["target"]) == ("en", "fr")


def test_the_languages_can_be_swapped(page: Page) -> None:
    page.open()
    page.write("The cat is sleeping on a chair in the kitchen.")
    page.one("#swap").click()
    until(lambda: page.attribute(".translated", "lang") == "en")
    page.settle()
    assert page.text() == "THE CAT IS SLEEPING ON A CHAIR IN THE KITCHEN."
    assert page.one(".translated").text == "THE CAT IS SLEEPING ON A CHAIR IN THE KITCHEN."
    assert [page.one(name).get_property("value") for name in ("#from", "#into")] == ["fr", "en"]


def test_the_translation_can_be_copied(page: Page) -> None:
    page.open()
    text = "The cat sleeps.\n\nThe dog <b>sleeps</b> 😀."
    page.write(text)
    assert page.copied("#copy-translation") == "THE CAT SLEEPS.\n\nTHE DOG <b>SLEEPS</b> 😀."
    page.one("#clear").click()
    page.settle()
    assert not page.one("#copy-translation").is_displayed()


def test_a_link_brings_the_text_and_what_is_chosen(page: Page) -> None:
    page.open()
    text = "Le chat & l'eau = 100 % 😀\n#1"
    page.write(text)
    page.choose("#from", "en")
    link = page.copied("#copy-link")
    address, _, fragment = link.partition("#")
    assert address == f"{page.address}/"  # nobody but the browser sees the text
    assert "from=en" in fragment
    page.open(link=link)
    assert page.text() == text
    assert page.one("#from").get_property("value") == "en"
    assert page.one(".translated").text == text.upper()
    page.write("word " * 2000)
    page.one("#copy-link").click()
    assert page.one("#status").get_property("textContent") == "This text is too long for a link."


def test_a_long_text_is_translated_part_by_part_and_says_how_far_it_is(page: Page) -> None:
    slow = page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SLOW})
    try:
        page.open()
        text = "\n\n".join(f"The cat number {number} sleeps. " * 30 for number in range(12)) + "\n"
        script = (
            "window.seen = []; const card = document.querySelector('#translate');"
            "new MutationObserver(() => seen.push(card.querySelector('.progress span')?.textContent ?? ''))"
            ".observe(card, {childList: true, subtree: true, characterData: true});"
        )
        page.driver.execute_script(script)
        page.write(text)
        seen = {words.partition(",")[0] for words in page.driver.execute_script("return seen")}
        assert {"part 2 of 4", "part 3 of 4"} <= seen
        query = {"text": text, "source": "en", "target": "fr"}
        whole = httpx.post(f"{page.address}/translate", json=query, timeout=180).json()
        shown = page.one(".translated").get_property("textContent")
        assert shown == whole["results"][0]["translation"]
        answer = json.loads(page.code("translate", "answer"))
        assert len(answer["results"]) == 4
    finally:
        page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", slow)


def test_html_is_translated_as_html(driver: webdriver.Chrome, tmp_path: Path) -> None:
    known = {*string.ascii_letters, *string.punctuation}
    tiny.copier(tmp_path, "en", "fr", known, {"g": "b"})
    with serving(tmp_path) as client:
        page = Page(driver, str(client.base_url)).open()
        page.write('<p><a href="x.html">good</a> one</p>')
        page.choose("#format", "html")
        assert page.one(".translated").text == '<p><a href="x.html">bood</a> one</p>'
        assert 'format="html"' in page.code("translate", "python")


def test_a_translation_of_which_the_network_is_not_sure_is_marked(
    driver: webdriver.Chrome, tmp_path: Path
) -> None:
    known = {*string.ascii_letters, *string.punctuation}
    tiny.copier(tmp_path, "en", "fr", known, {}, log_probability=-1.0)  # 0.37 a token
    tiny.copier(tmp_path, "fr", "en", known, {}, log_probability=-0.6)  # 0.55
    with serving(tmp_path) as client:
        page = Page(driver, str(client.base_url)).open()
        page.write("The cat is sleeping on a chair in the kitchen.")
        assert page.all("#translate .note") == [
            "Low confidence: this translation may well be wrong."
        ]
        page.write("Le chat dort sur la chaise dans la cuisine.")
        assert page.attribute(".translated", "lang") == "en"
        assert page.all("#translate .note") == []


def test_an_unknown_language_is_said(page: Page) -> None:
    page.open().write("asdf qwer zxcv poiu lkjh")
    assert page.one("#language").text == "unknown language, read as English"
    page.write("12345")
    assert page.one("#language").text.startswith("unknown language, read as ")
    page.write("The cat is sleeping on a chair in the kitchen.")
    assert page.one("#language").text == "English, detected"


def test_a_text_in_a_language_that_is_not_served_is_told(page: Page) -> None:
    page.open().write("Der Hund schläft auf dem Sofa im Wohnzimmer.")
    assert "looks like German, which is not translated here" in page.one("#translate .note").text
