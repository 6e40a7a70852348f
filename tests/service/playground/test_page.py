"""The playground in a real browser: used by clicks and by keys, and looked at by axe.

The tiny bundles answer, so every name, score and translation is known.
"""

from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from ..conftest import running, serving
from ..helpers import until
from .browser import Page

DELAY = """
const real = window.fetch;
window.fetch = async (address, options = {}) => {
    const body = String(options.body);
    // a network that goes on with what nobody waits for any more
    const answer = await real(address, { ...options, signal: undefined });
    if (body.includes("slow")) await new Promise((go) => setTimeout(go, 1500));
    return answer;
};
"""


def test_it_opens_with_a_sample_answered_by_every_task(page: Page) -> None:
    page.open()
    assert page.text()
    for task in ("ner", "sentiment", "translate"):
        timing = page.one(f"#{task} .timing summary")
        assert timing.text.startswith(task)
        assert timing.text.endswith(" ms")
        assert not page.one(f"#{task} .timing li").is_displayed()
        timing.click()
        phases = [line.split()[0] for line in page.all(f"#{task} .timing li")]
        assert phases == ["queue", "encode", "run", "decode", "network"]
    assert page.complaints() == []


def test_answers_come_while_one_types(page: Page) -> None:
    page.open()
    page.one("#clear").click()
    assert page.all(".body .empty") == ["No text yet."] * 3
    page.one("#text").send_keys("Ada Lovelace in London is good")
    until(lambda: page.all(".verdict b") == ["positive"])  # its last word says so
    page.settle()
    assert [small.split()[0] for small in page.all("mark small")] == ["PER", "LOC"]
    assert page.one(".verdict b").text == "positive"
    assert page.one(".translated").text
    assert page.one("#language").text == "English, detected"


def test_the_samples_are_reached_and_chosen_by_keys_alone(page: Page) -> None:
    page.open()
    body = page.one("body")
    body.send_keys(Keys.TAB)
    assert page.driver.switch_to.active_element.text == "Skip to the text"
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.one("#text").send_keys(Keys.TAB)
    second = page.driver.switch_to.active_element
    assert second.text == "News"
    second.send_keys(Keys.TAB)
    review = page.driver.switch_to.active_element
    assert review.text == "Review"
    review.send_keys(Keys.SPACE)
    page.settle()
    assert "very kind" in page.text()
    assert len(page.all(".sentences li")) == 3
    page.one("input[name=code-form]").send_keys(Keys.ARROW_RIGHT)
    assert page.one("#code code").text.startswith("from textloom import Client")
    until(lambda: "English into French" in str(page.one("#status").get_property("textContent")))


def test_an_answer_that_was_overtaken_is_dropped(page: Page) -> None:
    source = page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": DELAY})
    try:
        page.open()
        script = (
            "const text = document.querySelector('#text');"
            "const write = (value) => { text.value = value;"
            " document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', ctrlKey: true})); };"
            "write('Ada Lovelace is slow'); setTimeout(() => write('London'), 100);"
            "setTimeout(arguments[0], 2500);"
        )
        page.driver.execute_async_script(script)
        page.settle()  # if the machine stood still, it has only now asked about London
        marks = page.driver.execute_script(
            "return [...document.querySelectorAll('mark')].map((mark) => mark.firstChild.data)"
        )
        assert marks == ["London"]
    finally:
        page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", source)


def test_an_error_is_shown_in_words_and_goes_away(
    driver: webdriver.Chrome, tiny_models: Path
) -> None:
    with serving(tiny_models, max_characters=400) as client:
        page = Page(driver, str(client.base_url)).open(dark=True)
        page.write("London " * 100)
        assert page.one("#ner .problem b").text == "Too large"
        assert "at most 400" in page.one("#ner .problem").text
        assert page.violations() == []
        page.write("London")
        assert not page.all(".problem")


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_wrong(page: Page, width: int, dark: bool) -> None:
    page.open(width=width, dark=dark)
    assert page.value("overflow") <= 0
    page.one("#alternatives").click()
    page.write("Ada Lovelace in London is good. It is awful, awful! The table.")
    page.one("#ner summary").click()
    assert page.violations() == []
    page.one("#clear").click()
    assert page.violations() == []


def test_the_theme_can_be_chosen_and_is_kept(page: Page) -> None:
    page.open()
    page.one("#theme").click()
    page.one("#theme").click()
    page.open()
    assert page.one("#theme").text == "Theme: dark"
    assert (
        page.driver.execute_script("return getComputedStyle(document.body).colorScheme") == "dark"
    )
    page.one("#theme").click()
    assert page.one("#theme").text == "Theme: automatic"


def test_nothing_from_outside_is_allowed_in(page: Page) -> None:
    page.open()
    script = (
        "const done = arguments[0]; const blocked = [];"
        "document.addEventListener('securitypolicyviolation', (event) => blocked.push(event.effectiveDirective));"
        "fetch('http://127.0.0.1:9/').catch(() => 0);"
        "const image = new Image(); image.src = 'http://127.0.0.1:9/a.png';"
        "const script = document.createElement('script'); script.textContent = 'window.bad = 1';"
        "document.body.append(script);"
        "setTimeout(() => done([blocked.sort(), window.bad ?? 0]), 500);"
    )
    blocked, bad = page.driver.execute_async_script(script)
    assert blocked == ["connect-src", "img-src", "script-src-elem"]
    assert bad == 0


def test_one_banner_says_that_the_server_is_away_until_it_is_back(
    driver: webdriver.Chrome, tiny_models: Path, tmp_path: Path
) -> None:
    arguments = ("--models", str(tiny_models), "--port")
    with running(tmp_path / "log", *arguments, "0") as (_, client):
        page = Page(driver, str(client.base_url)).open()
        port = str(client.base_url.port)
        assert not page.one("#away").is_displayed()
    page.write("Ada Lovelace")
    banner = page.one("#away")
    until(banner.is_displayed)
    assert banner.text.startswith("No connection. The server cannot be reached.")
    assert page.all(".problem") == []
    assert page.violations() == []
    with running(tmp_path / "log2", *arguments, port):
        until(lambda: page.all("mark"))
        page.settle()
        assert not banner.is_displayed()
        assert page.all(".empty") == []
