"""The documentation says what is: every command in it runs, every answer has the shape that is printed."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

import textloom
from tests.service.helpers import until
from tests.service.playground.browser import MISSING, chrome

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
BLOCKS = re.compile(r"^```(sh|python|json)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a reader stands, in the checkout: with models and examples."""
    for name in ("docs", "models"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in (".venv", ".venv-dev"):
        (tmp_path / name).symlink_to(ROOT / name)
    # what it would do is looked at, not done: it installs environments
    make = (
        f'exec /usr/bin/env -i PATH=/usr/bin:/bin make --dry-run --silent -C {ROOT} "$@" >/dev/null'
    )
    command = tmp_path / "commands" / "make"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\n{make}\n")
    command.chmod(0o755)
    return tmp_path


def activated(name: str, folder: Path) -> dict[str, str]:
    """The variables of a shell in which an environment of the checkout is activated, and of nothing else."""
    commands = ROOT / name / "bin"
    installed = subprocess.run(
        [commands / "python", "-c", "import textloom; print(textloom.__file__)"],
        cwd=folder, capture_output=True, text=True, check=False,
    ) if (commands / "textloom").exists() else None  # fmt: skip
    if installed is None or not installed.stdout.startswith(str(ROOT)):
        pytest.skip(f"the command of this checkout is not in {name}; `make test` puts it there")
    path = f"{folder / 'commands'}:{commands}:/usr/local/bin:/usr/bin:/bin"
    return {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}


@pytest.fixture
def port() -> int:
    """Of the server that a page starts itself."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    return number


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_a_page_does_what_it_says(
    page: Path,
    folder: Path,
    shipped_client: httpx.Client,
    port: int,
) -> None:
    text = page.read_text(encoding="utf-8")
    # the one that the page tells to activate; those that tell of none are about trainings
    named = re.search(r"`\. (\S+)/bin/activate`", text)
    environment = activated(named[1] if named else ".venv-dev", folder)
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{shipped_client.base_url.port}")
    text = text.replace("9000", str(port))
    shown = ""
    servers = []
    try:
        for language, code in BLOCKS.findall(text):
            if language == "json":
                assert shape(json.loads(shown)) == shape(json.loads(code)), shown
            elif code.startswith("textloom serve") and "--help" not in code:
                command = ["bash", "-c", f"exec {code}"]
                servers.append(subprocess.Popen(command, cwd=folder, env=environment))
                until(lambda: ready(port))
            elif "docker run" not in code:  # tests/deploy runs that, where there is an engine
                command = ["bash", "-euo", "pipefail", "-c", code]
                variables = environment
                if language == "python":  # in whatever environment has the client
                    command = [sys.executable, "-W", "error", "-c", code]
                    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
                ran = subprocess.run(
                    command,
                    cwd=folder,
                    env=variables,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert ran.returncode == 0, f"{code}\n{ran.stderr}"
                shown = ran.stdout
    finally:
        for server in servers:
            server.terminate()
            server.wait(120)


def ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=60).status_code == 200
    except httpx.TransportError:
        return False


def shape(value: Any) -> Any:
    """Keys and types: words and scores are those of the model that is shipped just now."""
    if isinstance(value, dict):
        return {key: shape(inside) for key, inside in value.items() if key != "scores"}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation as `make docs` builds it, without a warning."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


def test_the_pages_become_a_site_without_the_internet(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) == len(PAGES)  # README is none, and there is one for what is not found
    assert "<math" in (site / "understand" / "lstm.html").read_text(encoding="utf-8")
    for page in pages:
        html = page.read_text(encoding="utf-8")
        assert "arithmatex" not in html  # every formula has become MathML
        assert not re.findall(r'<(?:script|img)[^>]*src="(?:https?:)?//[^"]*"', html)
        assert not re.findall(r'<link[^>]*href="(?:https?:)?//[^"]*"', html)


def test_the_python_reference_has_every_public_name(site: Path) -> None:
    html = (site / "client.html").read_text(encoding="utf-8")
    missing = {name for name in textloom.__all__ if f'id="textloom.{name}"' not in html}
    assert missing == {"Model", "__version__"}  # the base of what `load` returns


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_nothing_on_a_page_is_cut_off_at_1400_pixels(site: Path) -> None:
    """Neither behind the edge of the column nor behind a scroll bar: tables, code, formulas, pictures."""
    script = """
        const column = document.querySelector("article").getBoundingClientRect();
        const all = [...document.querySelectorAll("article :is(table, pre, code, math, img)")];
        const wide = (each) => each.getBoundingClientRect().right > column.right + 1
            || (each.matches("pre > code, math") && each.scrollWidth > each.clientWidth + 1);
        return all.filter(wide).map((each) => `${each.tagName}: ${each.innerText ?? each.src}`);
    """
    size = {"width": 1400, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    cut = {}
    with chrome() as driver:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        for page in sorted(site.rglob("*.html")):
            driver.get(page.as_uri())
            cut[page.name] = driver.execute_script(script)
    assert {name: found for name, found in cut.items() if found} == {}


def test_the_bill_of_materials_lists_what_the_service_runs_on(tmp_path: Path) -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    (line,) = re.findall(r"cyclonedx-py (.*)", recipe.replace("\\\n", ""))
    out = tmp_path / "sbom.json"
    arguments = shlex.split(line.replace("sbom.json", str(out)))
    command = [sys.executable, "-m", "cyclonedx_py", *arguments]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    bill = json.loads(out.read_text(encoding="utf-8"))
    listed = {(each["name"], each["version"]) for each in bill["components"]}
    locked = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    assert listed == set(re.findall(r"^([\w.-]+)==([\w.+-]+)", locked, re.MULTILINE))
    assert bill["metadata"]["component"]["name"] == "textloom-service"
