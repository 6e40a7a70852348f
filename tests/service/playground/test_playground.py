"""The playground in a real browser: used by clicks and by keys, and looked at by axe.

The tiny bundles answer, so every name, score and translation is known. Skipped where Chromium is not installed;
CI installs it.
"""

import json
import shlex
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from .. import tiny
from ..conftest import serving
from ..helpers import until

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver (Debian: chromium-driver)"
)

AXE = (files("selenium_axe_python") / "axe-core" / "axe.min.js").read_text(encoding="utf-8")

DELAY = """
const real = window.fetch;
window.fetch = async (address, options = {}) => {
    const body = String(options.body);
    if (body.includes("nowhere")) throw new TypeError("no network");
    // a network that goes on with what nobody waits for any more
    const answer = await real(address, { ...options, signal: undefined });
    if (body.includes("slow")) await new Promise((go) => setTimeout(go, 1500));
    return answer;
};
"""


class Page:
    """The playground, as a person has it before them."""

    def __init__(self, driver: webdriver.Chrome, address: str) -> None:
        self.driver = driver
        self.address = address

    def open(self, *, width: int = 1200, height: int = 900, dark: bool = False) -> "Page":
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, still]})
        self.driver.get(self.address)
        until(lambda: self.driver.find_elements(By.CSS_SELECTOR, "#code-task input"))
        self.settle()
        return self

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[str]:
        """The visible texts of the elements, all at one moment."""
        script = "return [...document.querySelectorAll(arguments[0])].map((each) => each.innerText)"
        found: list[str] = self.driver.execute_script(script, selector)
        return found

    def settle(self) -> None:
        """Wait until nothing is asked any more."""
        until(lambda: self.value("waiting") == 0)

    def value(self, what: str) -> int:
        scripts = {
            "waiting": "return document.querySelectorAll('[aria-busy=true]').length",
            "overflow": "return document.documentElement.scrollWidth - innerWidth",
        }
        found: int = self.driver.execute_script(scripts[what])
        return found

    def write(self, text: str) -> None:
        """Replace the text as a paste does, and wait for the answers."""
        script = (
            "const text = document.querySelector('#text'); text.value = arguments[0];"
            "text.dispatchEvent(new Event('input', {bubbles: true}));"
        )
        self.driver.execute_script(script, text)
        self.one("#text").send_keys(Keys.CONTROL, Keys.ENTER)
        self.settle()

    def code(self, task: str, form: str) -> str:
        for name, chosen in (("code-task", task), ("code-form", form)):
            self.one(f"input[name={name}][value={chosen}]").click()
        return self.one("#code code").text

    def violations(self) -> list[str]:
        """What axe finds wrong, with the first element of each."""
        self.driver.execute_script(AXE)
        script = (
            "const done = arguments[0]; axe.run().then(done, (error) => done({error: `${error}`}))"
        )
        result = self.driver.execute_async_script(script)
        assert len(result.get("passes", ())) > 20, result
        return [f"{each['id']}: {each['nodes'][0]['html']}" for each in result["violations"]]

    def complaints(self) -> list[str]:
        """What the browser's console says, errors of the server apart."""
        log = self.driver.get_log("browser")
        return [line["message"] for line in log if "status of" not in line["message"]]


@pytest.fixture(scope="module")
def driver() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    # as root, in a container with little shared memory
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(DRIVER))
    chrome.set_script_timeout(60)
    yield chrome
    chrome.quit()


@pytest.fixture
def page(driver: webdriver.Chrome, tiny_client: httpx.Client) -> Page:
    return Page(driver, str(tiny_client.base_url))


def test_it_opens_with_an_example_answered_by_every_task(page: Page) -> None:
    page.open()
    assert page.one("#text").get_property("value")
    for task in ("ner", "sentiment", "translate"):
        assert page.one(f"#{task} .timing b").text.endswith(" ms")
        phases = [line.split()[0] for line in page.all(f"#{task} .timing li")]
        assert phases[:5] == ["queue", "encode", "run", "decode", "network"]
        assert phases[5].startswith(task)
    assert page.complaints() == []


def test_answers_come_while_one_types(page: Page) -> None:
    page.open()
    page.one("#clear").click()
    assert page.all(".body .empty") == ["Waiting for a text."] * 3
    page.one("#text").send_keys("Ada Lovelace in London is good")
    until(lambda: page.all(".verdict b") == ["positive"])  # its last word says so
    page.settle()
    assert [small.split()[0] for small in page.all("mark small")] == ["PER", "LOC"]
    assert page.one(".verdict b").text == "positive"
    assert page.one(".translated").text
    assert page.one("#language").text == "English, detected"


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
    slider = page.one("#sure")
    slider.send_keys(Keys.END)
    assert page.one("#sure-shown").text == "95 %"
    assert json.loads(page.code("ner", "curl").partition("-d '")[2][:-1])["min_score"] == 0.95


def test_each_sentence_has_its_own_bar(page: Page) -> None:
    page.open()
    page.write("A good good table. It is awful, awful!")
    assert page.all(".sentences p") == ["A good good table.", "It is awful, awful!"]
    assert [said.split()[0] for said in page.all(".sentences span")] == ["positive", "negative"]
    legend = page.all("#sentiment .legend li")
    assert [line.split()[0] for line in legend] == ["negative", "neutral", "positive"]


def test_the_translation_turns_to_the_other_language_by_itself(page: Page) -> None:
    page.open()
    page.write("The cat is sleeping on a chair in the kitchen.")
    assert page.one(".translated").get_attribute("lang") == "fr"
    page.write("Le chat dort sur la chaise dans la cuisine.")
    assert page.one(".translated").get_attribute("lang") == "en"
    assert page.one("#language").text == "French, detected"
    assert "learned English only" in page.one("#ner .note").text
    page.one("#target option[value=fr]").click()
    page.settle()
    assert page.one("#translate .note").text == "The text is in French already."


def test_the_examples_are_reached_and_chosen_by_keys_alone(page: Page) -> None:
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
    assert "beautiful" in str(page.one("#text").get_property("value"))
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
        page.write("nowhere")
        assert page.all("#ner .problem b") == ["No connection"]
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


def test_only_what_is_served_is_shown(driver: webdriver.Chrome, tmp_path: Path) -> None:
    tiny.ner(tmp_path)
    with serving(tmp_path) as client:
        page = Page(driver, str(client.base_url)).open()
        page.write("Ada Lovelace")
        assert [small.split()[0] for small in page.all("mark small")] == ["PER"]
        assert page.all("main > section:not([hidden]) h2") == [
            "Your text", "Names", "The same from your own program",
        ]  # fmt: skip
        assert page.all("#code-task label") == ["Names"]
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
        until(lambda: page.one("#sentiment .verdict b").text == "bad")
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


def test_a_text_in_a_language_that_is_not_served_is_told(page: Page) -> None:
    page.open().write("Der Hund schläft auf dem Sofa im Wohnzimmer.")
    assert "looks German, which is not translated here" in page.one("#translate .note").text


def test_very_many_names_do_not_stop_the_browser(page: Page) -> None:
    page.open()
    page.write("London good. " * 1000)
    assert len(page.all("mark")) == 500
    assert "The first 500 of 1,000 names" in page.one("#ner .note").text
    assert len(page.one("#code code").text) < 2000


def test_what_is_copied_does_the_same(page: Page) -> None:
    page.open()
    text = 'It\'s "Ada Lovelace", \\ in\nLondon 😀'
    page.write(text)
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    page.driver.execute_cdp_cmd("Browser.grantPermissions", permissions)
    answer = json.loads(page.code("ner", "answer"))
    page.code("ner", "curl")

    def copied() -> bool:  # it says so for a moment
        page.one("#copy").click()
        return bool(page.one("#copy").text == "Copied")

    until(copied)
    read = "navigator.clipboard.readText().then(arguments[0])"
    words = shlex.split(page.driver.execute_async_script(read).replace("\\\n", " "))
    assert words[:3] == ["curl", "-s", f"{page.address}/ner"]
    body = words[words.index("-d") + 1]
    assert json.loads(body)["text"] == text
    headers = {"Content-Type": "application/json"}
    same = httpx.post(words[2], content=body.encode(), headers=headers, timeout=180).json()
    assert [entity["text"] for entity in same["results"][0]["entities"]] == [
        entity["text"] for entity in answer["results"][0]["entities"]
    ]


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
