"""Every answer that the project shows, and the one command that writes them all anew.

`python -m tests.docs.samples` (`make samples`) asks the bundles in `models/` and writes their answers: below each
call to port 8000 in README.md and docs/, and in each task's `example_answer.json`, which `/docs` shows. It takes
docs/playground.png anew, too, for which it needs Chromium. Read the difference before you commit it: only a
person can say whether an answer is right. `test_samples.py` holds the answers to the bundles; the samples of the
playground (service/playground/samples.json) have a test of their own, which holds them to what is right.
"""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from service import tasks
from tests.service.conftest import SHIPPED, serving
from tests.service.playground.browser import MISSING, Page, chrome

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN = re.compile(r"```sh\n([^`]*127\.0\.0\.1:8000[^`]*)```\n+```json\n(.*?)```", re.DOTALL)
WIDTH = 96
PICTURE = ROOT / "docs" / "playground.png"


@dataclass(frozen=True)
class Sample:
    """A call and the answer that is shown for it, in a page or in a file of its own."""

    place: Path
    call: str
    """A shell command, or the name of a task."""
    shown: str
    """JSON, as it stands there."""

    @property
    def name(self) -> str:
        return f"{self.place.relative_to(ROOT)}: {' '.join(self.call.split())[:70]}"

    def answer(self, client: httpx.Client) -> Any:
        """What the server of `client` answers now."""
        if self.place.suffix == ".json":
            query = next(iter(tasks.specs()[self.call].examples.values()))
            return client.post(f"/{self.call}", json=query).raise_for_status().json()
        command = self.call.replace("127.0.0.1:8000", client.base_url.netloc.decode())
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], capture_output=True, text=True, check=True
        )
        return json.loads(ran.stdout)

    def write(self, answer: Any) -> None:
        """Show `answer` there from now on."""
        text, shown = self.place.read_text(encoding="utf-8"), f"{layout(answer)}\n"
        if self.place.suffix == ".json":
            text = shown
        else:
            before, call, after = text.partition(self.call)
            text = before + call + after.replace(self.shown, shown, 1)
        self.place.write_text(text, encoding="utf-8")


def samples() -> Iterator[Sample]:
    for page in PAGES:
        for call, shown in SHOWN.findall(page.read_text(encoding="utf-8")):
            yield Sample(page, call, shown)
    for task in tasks.specs():
        path = ROOT / "service" / "tasks" / task / "example_answer.json"
        yield Sample(path, task, path.read_text(encoding="utf-8"))


def same(answer: Any, shown: Any) -> bool:
    """Whether they differ at most in a score's last digits, which other processors round differently."""
    if isinstance(answer, dict) and isinstance(shown, dict):
        return answer.keys() == shown.keys() and all(
            key == "request_id" or same(answer[key], shown[key]) for key in answer
        )
    if isinstance(answer, list) and isinstance(shown, list):
        return len(answer) == len(shown) and all(map(same, answer, shown))
    if isinstance(answer, float) and isinstance(shown, int | float):
        return abs(answer - shown) <= 2e-3
    return bool(answer == shown)


def layout(value: Any, indent: int = 0, taken: int = 0) -> str:
    """JSON that a person reads: on one line if it fits, else a line for each of its parts.

    >>> layout([1, 2])
    '[1, 2]'
    """
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or indent + taken + len(line) <= WIDTH:
        return line
    pad = " " * (indent + 1)
    if isinstance(value, list):
        return "[\n" + ",\n".join(pad + layout(each, indent + 1) for each in value) + "]"
    parts = [
        f"{json.dumps(key)}: {layout(inside, indent + 1, len(key) + 4)}"
        for key, inside in value.items()
    ]
    return "{" + f",\n{pad}".join(parts) + "}"


def take_picture(address: str) -> None:
    """The playground with its first sample, as docs/playground.png.

    Without the timing, which would be that of this machine, and with the usual port in the code.
    """
    tidy = (
        "document.querySelectorAll('.timing').forEach((each) => { each.hidden = true; });"
        "const code = document.querySelector('#code code');"
        "code.textContent = code.textContent.replace(location.host, '127.0.0.1:8000');"
        "return Math.ceil(document.querySelector('.bottom').getBoundingClientRect().top);"
    )
    with chrome() as driver:
        page = Page(driver, address).open(width=1200, height=400)
        height = driver.execute_script(tidy)
        clip = {"x": 0, "y": 0, "width": 1200, "height": height, "scale": 1}
        shot = {"format": "png", "captureBeyondViewport": True, "clip": clip}
        assert not page.all(".problem")
        image = driver.execute_cdp_cmd("Page.captureScreenshot", shot)["data"]
    PICTURE.write_bytes(base64.b64decode(image))


def main() -> None:
    with serving(SHIPPED, timeout_ms=600_000) as client:
        for sample in samples():
            answer = sample.answer(client)
            if not same(answer, json.loads(sample.shown)):
                sample.write(answer)
                print(f"written: {sample.name}")
        if MISSING:
            sys.exit(f"{PICTURE.name} is as it was: {MISSING}")
        take_picture(str(client.base_url))
        print(f"written: {PICTURE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
