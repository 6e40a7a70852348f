"""The API of LibreTranslate, by the client that others made for it."""

import json
import subprocess
import urllib.error
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import httpx
import pytest
from libretranslatepy import LibreTranslateAPI

from .. import tiny
from ..conftest import serving
from ..helpers import ask, compat_error
from ..tasks.translate.alphabet import KNOWN

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
        {"code": "en", "name": "English", "targets": ["en", "fr"]},
        {"code": "fr", "name": "French", "targets": ["en", "fr"]},
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


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a server whose translators read HTML, and repeat what they read."""
    folder = tmp_path_factory.mktemp("reading")
    tiny.copier(folder, "en", "fr", KNOWN, {})
    tiny.copier(folder, "fr", "en", KNOWN, {})
    with serving(folder, timeout_ms=600_000, max_texts=3) as client:
        yield client


def test_html_is_translated_as_the_task_does(reading: httpx.Client) -> None:
    page = (
        '<p class="a > b">the <b>old cat</b> sleeps &amp; eats</p>\n<!-- no <b>text</b> -->'
        "<script>if (a < b) c</script><p>now\n\tit does <code>ls -l</code> too.</p>"
    )
    query = {"q": [page, "a < b"], "source": "en", "target": "fr", "format": "html"}
    answer = reading.post(f"{LIBRE}/translate", json=query).json()
    own = reading.post(
        "/translate", json={**{k: v for k, v in query.items() if k != "q"}, "text": query["q"]}
    )
    assert answer["translatedText"] == [each["translation"] for each in own.json()["results"]]
    whole, less = answer["translatedText"]
    assert '<p class="a > b">the <b>old cat</b> sleeps &amp; eats</p>' in whole
    assert "<!-- no <b>text</b> --><script>if (a < b) c</script>" in whole
    assert "<code>ls -l</code>" in whole
    assert "<" not in less


def test_the_language_of_html_is_that_of_its_text(reading: httpx.Client) -> None:
    page = f'<div style="color: red" title="the title of the page"><p>{FRENCH}</p></div>'
    query = {"q": page, "source": "auto", "target": "en", "format": "html"}
    detected = reading.post(f"{LIBRE}/translate", json=query).json()["detectedLanguage"]
    assert detected["language"] == "fr"
    assert detected["confidence"] > 95


# --- the ways in which a query comes


def curl(client: httpx.Client, *arguments: str, path: str = "translate") -> Any:
    address = str(client.base_url.join(f"{LIBRE}/{path}"))
    command = ["curl", "--silent", "--show-error", *arguments, address]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("option", ["-d", "-F", "--data-urlencode", "--form-string"])
def test_curl_sends_any_kind_of_form(reading: httpx.Client, option: str) -> None:
    for text in ("Où est la gare ?", "abc" if option == "-d" else "a&b=c", "😀 c", "a\nb c"):
        fields = (f"q={text}", "source=fr", "target=en")
        answer = curl(reading, *(part for field in fields for part in (option, field)))
        own = ask(reading, "/translate", text=text)
        assert answer["translatedText"] == own["results"][0]["translation"]


def test_the_query_may_be_in_the_address(reading: httpx.Client) -> None:
    query = {"q": "où est-il ?", "source": "fr", "target": "en"}
    answer = reading.post(f"{LIBRE}/translate", params=query).json()
    assert answer == reading.post(f"{LIBRE}/translate", json=query).json()
    split: dict[str, Any] = {"params": {"target": "en"}, "data": {"q": query["q"], "source": "fr"}}
    assert reading.post(f"{LIBRE}/translate", **split).json() == answer


@pytest.mark.parametrize(
    "path",
    [
        "//compat/libretranslate/translate",
        f"{LIBRE}//translate",
        f"{LIBRE}/translate/",
        f"/{LIBRE}///translate//",
    ],
)
def test_slashes_too_many_do_not_matter(reading: httpx.Client, path: str) -> None:
    address = f"{str(reading.base_url).rstrip('/')}{path}"
    answer = reading.post(address, data={"q": "abc", "source": "fr", "target": "en"})
    assert answer.json() == {"translatedText": "abc"}


@pytest.mark.parametrize(
    "left_out",
    [
        {"format": None},
        {"format": ""},
        {"alternatives": None},
        {"alternatives": "0"},
        {"api_key": None},
    ],
)
def test_a_field_may_be_left_out_in_any_way(
    reading: httpx.Client, left_out: dict[str, Any]
) -> None:
    query = {"q": "abc", "source": "fr", "target": "en", **left_out}
    assert reading.post(f"{LIBRE}/translate", json=query).json() == {"translatedText": "abc"}
    form = {name: value for name, value in query.items() if value is not None}
    assert reading.post(f"{LIBRE}/translate", data=form).json() == {"translatedText": "abc"}


def test_a_text_in_the_language_that_is_wanted_comes_back_as_it_is(reading: httpx.Client) -> None:
    query = {"q": ["Hi  there", ""], "source": "en", "target": "en", "alternatives": 2}
    answer = reading.post(f"{LIBRE}/translate", json=query).json()
    assert answer == {"translatedText": query["q"], "alternatives": [[], []]}
    query = {"q": "Hi", "source": "de", "target": "de"}
    assert "not served" in compat_error(reading.post(f"{LIBRE}/translate", json=query), 400)


def test_a_frontend_learns_what_it_may_do(reading: httpx.Client) -> None:
    found = reading.get(f"{LIBRE}/frontend/settings").json()
    assert found["charLimit"] == 1_000_000
    assert found["keyRequired"] is found["apiKeys"] is False
    assert found["language"]["source"]["code"] == "auto"
    assert {".txt", ".html", ".srt", ".md"} <= set(found["supportedFilesFormat"])


def test_a_client_may_ask_whether_the_server_is_well(reading: httpx.Client) -> None:
    assert reading.get(f"{LIBRE}/health").json() == {"status": "ok"}


# --- files


def translated_file(client: httpx.Client, name: str, content: bytes, **query: str) -> bytes:
    """What is fetched from where the answer to a file says."""
    fields = {"source": "en", "target": "fr", **query}
    upload = {"file": (name, content)}
    answer = client.post(f"{LIBRE}/translate_file", data=fields, files=upload)
    assert answer.status_code == 200, answer.text
    address = answer.json()["translatedFileUrl"]
    assert address.startswith(str(client.base_url))
    assert address.endswith(PurePath(name).suffix)
    return httpx.get(address, timeout=180).content


@pytest.mark.parametrize(
    ("name", "content", "translated"),
    [
        ("a.txt", "a cat.\r\n\r\n  a dog.\n", "A CAT.\r\n\r\n  A DOG.\n"),
        ("a.txt", "\ufeffa cat", "\ufeffA CAT"),
        ("a.txt", "", ""),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\na cat\nhere\n\n2\n00:00:02,500 --> 00:00:04,000\na dog\n",
         "1\n00:00:01,000 --> 00:00:02,000\nA CAT\nHERE\n\n2\n00:00:02,500 --> 00:00:04,000\nA DOG\n"),
        ("a.md", "# a cat\n\n* one\n* two\n\n```\na dog\n```\n\n| a | b |\n|---|---|\n| c | d |\n",
         "# A CAT\n\n* ONE\n* TWO\n\n```\na dog\n```\n\n| A | B |\n|---|---|\n| C | D |\n"),
    ],
)  # fmt: skip
def test_a_file_keeps_its_structure(
    tiny_client: httpx.Client, name: str, content: str, translated: str
) -> None:
    for encoding in ("utf-8", "utf-16"):
        sent = content.encode(encoding)
        assert translated_file(tiny_client, name, sent).decode(encoding) == translated


def test_a_file_of_html_keeps_its_markup(reading: httpx.Client) -> None:
    page = b"<html><body><p>a <b>cat</b> sleeps.</p><script>a < b</script></body></html>"
    assert translated_file(reading, "a.html", page) == page


def test_a_file_may_hold_more_texts_than_a_request(reading: httpx.Client) -> None:
    content = b"".join(b"# title %d\n\n" % number for number in range(10))
    assert translated_file(reading, "a.md", content) == content


def test_the_language_of_a_file_is_found_for_all_of_it(tiny_client: httpx.Client) -> None:
    content = f"# où\n\n{FRENCH}\n".encode()
    assert translated_file(tiny_client, "a.md", content, source="auto", target="en") != content
    assert translated_file(tiny_client, "a.md", content, source="auto", target="fr") == content
    german = "Der Hund schläft auf dem Sofa im Wohnzimmer.".encode()
    assert translated_file(tiny_client, "a.txt", german, source="auto", target="en") == german


@pytest.mark.parametrize(
    ("fields", "files", "status", "said"),
    [
        ({"source": "en", "target": "fr"}, {"file": ("a.pdf", b"%PDF")}, 400, ".txt, .html"),
        ({"source": "en", "target": "fr"}, {"file": ("a.txt", b"\xe9t\xe9")}, 400, "not UTF-8"),
        ({"source": "en", "target": "fr"}, {"other": ("a.txt", b"a")}, 400, "as `file`"),
        ({"source": "en"}, {"file": ("a.txt", b"a")}, 400, "/target"),
        ({"source": "de", "target": "fr"}, {"file": ("a.txt", b"a")}, 400, "not served"),
        ({"source": "auto", "target": "de"}, {"file": ("a.txt", b"a")}, 400, "not served"),
        ({"source": "en", "target": "fr"}, {"file": ("a.txt", b"a" * 1_000_001)}, 413, "at most"),
        ({"source": "en", "target": "fr"}, {"file": ("a.md", b"\n" * 60_000)}, 413, "lines"),
    ],
)
def test_a_wrong_file_is_refused(
    tiny_client: httpx.Client, fields: Any, files: Any, status: int, said: str
) -> None:
    refused = tiny_client.post(f"{LIBRE}/translate_file", data=fields, files=files)
    assert said in compat_error(refused, status)


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fetc%2fpasswd", "0" * 32 + ".txt"])
def test_a_file_that_is_not_there_is_404(tiny_client: httpx.Client, name: str) -> None:
    refused = tiny_client.get(f"{LIBRE}/download_file/{name}")
    assert "/" not in name or compat_error(refused, 404)
    assert refused.status_code == 404


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({"q": "a", "source": "fr"}, 400, "/target"),
        ({"source": "fr", "target": "en"}, 400, "/q"),
        ({"q": 5, "source": "fr", "target": "en"}, 400, "/q"),
        ({"q": [], "source": "fr", "target": "en"}, 400, "/q"),
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
        (b"q=a&source=fr&target=en", "multipart/form-data", 400),
        (b"q=a&source=fr&target=en", "multipart/form-data; boundary=x", 400),
        (
            b'--x\r\nContent-Disposition: form-data; name="q"\r\n\r\na',
            "multipart/form-data; boundary=x",
            400,
        ),
        (b"&".join([b"a=b"] * 101), "application/x-www-form-urlencoded", 400),
        ("q=où".encode("latin-1"), "application/x-www-form-urlencoded", 400),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    tiny_client: httpx.Client, body: bytes, kind: str, status: int
) -> None:
    headers = {"Content-Type": kind}
    compat_error(tiny_client.post(f"{LIBRE}/translate", content=body, headers=headers), status)
