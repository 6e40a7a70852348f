"""The pages about models: a list of all, and the card of each with its pictures."""

import json
import re
from pathlib import Path

import httpx

from .. import tiny
from ..conftest import serving


def test_the_list_links_the_card_of_every_model(shipped_client: httpx.Client) -> None:
    page = shipped_client.get("/playground/models")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    served = {model["name"] for model in shipped_client.get("/models").json()["models"]}
    links = dict.fromkeys(re.findall(r'href="(models/[^"]+)"', page.text))
    assert {link.split("/")[1] for link in links} == served
    assert "<td>Finds names in text" in page.text
    for link in links:
        assert shipped_client.get(f"/playground/{link}").status_code == 200


def test_a_card_is_shown_with_its_tables_and_pictures(shipped_client: httpx.Client) -> None:
    page = shipped_client.get("/playground/models/ner/card").text
    assert "<h2>Scores</h2>" in page
    assert "<td>CC BY-SA 4.0</td>" in page
    pictures = re.findall(r'<img src="([^"]+)"', page)
    assert len(pictures) == 3
    for picture in pictures:
        answer = shipped_client.get(f"/playground/models/ner/{picture}")
        assert answer.headers["content-type"] == "image/png"
        assert answer.content.startswith(b"\x89PNG")


def test_other_files_of_a_bundle_are_not_served(shipped_client: httpx.Client) -> None:
    for name in ("manifest.json", "model.onnx", "card.md", "..%2f..%2fner", "nothing.png"):
        answer = shipped_client.get(f"/playground/models/ner/{name}")
        assert answer.status_code == 404, name
    assert shipped_client.get("/playground/models/nobody/card").status_code == 404


def test_a_model_that_failed_is_listed_with_the_reason(tmp_path: Path) -> None:
    bundle = tiny.ner(tmp_path)
    manifest = bundle.path / "manifest.json"
    about = json.loads(manifest.read_text())
    about["golden"][0]["answer"]["entities"] = []
    manifest.write_text(json.dumps(about))
    with serving(tmp_path, wait=False) as client:
        while "loading" in (page := client.get("/playground/models").text):
            pass
        assert "<td>failed: " in page
        assert '<a href="models/' not in page
        assert client.get("/playground/models/ner/card").status_code == 404


def test_html_in_a_card_is_text(tmp_path: Path) -> None:
    from service.http.cards import _html

    card = tmp_path / "card.md"
    card.write_text("# <script>alert(1)</script>\n\n[x](javascript:alert(1)) <b>bold</b>\n")
    shown = _html(card)
    assert "<script" not in shown
    assert "<b>" not in shown
    assert 'href="javascript' not in shown
