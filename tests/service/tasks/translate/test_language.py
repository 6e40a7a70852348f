"""The language of a text, among those at hand."""

import pytest

from service.tasks.translate.language import Detector


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(["en", "fr", "de"])


@pytest.mark.parametrize(
    ("text", "sources", "target", "source"),
    [
        ("Les modèles de séquence sont super puissants.", ["fr", "de"], "en", "fr"),
        ("Der Hund schläft auf dem Sofa im Wohnzimmer.", ["fr", "de"], "en", "de"),
        ("The dog sleeps on the sofa in the living room.", ["en"], "fr", "en"),
        ("Bonjour, comment allez-vous ?", ["fr"], "en", "fr"),
        ("LES ENFANTS JOUENT DANS LE JARDIN.", ["fr"], "en", "fr"),
    ],
)
def test_it_tells_the_sources_of_a_target_apart(
    detector: Detector, text: str, sources: list[str], target: str, source: str
) -> None:
    assert detector.source(text, sources, target) == source


def test_a_text_surely_in_the_target_language_is_told(detector: Detector) -> None:
    assert detector.source("The dog sleeps on the sofa in the room.", ["fr"], "en") == "en"


@pytest.mark.parametrize("text", ["", "12345", "😀", "ok", "taxi", "Hello", "\ud800", "\x00"])
def test_a_text_that_tells_too_little_is_taken_for_a_source(detector: Detector, text: str) -> None:
    assert detector.source(text, ["fr"], "en") == "fr"


def test_a_very_long_text_takes_no_longer(detector: Detector) -> None:
    assert detector.source("Il pleut sur la ville. " * 100_000, ["fr"], "en") == "fr"
