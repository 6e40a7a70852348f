"""Every row of the HTTP contract, against a real server: once with tiny bundles, once with the shipped ones."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..conftest import serving
from ..helpers import TASKS, ask, refusal

SENTENCE = "Ada Lovelace lived in London."
ODD_TEXTS = [
    "😀👩‍👩‍👧‍👦 London 😀 Ada Lovelace",
    "e\u0301te\u0301 London a\u0308\u0323 Ada Lovelace",
    "London\r\nAda Lovelace\r\n\r\nLondon",
    "عاشت Ada Lovelace في London .",
    "艾达 Ada Lovelace 住在 London 。",
    "\ufeffLondon\u00a0\u2009\u200b\u2028London\x00\x1f London",
    "𝕃𝕠𝕟𝕕𝕠𝕟 London 🇬🇧",
]


def pointers(problem: dict[str, Any]) -> list[str]:
    return [error["pointer"] for error in problem["errors"]]


# --- what all tasks share


@pytest.mark.parametrize("path", TASKS)
def test_one_text_and_many_are_answered_by_a_list_in_input_order(
    client: httpx.Client, path: str
) -> None:
    texts = [SENTENCE, "", "This is awful.", "I love this good thing.", SENTENCE]
    many = ask(client, path, text=texts)
    alone = [ask(client, path, text=text)["results"] for text in texts]
    assert [[result] for result in many["results"]] == alone
    assert many["usage"]["characters"] == sum(map(len, texts))
    assert many["usage"]["tokens"] > 4
    assert many["model"]["version"] >= 1


@pytest.mark.parametrize("path", TASKS)
def test_inputs_is_another_name_for_text(client: httpx.Client, path: str) -> None:
    assert ask(client, path, inputs=[SENTENCE]) == ask(client, path, text=[SENTENCE])


@pytest.mark.parametrize("path", TASKS)
@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({}, "/text"),
        ({"text": SENTENCE, "lables": ["PER"]}, "/lables"),
        ({"text": SENTENCE, "inputs": SENTENCE}, "/inputs"),
        ({"text": None}, "/text"),
        ({"text": 5}, "/text"),
        ({"text": {"text": SENTENCE}}, "/text"),
        ({"text": []}, "/text"),
        ({"inputs": []}, "/inputs"),
        ({"text": ["a", "b", "c", 4]}, "/text/3"),
        ({"inputs": ["a", None]}, "/inputs/1"),
        ({"text": ["a", ["b"]]}, "/text/1"),
        ({"text": SENTENCE, "a/b~c": 1}, "/a~1b~0c"),
    ],
)
def test_a_wrong_field_is_422_and_pointed_at(
    client: httpx.Client, path: str, query: dict[str, Any], wrong: str
) -> None:
    response = client.post(path, json={**TASKS[path], **query})
    assert pointers(refusal(response, 422, "invalid_input")) == [wrong]


@pytest.mark.parametrize("path", TASKS)
@pytest.mark.parametrize("body", ["[]", '"text"', "5", "null", "true"])
def test_json_that_is_no_object_is_422(client: httpx.Client, path: str, body: str) -> None:
    response = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert pointers(refusal(response, 422, "invalid_input")) == [""]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (rb'{"text": "\ud800"}', ["/text"]),
        (rb'{"text": ["fine", "\udc00 low", "\ud83d\ude00", "\ud83d half"]}', ["/text/1"]),
        (rb'{"text": ["no \\ud800", "\ud83d\u0041"]}', ["/text/1"]),
        (rb'{"text": "a", "\ud800": "b"}', [""]),
        (rb'{"text": "a", "labels": ["\udfff"]}', ["/labels/0"]),
        (rb'{"text": "[,{", "a/b": {"\"~\\": [[], {"c": "[,\ud800"}]}}', ['/a~1b/"~0\\/1/c']),
        (b"[" * 190 + rb'"\ud800"' + b"]" * 190, ["/0" * 190]),
    ],
)
def test_lone_surrogates_are_422_and_pointed_at(
    tiny_client: httpx.Client, body: bytes, wrong: list[str]
) -> None:
    response = tiny_client.post("/ner", content=body, headers={"Content-Type": "application/json"})
    assert pointers(refusal(response, 422, "invalid_input")) == wrong


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"text=a", b'{"text": "a"} trailing', b'{"text": "\xff"}', b'{"text": "\xed\xa0\x80"}',
     '{"text": "a"}'.encode("utf-16"), '\ufeff{"text": "a"}'.encode(), b"[" * 100_000,
     b'{"text": 1' + b"0" * 5000 + b"}"],
)  # fmt: skip
@pytest.mark.parametrize("path", TASKS)
def test_what_is_not_json_in_utf8_is_400(client: httpx.Client, path: str, body: bytes) -> None:
    response = client.post(path, content=body, headers={"Content-Type": "application/json"})
    refusal(response, 400, "bad_json")


@pytest.mark.parametrize("path", TASKS)
@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "json"])
def test_another_media_type_is_415(client: httpx.Client, path: str, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    refusal(
        client.post(path, content=b'{"text": "a"}', headers=headers), 415, "unsupported_media_type"
    )


def test_a_charset_beside_the_media_type_is_fine(client: httpx.Client) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post("/ner", content=b'{"text": "a"}', headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/ner/", "/ner/x", "/models/nothing", "/docs/nothing", "/docs/..%2fcore.py"],
)
def test_an_unknown_path_or_model_is_404(client: httpx.Client, path: str) -> None:
    refusal(client.get(path), 404, "not_found")


@pytest.mark.parametrize("path", TASKS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_405_and_says_which_is_right(
    client: httpx.Client, path: str, method: str
) -> None:
    response = client.request(method, path)
    refusal(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/metrics", "/models/ner", "/health/live"])
def test_posting_to_what_is_read_only_is_405(client: httpx.Client, path: str) -> None:
    response = client.post(path, json={"text": "a"})
    refusal(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/metrics", "/models", "/models/ner", "/health/ready", "/v2"]
)
def test_head_is_get_without_the_body(client: httpx.Client, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    same = {"content-type"} if path == "/metrics" else {"content-type", "content-length"}
    assert {name: head.headers[name] for name in same} == {name: get.headers[name] for name in same}
    refusal_at_ner = client.head("/ner")
    assert (refusal_at_ner.status_code, refusal_at_ner.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"{'text': 'a'}", "line 1 column 2"),
        (b'{"text": "a"} x', "line 1 column 15"),
        (b'\xef\xbb\xbf{"text": "a"}', "byte order mark"),
        (b"[" * 100_000, "too deeply"),
        (b'{"text": 1' + b"0" * 5000 + b"}", "number out of range"),
        (b'{"text": "\xff"}', "not UTF-8"),
    ],
)
def test_an_error_about_json_speaks_of_json(client: httpx.Client, body: bytes, said: str) -> None:
    response = client.post("/ner", content=body, headers={"Content-Type": "application/json"})
    detail = refusal(response, 400, "bad_json")["detail"]
    assert said in detail
    assert not re.search(r"sys\.|recursion|utf-8-sig|\(char", detail)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"text": "a", "lables": []}, "/lables: There is no such field"),
        ({"text": []}, "Array should have at least 1 item, not 0"),
    ],
)
def test_an_error_about_a_field_speaks_of_json_too(
    client: httpx.Client, query: dict[str, Any], said: str
) -> None:
    assert said in refusal(client.post("/ner", json=query), 422, "invalid_input")["detail"]


@pytest.mark.parametrize("path", ["/ner/", "//ner", "/models/", "/models/ner/"])
def test_a_path_with_other_slashes_is_told_which_is_meant(client: httpx.Client, path: str) -> None:
    problem = refusal(client.get(f"{client.base_url}".rstrip("/") + path), 404, "not_found")
    assert problem["detail"].endswith(f"did you mean /{path.strip('/')}?")


@pytest.mark.parametrize("path", ["/nlp/models", "/models"])
def test_below_a_path_a_proxy_may_take_it_away_or_not(tiny_models: Path, path: str) -> None:
    with serving(tiny_models, root_path="/nlp") as client:
        assert client.get(path).status_code == 200
        assert client.get("/openapi.json").json()["servers"] == [{"url": "/nlp"}]
        refusal(client.get("/nlp2/models"), 404, "not_found")


@pytest.mark.parametrize("path", TASKS)
def test_answers_tell_their_request_and_where_the_time_went(
    client: httpx.Client, path: str
) -> None:
    query = {**TASKS[path], "text": SENTENCE}
    response = client.post(path, json=query, headers={"X-Request-ID": "my-request_1"})
    assert response.headers["x-request-id"] == "my-request_1"
    phases = re.findall(r"(\w+);dur=([0-9.]+)", response.headers["server-timing"])
    assert [phase for phase, _ in phases] == ["queue", "encode", "run", "decode"]
    assert all(0 < float(milliseconds) < 10_000 for _, milliseconds in phases)
    made = {client.post(path, json=query).headers["x-request-id"] for _ in range(3)}
    assert len(made) == 3


@pytest.mark.parametrize("given", ["", "a b", "é", "x" * 129, "a\tb"])
def test_a_request_id_that_would_spoil_a_log_is_replaced(client: httpx.Client, given: str) -> None:
    headers = {b"X-Request-ID": given.encode()}
    response = client.post("/ner", json={"text": "a"}, headers=headers)
    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])


@pytest.mark.parametrize("given", ["0", "-1", "soon", "1.5", "", "²", "86400001", "9" * 30])
def test_a_timeout_that_is_no_number_of_milliseconds_is_422(
    client: httpx.Client, given: str
) -> None:
    headers = {b"X-Request-Timeout-Ms": given.encode("latin-1")}
    response = client.post("/ner", json={"text": "a"}, headers=headers)
    assert "X-Request-Timeout-Ms" in refusal(response, 422, "invalid_input")["detail"]


# --- POST /ner


def test_ner_finds_names_with_label_place_and_score(client: httpx.Client) -> None:
    answer = ask(client, "/ner", text=SENTENCE)
    assert answer.keys() == {"model", "results", "usage"}
    assert answer["model"]["name"] == "ner"
    (result,) = answer["results"]
    assert result.keys() == {"entities"}
    london = result["entities"][-1]
    assert london.keys() == {"text", "label", "start", "end", "score"}
    assert (london["text"], london["start"], london["end"]) == ("London", 22, 28)
    assert 0.3 < london["score"] <= 1


def test_ner_keeps_only_the_labels_asked_for(client: httpx.Client) -> None:
    every = ask(client, "/ner", text=SENTENCE)["results"][0]["entities"]
    for label in client.get("/models/ner").json()["labels"]:
        kept = ask(client, "/ner", text=SENTENCE, labels=[label])["results"][0]["entities"]
        assert kept == [entity for entity in every if entity["label"] == label]
    assert ask(client, "/ner", text=SENTENCE, labels=[])["results"] == [{"entities": []}]


def test_an_unknown_label_is_422_and_names_the_known_ones(client: httpx.Client) -> None:
    response = client.post("/ner", json={"text": SENTENCE, "labels": ["PER", "CITY"]})
    problem = refusal(response, 422, "invalid_input")
    assert pointers(problem) == ["/labels/1"]
    assert "LOC" in problem["detail"]
    assert "PER" in problem["detail"]


def test_ner_keeps_only_entities_that_are_sure_enough(client: httpx.Client) -> None:
    entities = ask(client, "/ner", text=SENTENCE)["results"][0]["entities"]
    least = min(entity["score"] for entity in entities)
    kept = ask(client, "/ner", text=SENTENCE, min_score=min(1.0, least + 0.0002))["results"][0]
    assert [entity["score"] for entity in kept["entities"]] == [
        entity["score"] for entity in entities if entity["score"] > least
    ]


@pytest.mark.parametrize("wrong", [{"min_score": 1.1}, {"min_score": -0.1}, {"min_score": "0.5"},
                                   {"min_score": None}, {"offsets": "bytes"}, {"labels": "PER"}])  # fmt: skip
def test_a_wrong_option_of_ner_is_422(client: httpx.Client, wrong: dict[str, Any]) -> None:
    response = client.post("/ner", json={"text": SENTENCE, **wrong})
    assert pointers(refusal(response, 422, "invalid_input")) == [f"/{next(iter(wrong))}"]


def cut(text: str, unit: str, start: int, end: int) -> str:
    if unit == "codepoint":
        return text[start:end]
    if unit == "utf16":
        return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")
    return text.encode()[start:end].decode()


@pytest.mark.parametrize("unit", ["codepoint", "utf16", "byte"])
@pytest.mark.parametrize("text", ODD_TEXTS)
def test_a_span_is_exactly_its_text_in_every_unit(
    client: httpx.Client, text: str, unit: str
) -> None:
    entities = ask(client, "/ner", text=text, offsets=unit)["results"][0]["entities"]
    for entity in entities:
        assert cut(text, unit, entity["start"], entity["end"]) == entity["text"]


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_a_name_is_found_among_odd_characters(tiny_client: httpx.Client, text: str) -> None:
    entities = ask(tiny_client, "/ner", text=text)["results"][0]["entities"]
    assert {"London"} <= {entity["text"] for entity in entities}


# --- POST /sentiment


def test_sentiment_gives_a_label_and_the_score_of_each(client: httpx.Client) -> None:
    for text, label in (("This is awful, awful.", "negative"), ("A good, good thing!", "positive")):
        answer = ask(client, "/sentiment", text=text)
        assert answer["model"]["name"] == "sentiment"
        (result,) = answer["results"]
        assert result.keys() == {"label", "score", "scores"}
        assert result["label"] == label
        assert result["scores"].keys() == {"negative", "neutral", "positive"}
        assert result["score"] == result["scores"][label] == max(result["scores"].values())
        assert sum(result["scores"].values()) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("unit", ["codepoint", "utf16", "byte"])
def test_sentences_are_judged_if_asked_for(client: httpx.Client, unit: str) -> None:
    text = "😀 The food was good, good!\r\nÉtonnant, the room was awful, awful."
    answer = ask(client, "/sentiment", text=text, sentences=True, offsets=unit)
    judged = answer["results"][0]["sentences"]
    for sentence in judged:
        assert sentence.keys() == {"text", "start", "end", "label", "score", "scores"}
        assert cut(text, unit, sentence["start"], sentence["end"]) == sentence["text"]
    assert [judged[0]["label"], judged[-1]["label"]] == ["positive", "negative"]


@pytest.mark.parametrize("wrong", [{"sentences": 1}, {"sentences": "yes"}, {"offsets": 3}])
def test_a_wrong_option_of_sentiment_is_422(client: httpx.Client, wrong: dict[str, Any]) -> None:
    response = client.post("/sentiment", json={"text": SENTENCE, **wrong})
    assert pointers(refusal(response, 422, "invalid_input")) == [f"/{next(iter(wrong))}"]


# --- POST /translate


@pytest.mark.parametrize(("source", "target"), [("en", "fr"), ("fr", "en")])
def test_translate_gives_a_translation_its_languages_and_a_score(
    client: httpx.Client, source: str, target: str
) -> None:
    answer = ask(client, "/translate", text="a table", source=source, target=target)
    assert answer["model"]["name"] == f"translate-{source}-{target}"
    (result,) = answer["results"]
    assert result["translation"]
    assert (result["source"], result["target"]) == (source, target)
    assert result["score"] <= 0


def test_auto_decides_the_source_text_by_text(client: httpx.Client) -> None:
    texts = [
        "Le chat dort sur la chaise dans la cuisine.",
        "The cat is sleeping on a chair in the kitchen.",
        "",
        "12345",
        "Les enfants jouent dans le jardin avec un chien.",
    ]
    answer = ask(client, "/translate", text=texts, source="auto", target="en")
    assert answer["model"]["name"] == "translate-fr-en"
    results = answer["results"]
    assert [result["source"] for result in results] == ["fr", "en", "fr", "fr", "fr"]
    assert results[1]["translation"] == texts[1]
    assert results[1]["score"] == 0
    named = ask(client, "/translate", text=texts, source="fr", target="en")["results"]
    assert [results[0], *results[2:]] == [named[0], *named[2:]]
    back = ask(client, "/translate", text=texts[1], source="auto", target="fr")
    assert back["results"][0]["source"] == "en"


def test_a_text_in_a_language_that_is_not_served_comes_back_as_it_is(client: httpx.Client) -> None:
    texts = {
        "de": "Der Hund schläft auf dem Sofa im Wohnzimmer.",
        "zh": "今天天气很好,我们去公园散步吧。",
        "es": "Los niños juegan en el jardín con un perro.",
    }
    query = {"text": [*texts.values()], "source": "auto", "target": "en", "alternatives": 1}
    answer = ask(client, "/translate", **query)
    assert answer["results"] == [
        {"translation": text, "source": language, "target": "en", "score": 0, "alternatives": []}
        for language, text in texts.items()
    ]
    assert answer["usage"]["tokens"] == 0


@pytest.mark.parametrize("text", ["Angela Merkel", "12345", "Guten Tag", "北京"])
def test_a_text_that_tells_too_little_is_read_as_a_source(client: httpx.Client, text: str) -> None:
    answer = ask(client, "/translate", text=text, source="auto", target="en")
    assert answer == ask(client, "/translate", text=text, source="fr", target="en")


def test_a_text_in_the_target_language_needs_no_translator_but_still_names_one(
    client: httpx.Client,
) -> None:
    text = "The cat is sleeping on a chair in the kitchen."
    answer = ask(client, "/translate", text=text, source="auto", target="en")
    assert answer["model"]["name"] == "translate-fr-en"
    assert answer["usage"] == {"characters": len(text), "tokens": 0}


def test_a_line_without_words_is_no_work_for_a_translator(tiny_client: httpx.Client) -> None:
    text = "😀 10:30\nhttps://example.org/a?b=1\n\nanna@example.org"
    answer = ask(tiny_client, "/translate", text=text)
    assert answer["results"][0]["translation"] == text
    assert answer["usage"] == {"characters": len(text), "tokens": 0}


@pytest.mark.parametrize("number", [0, 1, 4])
def test_alternatives_are_further_translations_best_first(
    client: httpx.Client, number: int
) -> None:
    text = "Le chat dort."
    answer = ask(client, "/translate", text=text, alternatives=number)
    (result,) = answer["results"]
    others = result.get("alternatives", [])
    assert min(number, 1) <= len(others) <= number  # fewer if the model has no more to offer
    scores = [other["score"] for other in others]
    assert scores == sorted(scores, reverse=True)
    assert (
        len({result["translation"], *(other["translation"] for other in others)}) == len(others) + 1
    )
    plain = ask(client, "/translate", text=text)["results"][0]
    assert plain["translation"] == result["translation"]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"source": "de"}, "/source"),
        ({"source": "en"}, "/source"),
        ({"target": "de"}, "/target"),
        ({"source": "auto", "target": "de"}, "/target"),
        ({"target": "auto"}, "/target"),
        ({"source": ""}, "/source"),
    ],
)
def test_an_unserved_pair_is_422_and_lists_the_served_ones(
    client: httpx.Client, wrong: dict[str, Any], pointer: str
) -> None:
    query = {"text": "a", "source": "fr", "target": "en", **wrong}
    problem = refusal(client.post("/translate", json=query), 422, "invalid_input")
    assert pointers(problem) == [pointer]
    assert "en to fr" in problem["detail"]
    assert "fr to en" in problem["detail"]


@pytest.mark.parametrize("missing", ["source", "target"])
def test_source_and_target_are_required(client: httpx.Client, missing: str) -> None:
    query = {"text": "a", "source": "fr", "target": "en"}
    del query[missing]
    response = client.post("/translate", json=query)
    assert pointers(refusal(response, 422, "invalid_input")) == [f"/{missing}"]


@pytest.mark.parametrize("wrong", [5, -1, 1.5, "1", True])
def test_a_wrong_number_of_alternatives_is_422(client: httpx.Client, wrong: Any) -> None:
    query = {"text": "a", "source": "fr", "target": "en", "alternatives": wrong}
    response = client.post("/translate", json=query)
    assert pointers(refusal(response, 422, "invalid_input")) == ["/alternatives"]


# --- blank texts, and texts of any length


@pytest.mark.parametrize("text", ["", " ", "\n\t \u00a0\r\n", "\u2028"])
def test_a_blank_text_is_no_error(client: httpx.Client, text: str) -> None:
    assert ask(client, "/ner", text=text)["results"] == [{"entities": []}]
    (judged,) = ask(client, "/sentiment", text=text)["results"]
    assert (judged["label"], judged["score"]) == ("neutral", 0)
    assert set(judged["scores"].values()) == {0}
    (translated,) = ask(client, "/translate", text=text)["results"]
    assert (translated["translation"], translated["score"]) == ("", 0)
    assert ask(client, "/ner", text=text)["usage"] == {"characters": len(text), "tokens": 0}


def test_a_long_text_is_read_to_its_end(client: httpx.Client) -> None:
    filler = "Nothing much happened on that day, and nobody went anywhere at all. "
    text = filler * 60 + "In the end Ada Lovelace moved to London."
    last = ask(client, "/ner", text=text)["results"][0]["entities"][-1]
    assert (last["text"], last["end"]) == ("London", len(text) - 1)
    good = ask(client, "/sentiment", text="It was good, so good. " * 200, sentences=True)[
        "results"
    ][0]
    assert good["label"] == "positive"
    assert len(good["sentences"]) == 200


def test_a_translation_keeps_paragraphs_and_line_breaks(client: httpx.Client) -> None:
    text = "  Un chien court.\r\n\r\n\tUne fille mange.\n" * 20
    translation = ask(client, "/translate", text=text)["results"][0]["translation"]
    assert re.findall(r"^\s+|\s*[\r\n]\s*", translation) == re.findall(r"^\s+|\s*[\r\n]\s*", text)


# --- around the tasks


def test_live_and_ready_say_so(client: httpx.Client) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    names = ["ner", "sentiment", "translate-en-fr", "translate-fr-en"]
    assert client.get("/health/ready").json() == {"status": "ready", "models": names}


def test_models_tell_what_is_served_and_where_it_comes_from(client: httpx.Client) -> None:
    models = client.get("/models").json()["models"]
    assert [model["name"] for model in models] == [
        "ner", "sentiment", "translate-en-fr", "translate-fr-en",
    ]  # fmt: skip
    for model in models:
        assert model["status"] == "ready"
        assert model["version"] == max(model["versions"])
        assert re.fullmatch("[0-9a-f]{64}", model["sha256"])
        assert model["limits"]["max_tokens"] > 10
        assert model["languages"]
        assert model["licences"]
        assert model["scores"]
        assert model == client.get(f"/models/{model['name']}").json()
    assert {"PER", "LOC"} <= set(models[0]["labels"])
    assert models[2]["languages"] == ["en", "fr"]


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_load_nothing_from_elsewhere(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"].startswith("default-src '")
    assert "http:" not in response.headers["content-security-policy"]
    loaded = re.findall(r"""(?:src|href|url)\s*[=:(]\s*["']([^"']+)["']""", response.text)
    for address in loaded:
        if address.startswith("data:"):
            continue
        assert not re.match(r"[a-z]+:|//", address), address
        assert client.get(f"/{address}").status_code in (200, 404 if address == "target" else 200)
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", response.text)


def test_the_documentation_turns_off_what_would_call_a_public_service(client: httpx.Client) -> None:
    assert '"validatorUrl": null' in client.get("/docs").text
