"""The language of a text, among all that the library knows, and which translator reads it."""

import pytest

from service.errors import InvalidInput
from service.tasks.base import Models, Plan
from service.tasks.translate.language import Detector, LanguageRouter, tells_enough, words
from service.tasks.translate.messages import TranslateRequest, TranslateResult

MODELS: Models = {"translate-en-fr": ("en", "fr"), "translate-fr-en": ("fr", "en")}


@pytest.fixture(scope="module")
def router() -> LanguageRouter:
    return LanguageRouter()


@pytest.fixture(scope="module")
def detector(router: LanguageRouter) -> Detector:
    return router.detector


@pytest.mark.parametrize(
    ("text", "sources", "source"),
    [
        ("Les modèles de séquence sont super puissants.", ["fr", "de"], "fr"),
        ("Der Hund schläft auf dem Sofa im Wohnzimmer.", ["fr", "de"], "de"),
        ("The dog sleeps on the sofa in the living room.", ["en"], "en"),
        ("Bonjour, comment allez-vous ?", ["fr"], "fr"),
        ("LES ENFANTS JOUENT DANS LE JARDIN.", ["fr"], "fr"),
        ("Un chien court.", ["fr"], "fr"),
        ("Je ne sais pas.", ["en", "fr"], "fr"),
    ],
)
def test_it_tells_the_sources_apart(
    detector: Detector, text: str, sources: list[str], source: str
) -> None:
    assert detector.source(text, sources) == source


@pytest.mark.parametrize("sources", [["fr"], ["en"], ["en", "fr"]])
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Der Hund schläft.", "de"),
        ("Wie spät ist es?", "de"),
        ("DER HUND SCHLÄFT AUF DEM SOFA.", "de"),
        ("今天天气很好,我们去公园散步吧。", "zh"),
        ("我昨天在北京买了一本书", "zh"),
        ("El perro duerme en la casa y el gato come.", "es"),
        ("Los niños juegan en el jardín con un perro.", "es"),
        ("Привет, как у тебя сегодня дела?", "ru"),
        ("कुत्ता बगीचे में सो रहा है।", "hi"),
        ("東京は日本の首都です。", "ja"),
    ],
)
def test_a_text_surely_in_another_language_is_told_whatever_is_served(
    detector: Detector, text: str, language: str, sources: list[str]
) -> None:
    assert detector.source(text, sources) == language


@pytest.mark.parametrize(
    "text",
    [
        *("", "12345", "10:30 12.5 2024", "😀", "ok", "taxi", "Hello", "\ud800", "\x00"),
        *("Guten Tag", "Guten Morgen", "北京", "你好", "Buenos días", "Straße"),
        *("Ada Lovelace", "Angela Merkel", "José Luis Rodríguez Zapatero"),
        *("https://example.org/der/hund/schläft", "1. 2. 3. vier", "+49 30 1234567", "... !!! ?"),
    ],
)
def test_a_text_that_tells_too_little_is_taken_for_a_source(detector: Detector, text: str) -> None:
    assert detector.source(text, ["fr"]) == "fr"


def test_words_are_counted_in_any_script() -> None:
    assert words("Zürich, 8:30, see https://example.org") == 2
    assert words("कुत्ता सो रहा है।") == 4
    assert words("今天天气很好") == 3
    assert words("@ada #news a_b 1st /etc/x") == 0
    assert not tells_enough("Ada King Lovelace")
    assert tells_enough("DER HUND SCHLÄFT")


def test_a_very_long_text_takes_no_longer(detector: Detector) -> None:
    assert detector.source("Il pleut sur la ville. " * 100_000, ["fr"]) == "fr"


def plan(router: LanguageRouter, texts: list[str], **query: object) -> Plan:
    return router.plan(texts, TranslateRequest(text=texts, **query), MODELS)


def test_each_text_goes_to_the_translator_of_its_language_or_comes_back(
    router: LanguageRouter,
) -> None:
    german = "Der Hund schläft auf dem Sofa."
    texts = [german, "Le chat dort sur la chaise.", "The cat sleeps on the chair.", "42"]
    found = plan(router, texts, source="auto", target="en", alternatives=1)
    unchanged = {"target": "en", "score": 0.0, "alternatives": []}
    assert found.parts == [
        TranslateResult(translation=german, source="de", **unchanged),
        "translate-fr-en",
        TranslateResult(translation=texts[2], source="en", **unchanged),
        "translate-fr-en",
    ]
    assert found.models == ["translate-fr-en"]
    assert found.texts_of("translate-fr-en", texts) == [texts[1], "42"]
    assert found.join({"translate-fr-en": ["a", "b"]})[1::2] == ["a", "b"]
    assert plan(router, [german], source="auto", target="en").models == ["translate-fr-en"]


def test_a_named_source_is_believed_and_needs_no_detector() -> None:
    router = LanguageRouter()
    german = "Der Hund schläft auf dem Sofa."
    assert plan(router, [german], source="fr", target="en").parts == ["translate-fr-en"]
    assert "detector" not in vars(router)


@pytest.mark.parametrize(
    ("source", "target", "pointer"),
    [("de", "en", "/source"), ("en", "de", "/target"), ("auto", "de", "/target")],
)
def test_an_unserved_pair_is_refused_with_those_that_are(
    router: LanguageRouter, source: str, target: str, pointer: str
) -> None:
    with pytest.raises(InvalidInput, match="served: en to fr, fr to en") as raised:
        plan(router, ["a"], source=source, target=target)
    assert [error.pointer for error in raised.value.errors] == [pointer]
