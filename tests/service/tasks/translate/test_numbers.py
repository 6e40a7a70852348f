"""Numbers and times of day, found in one language and written in another."""

import pytest

from service.tasks.translate import numbers
from service.tasks.translate.tracing import TracedText


def rewritten(text: str, source: str, target: str) -> str:
    return numbers.pattern(source).sub(
        lambda match: f"<{numbers.renderings(match, target)[0]}>", text
    )


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("<1,250.5> and <3.14>", "<1 250,5> and <3,14>"),
        ("<1,250>; <10,000,000>", "<1 250>; <10 000 000>"),
        ("<2.5>%", "<2,5>%"),
        ("at <3:30 pm> sharp", "at <15 h 30> sharp"),
        ("<11:05 am>", "<11 h 05>"),
        ("<12:15 am>, <12:15 pm>", "<0 h 15>, <12 h 15>"),
    ],
)
def test_numbers_and_times_are_written_as_the_other_language_does(
    english: str, french: str
) -> None:
    assert rewritten(english.replace("<", "").replace(">", ""), "en", "fr") == french
    assert rewritten(french.replace("<", "").replace(">", ""), "fr", "en") == english


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("at 3 pm", "at <15 h>"),
        ("from 9am to 5pm", "from <9 h> to <17 h>"),
        ("at 12 a.m. or 12 p.m.", "at <0 h> or <12 h>."),
        ("3 p.m. sharp", "<15 h> sharp"),
        ("I am at 5 AM.", "I am at <5 h>."),
    ],
)
def test_a_full_hour_has_no_minutes(text: str, written: str) -> None:
    assert rewritten(text, "en", "fr") == written


@pytest.mark.parametrize(
    ("text", "source", "written"),
    [
        ("1 250,5 or 1\u00a0250 or 1\u202f250", "fr", "<1,250.5> or <1,250> or <1,250>"),
        ("20h30 et 7 h 05", "fr", "<8:30 pm> et <7:05 am>"),
        ("80000 et 1234567", "fr", "<80000> et <1234567>"),
        ("10/12/2024 and 2024-01-05", "en", "<10/12/2024> and <2024-01-05>"),
        ("le 5.6.2020", "fr", "le <5.6.2020>"),
        (
            "call +33 1 23 45 67 89 or (555) 123-4567",
            "en",
            "call <+33 1 23 45 67 89> or <(555) 123-4567>",
        ),
        ("01 23 45 67 89", "fr", "<01 23 45 67 89>"),
        ("192.168.0.1 and 1.2.3", "en", "<192.168.0.1> and <1.2.3>"),
        ("1/2, 24/7", "en", "<1/2>, <24/7>"),
        ("at 12:30 or 00:01:02,500", "en", "at <12:30> or <00:01:02,500>"),
        ("5 000 people or 1'000", "en", "<5 000> people or <1'000>"),
        ("pages 10-12-14", "en", "pages <10-12-14>"),
    ],
)
def test_what_is_written_alike_everywhere_is_copied(text: str, source: str, written: str) -> None:
    assert rewritten(text, source, "fr" if source == "en" else "en") == written


@pytest.mark.parametrize(
    "text", ["5 cats", "in 2024", "1st", "3D", "a1", "10-year-old", "5, 6 and 7", "1.", "(2)"]
)
def test_small_numbers_stay_text(text: str) -> None:
    assert rewritten(text, "en", "fr") == text


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("1,250.5", ["1 250,5", "1\u00a0250,5", "1\u202f250,5", "1\u2009250,5", "1,250.5"]),
        ("3:30 pm", ["15 h 30", "15h30", "15:30", "15 heures 30", "3:30 pm"]),
        ("3 pm", ["15 h", "15 heures", "15h", "15 heure", "3 pm"]),
    ],
)
def test_a_reference_may_write_it_in_other_ways(text: str, forms: list[str]) -> None:
    match = numbers.pattern("en").fullmatch(text)
    assert match
    assert numbers.renderings(match, "fr") == forms


@pytest.mark.parametrize("target", ["en", "fr", "de", "xx"])
@pytest.mark.parametrize("text", ["3 pm", "12:05 am", "1,250.5", "80000"])
def test_every_language_gets_a_number(text: str, target: str) -> None:
    match = numbers.pattern("en").fullmatch(text)
    assert match
    forms = numbers.renderings(match, target)
    assert text in forms
    assert all("None" not in form for form in forms)
    if target == "en":
        assert forms[0] == text


def test_a_language_without_rules_of_its_own_copies_what_it_finds() -> None:
    assert rewritten("80000 och 1.2.3 och 12:30", "sv", "fr") == "<80000> och <1.2.3> och <12:30>"
    assert rewritten("1.250,5", "de", "fr") == "<1 250,5>"


@pytest.mark.parametrize(
    ("text", "languages", "wanted"),
    [
        ("Invoice no. 2024-01, No.5", ("en", "fr"), "Invoice n° 2024-01, N° 5"),
        ("I said no. Five left. No 5.", ("en", "fr"), "I said no. Five left. No 5."),
        ("le nº5 et le N°12345", ("fr", "en"), "le n° 5 et le N° 12345"),
        ("invoice no. 5", ("en", "de"), "invoice no. 5"),
    ],
)
def test_between_english_and_french_numbers_have_one_sign(
    text: str, languages: tuple[str, str], wanted: str
) -> None:
    assert numbers.with_number_sign(TracedText(text), *languages).text == wanted
