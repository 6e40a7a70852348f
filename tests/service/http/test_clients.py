"""Clients that are not written in Python: curl, Java's own, and a browser with a page of another origin."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from ..conftest import Serve, serving

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
QUERY = '{"text": "Ada Lovelace lived in London."}'


@pytest.fixture(scope="module")
def served(serve: Serve, tiny_models: Path) -> Iterator[httpx.Client]:
    with serve(tiny_models, timeout_ms=600_000, max_body_bytes=1_000_000) as client:
        yield client


def curl(*arguments: str) -> str:
    command = ["curl", "--silent", "--show-error", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not shutil.which("javac"), reason="needs a JDK")
def test_javas_client_posts_though_it_offers_http2(served: httpx.Client) -> None:
    program = Path(__file__).with_name("Post.java")
    command = ["java", str(program), str(served.base_url.join("/ner")), QUERY]
    answers = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for answer in answers.splitlines():
        status, version, body = answer.split(" ", 2)
        assert (status, version) == ("200", "HTTP_1_1")
        assert len(json.loads(body)["results"][0]["entities"]) == 2
    assert len(answers.splitlines()) == 2


def test_curl_posts_though_it_offers_http2(served: httpx.Client) -> None:
    address = str(served.base_url.join("/ner"))
    for body in (QUERY, json.dumps({"text": "London " * 50_000})):
        answer = subprocess.run(
            ["curl", "-sS", "--http2", "-H", "Content-Type: application/json", "-d", "@-", address],
            input=body, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert json.loads(answer)["usage"]["characters"] == len(json.loads(body)["text"])


def test_curl_head_see_what_is_there(served: httpx.Client) -> None:
    for path in ("/", "/health/live", "/health/ready", "/metrics", "/models/ner", "/v2"):
        head = curl("--head", str(served.base_url.join(path)))
        assert head.startswith("HTTP/1.1 200 ")
        length = len(served.get(path).content)
        assert path == "/metrics" or f"content-length: {length}\n" in head


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    chrome = webdriver.Chrome(options=options, service=Service(DRIVER))
    chrome.set_script_timeout(120)
    yield chrome
    chrome.quit()


FETCH = """
const [address, json, done] = arguments;
const form = new FormData();
form.append("q", "où 😀");
form.append("source", "fr");
form.append("target", "en");
const options = json
    ? { method: "POST", body: json, headers: { "Content-Type": "application/json", Authorization: "Bearer x" } }
    : { method: "POST", body: form };
fetch(address, options)
    .then(async (answer) => done([answer.headers.get("X-Request-ID"), await answer.json()]))
    .catch((error) => done([error.name]));
"""


@pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver")
def test_a_page_of_another_origin_posts_json_and_forms_if_it_may(
    browser: webdriver.Chrome, tiny_client: httpx.Client, tiny_models: Path
) -> None:
    origin = str(tiny_client.base_url).rstrip("/")
    with serving(tiny_models, cors_origins=(origin,)) as other:
        browser.get(f"{origin}/health/live")
        ner = str(other.base_url.join("/ner"))
        translate = str(other.base_url.join("/compat/libretranslate/translate"))
        request_id, answer = browser.execute_async_script(FETCH, ner, QUERY)
        assert request_id
        assert len(answer["results"][0]["entities"]) == 2
        _, answer = browser.execute_async_script(FETCH, translate, None)
        assert answer == {"translatedText": "où 😀"}
        browser.get(f"{origin.replace('127.0.0.1', 'localhost')}/health/live")
        for arguments in ((ner, QUERY), (translate, None)):
            assert browser.execute_async_script(FETCH, *arguments) == ["TypeError"]
