"""The playground as a person has it before them, in a real browser: for its tests and for the picture of it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from ..helpers import until

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = "" if CHROMIUM and DRIVER else "needs chromium and chromedriver (Debian: chromium-driver)"
"""Why there is no browser, if there is none."""

AXE = (files("selenium_axe_python") / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@contextmanager
def chrome() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    # as root, in a container with little shared memory
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_script_timeout(60)
    try:
        yield driver
    finally:
        driver.quit()


class Page:
    """The playground at an address."""

    def __init__(self, driver: webdriver.Chrome, address: str) -> None:
        self.driver = driver
        self.address = address
        driver.get_log("browser")  # what pages of earlier tests complained of

    def open(
        self,
        *,
        width: int = 1200,
        height: int = 900,
        scale: float = 1,
        dark: bool = False,
        link: str = "",
    ) -> "Page":
        """The playground, or `link` if it is given, once everything is answered."""
        size = {
            "width": width,
            "height": height,
            "deviceScaleFactor": scale,
            "mobile": width < 600,
        }
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, still]})
        self.driver.get("about:blank")  # or another fragment would not load the page anew
        self.driver.get(link or self.address)
        until(lambda: self.driver.find_elements(By.CSS_SELECTOR, "#code-task input"))
        self.settle()
        return self

    def one(self, selector: str) -> WebElement:
        """To click, to type into, or to read once the page is settled; else the page may replace it meanwhile."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def attribute(self, selector: str, name: str) -> str | None:
        """Of the first such element, found and read at one moment; None if there is none."""
        script = "return document.querySelector(arguments[0])?.getAttribute(arguments[1])"
        found: str | None = self.driver.execute_script(script, selector, name)
        return found

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

    def text(self) -> str:
        return str(self.one("#text").get_property("value"))

    def write(self, text: str) -> None:
        """Replace the text as a paste does, and wait for the answers."""
        script = (
            "const text = document.querySelector('#text'); text.value = arguments[0];"
            "text.dispatchEvent(new Event('input', {bubbles: true}));"
        )
        self.driver.execute_script(script, text)
        self.one("#text").send_keys(Keys.CONTROL, Keys.ENTER)
        self.settle()

    def sample(self, title: str) -> None:
        """Choose a sample by its button, and wait for the answers."""
        self.one(
            f"#samples button:nth-child({self.all('#samples button').index(title) + 1})"
        ).click()
        self.settle()

    def choose(self, selector: str, value: str) -> None:
        """An option of a select, and wait for the answers."""
        self.one(f"{selector} option[value={value}]").click()
        self.settle()

    def code(self, task: str, form: str) -> str:
        for name, chosen in (("code-task", task), ("code-form", form)):
            self.one(f"input[name={name}][value={chosen}]").click()
        return self.one("#code code").text

    def copied(self, button: str) -> str:
        """What a button puts into the clipboard."""
        permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
        self.driver.execute_cdp_cmd("Browser.grantPermissions", permissions)

        def said() -> bool:  # it says so for a moment
            self.one(button).click()
            return self.one(button).text == "Copied"

        until(said)
        read = "navigator.clipboard.readText().then(arguments[0])"
        found: str = self.driver.execute_async_script(read)
        return found

    def violations(self) -> list[str]:
        """What axe finds wrong, with the first element of each."""
        self.driver.execute_script(AXE)
        script = (
            "const done = arguments[0]; axe.run().then(done, (error) => done({error: `${error}`}))"
        )
        result = self.driver.execute_async_script(script)
        assert len(result.get("passes", ())) > 10, result
        return [f"{each['id']}: {each['nodes'][0]['html']}" for each in result["violations"]]

    def complaints(self) -> list[str]:
        """What the browser's console says, errors of the server apart."""
        log = self.driver.get_log("browser")
        return [line["message"] for line in log if "status of" not in line["message"]]
