"""Identifiers that must be found, and those that only look like one."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tasks.ner.patterns import PATTERN_LABELS, find


def found(text: str, *labels: str) -> list[tuple[str, str]]:
    return [
        (pattern.label, text[pattern.start : pattern.end])
        for pattern in find(text, labels or sorted(PATTERN_LABELS))
    ]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (
            "Write to <ada.lovelace+work@mail.example.co.uk>.",
            "ada.lovelace+work@mail.example.co.uk",
        ),
        ("'o'neil@example.org'", "o'neil@example.org"),
        ("mailto:jörg@bücher.example", "jörg@bücher.example"),
        ("Ask ada@example.org.", "ada@example.org"),
        ("x@1and1.com!", "x@1and1.com"),
    ],
)
def test_an_address_is_found_without_the_signs_around_it(text: str, address: str) -> None:
    assert found(text) == [("EMAIL", address)]


@pytest.mark.parametrize(
    "text", ["@ada", "ada@localhost", "5 @ 3.20", "a..b@", "user@-x.y", "ada @ example.org"]
)
def test_an_at_sign_alone_is_no_address(text: str) -> None:
    assert found(text, "EMAIL") == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Call +44 20 7946 0958 now", "+44 20 7946 0958"),
        ("(415) 555-2671", "(415) 555-2671"),
        ("tel:+1-415-555-2671", "+1-415-555-2671"),
        ("Fon +49 (0)30 901820", "+49 (0)30 901820"),
    ],
)
def test_a_phone_number_is_valid_in_its_numbering_plan(text: str, number: str) -> None:
    assert found(text) == [("PHONE", number)]


def test_a_number_without_country_code_is_of_a_region_asked_for() -> None:
    text = "Ring 030 901820."
    assert found(text, "PHONE") == []
    assert [(p.start, p.end) for p in find(text, ["PHONE"], regions=["DE"])] == [(5, 15)]


@pytest.mark.parametrize(
    "text", ["order 1234567", "2025-11-29 10:15", "1,250,000 items", "+99 12 34"]
)
def test_other_digits_are_no_phone_number(text: str) -> None:
    assert found(text, "PHONE") == []


def test_an_iban_is_found_whatever_stands_after_it() -> None:
    assert found("DE89 3704 0044 0532 0130 00 AND BIC COBADEFF") == [
        ("IBAN", "DE89 3704 0044 0532 0130 00")
    ]
    assert found("GB82WEST12345698765432, please") == [("IBAN", "GB82WEST12345698765432")]
    assert found("BE68 5390 0754 7034; 12") == [("IBAN", "BE68 5390 0754 7034")]


def test_an_iban_with_a_wrong_digit_is_none() -> None:
    assert found("DE89 3704 0044 0532 0130 01", "IBAN") == []


@pytest.mark.parametrize(
    "number", ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005", "6011111111111117"]
)
def test_a_card_number_has_its_luhn_digit(number: str) -> None:
    assert found(f"Paid with {number}.") == [("CARD", number)]
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert found(f"Paid with {wrong}.", "CARD") == []


def test_a_number_of_no_issuer_is_no_card() -> None:
    assert found("1234567812345670", "CARD") == []  # the Luhn digit is right


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("from 192.0.2.7.", "192.0.2.7"),
        ("10.0.0.1:8080", "10.0.0.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("on fe80::1: no answer", "fe80::1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("::1", "::1"),
    ],
)
def test_an_address_of_a_machine_is_found(text: str, address: str) -> None:
    assert found(text) == [("IP", address)]


@pytest.mark.parametrize(
    "text",
    [
        "999.1.1.1",
        "1.2.3.4.5",
        "v1.2.3.4",
        "12:30:45",
        "std::vector",
        "a :: b",
        "00:1B:44:11:3A:B7",
    ],
)
def test_other_dots_and_colons_are_no_address(text: str) -> None:
    assert found(text, "IP") == []


def test_nothing_is_found_unless_asked_for() -> None:
    assert find("ada@example.org 192.0.2.7", []) == []
    assert find("ada@example.org 192.0.2.7", ["PER", "IP"])[0].label == "IP"
    assert len(find("ada@example.org 192.0.2.7", ["PER", "IP"])) == 1


def test_the_digits_of_an_iban_are_not_a_card_or_phone_number_as_well() -> None:
    text = "IBAN GB29 NWBK 6016 1331 9268 19 or FR14 2004 1010 0505 0001 3M02 606"
    assert [label for label, _ in found(text)] == ["IBAN", "IBAN"]


def test_positions_are_code_points() -> None:
    (pattern,) = find("😀é ada@example.org", ["EMAIL"])
    assert (pattern.start, pattern.end) == (3, 18)


@given(st.text(alphabet="aA1+-.@:()/ \n6é😀", max_size=60))
def test_patterns_come_in_order_and_never_overlap(text: str) -> None:
    patterns = find(text, sorted(PATTERN_LABELS))
    ends = [0]
    for pattern in patterns:
        assert ends[-1] <= pattern.start < pattern.end <= len(text)
        ends.append(pattern.end)


@pytest.mark.parametrize(
    "piece",
    [
        "no digits here ",
        "1",
        "1 2 3 ",
        "@",
        "a@",
        "a.a@a.",
        "DE89 3704 0044 ",
        "AB12",
        "a:b:",
        "1.1.1.",
        "+1",
        "(1",
        "1-",
    ],
)
def test_the_time_is_linear_in_the_text(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        start = time.process_time()
        find(text, sorted(PATTERN_LABELS))
        return time.process_time() - start

    seconds(1000)
    # four times the text; quadratic would be sixteen times the time
    assert seconds(40_000) < 10 * seconds(10_000) + 0.05
