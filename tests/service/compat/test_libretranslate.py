"""The API of LibreTranslate, by the client that others made for it."""

import json
import urllib.error
from typing import Any

import httpx
import pytest
from libretranslatepy import LibreTranslateAPI

from ..helpers import ask, compat_error

LIBRE = "/compat/libretranslate"
FRENCH = "Le chat dort sur la chaise dans la cuisine."
ENGLISH = "The cat is sleeping on a chair in the kitchen."


@pytest.fixture
def libre(client: httpx.Client) -> LibreTranslateAPI:
    return LibreTranslateAPI(str(client.base_url.join(LIBRE)), api_key="not looked at")


def test_its_client_translates_as_the_task_does(
    libre: LibreTranslateAPI, client: httpx.Client
) -> None:
    (own,) = ask(client, "/translate", text=FRENCH, source="fr", target="en")["results"]
    assert libre.translate(FRENCH, "fr", "en") == own["translation"]
    assert libre.translate(FRENCH, "auto", "en") == own["translation"]
    assert libre.translate("", "fr", "en") == ""


def test_its_client_sees_the_languages_and_detects_them(libre: LibreTranslateAPI) -> None:
    assert libre.languages() == [
        {"code": "en", "name": "English", "targets": ["fr"]},
        {"code": "fr", "name": "French", "targets": ["en"]},
    ]
    for text, language in ((FRENCH, "fr"), (ENGLISH, "en")):
        found = libre.detect(text)
        assert found[0]["language"] == language
        assert 90 < found[0]["confidence"] <= 100
        assert sum(each["confidence"] for each in found) == pytest.approx(100, abs=1)


def test_its_client_is_told_what_is_wrong(libre: LibreTranslateAPI) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        libre.translate(FRENCH, "fr", "de")
    with raised.value as refused:
        assert refused.code == 400
        assert "fr to en" in json.load(refused)["error"]


def test_many_texts_the_language_and_alternatives_come_as_lists(client: httpx.Client) -> None:
    query = {"q": [FRENCH, ENGLISH], "source": "auto", "target": "en", "alternatives": 2}
    answer = client.post(f"{LIBRE}/translate", json=query).json()
    own = ask(client, "/translate", text=query["q"], source="auto", target="en", alternatives=2)
    assert answer["translatedText"] == [result["translation"] for result in own["results"]]
    assert answer["translatedText"][1] == ENGLISH
    assert [each["language"] for each in answer["detectedLanguage"]] == ["fr", "en"]
    assert answer["alternatives"] == [
        [other["translation"] for other in result.get("alternatives", [])]
        for result in own["results"]
    ]
    single = client.post(f"{LIBRE}/translate", json={**query, "q": FRENCH}).json()
    assert single == {key: values[0] for key, values in answer.items()}
    form = client.post(f"{LIBRE}/translate", data={**query, "q": FRENCH, "alternatives": "2"})
    assert form.json() == single


def test_of_a_page_only_the_text_is_translated(tiny_client: httpx.Client) -> None:
    page = '<p class="a > b">a good &amp; b</p>\n<!-- no <b>text</b> --><script>if (a < b) c</script>&lt;table&gt;'
    query = {"q": page, "source": "en", "target": "fr", "format": "html"}
    translated = tiny_client.post(f"{LIBRE}/translate", json=query).json()["translatedText"]
    assert translated.startswith('<p class="a >')
    assert "<!-- no <b>text</b> --><script>if (a < b) c</script>" in translated
    assert "&amp;" in translated
    assert "<table>" not in translated.lower()


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({"q": "a", "source": "fr"}, 400, "/target"),
        ({"source": "fr", "target": "en"}, 400, "/q"),
        ({"q": 5, "source": "fr", "target": "en"}, 400, "/q"),
        ({"q": [], "source": "fr", "target": "en"}, 400, "/text"),
        ({"q": "a", "source": "fr", "target": "en", "format": "markdown"}, 400, "/format"),
        ({"q": "a", "source": "fr", "target": "en", "alternatives": 5}, 400, "/alternatives"),
        ({"q": ["a"] * 1025, "source": "fr", "target": "en"}, 413, "at most 1024"),
    ],
)
def test_a_wrong_translation_is_refused(
    tiny_client: httpx.Client, query: dict[str, Any], status: int, said: str
) -> None:
    assert said in compat_error(tiny_client.post(f"{LIBRE}/translate", json=query), status)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"q=%ff&source=fr&target=en", "application/x-www-form-urlencoded", 400),
        (b"q=a&source=fr&target=en&alternatives=x", "application/x-www-form-urlencoded", 400),
        (b"q=a&source=fr&target=en", "text/plain", 400),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    tiny_client: httpx.Client, body: bytes, kind: str, status: int
) -> None:
    headers = {"Content-Type": kind}
    compat_error(tiny_client.post(f"{LIBRE}/translate", content=body, headers=headers), status)
