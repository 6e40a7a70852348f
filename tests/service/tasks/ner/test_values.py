"""Values of entities against cases worked by hand, and what must have none."""

import time
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tasks.ner.values import VALUED_LABELS, value_of


def money(amount: float, currency: str | None = None) -> dict[str, Any]:
    return {"amount": amount, **({"currency": currency} if currency else {})}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("29/11/2025", "2025-11-29"),
        ("11/16/2005", "2005-11-16"),
        ("29.11.2025", "2025-11-29"),
        ("2025-11-29", "2025-11-29"),
        ("30 June 2027", "2027-06-30"),
        ("Sept. 16, 2010", "2010-09-16"),
        ("26th of june of 2020", "2020-06-26"),
        ("Saturday, 29 November 2025", "2025-11-29"),
        ("December 1987", "1987-12"),
        ("12/2015", "2015-12"),
        ("2025-11", "2025-11"),
        ("2009", "2009"),
        ("Q3 2025", "2025-Q3"),
        ("third quarter of 2025", "2025-Q3"),
        ("five years", "P5Y"),
        ("a week", "P1W"),
        ("38-year-old", "P38Y"),
        ("38 - year - old", "P38Y"),
        ("three (3) years", "P3Y"),
        ("1.5 yr", "P1.5Y"),
        ("two decades", "P20Y"),
    ],
)
def test_a_date_or_duration_is_told_in_iso_8601(text: str, value: str) -> None:
    assert value_of(text, "DATE") == {"value": value}


@pytest.mark.parametrize(
    "text",
    [
        "June",
        "Tuesday",
        "August 17th",
        "yesterday",
        "last year",
        "A month ago",
        "03/04/2025",  # whose April?
        "29/11/25",  # of which century?
        "2005-11",  # a month or six years
        "31 February 2020",
        "Friday, 29 November 2025",  # it was a Saturday
        "31/31/2020",
        "1990s",
        "19th century",
        "late November 2005",
        "autumn of 2020",
        "2001 and 2004",
        "FY '14",
        "60",
        "daily",
        "few days",
    ],
)
def test_a_date_that_the_text_does_not_tell_has_no_value(text: str) -> None:
    assert value_of(text, "DATE") is None


@pytest.mark.parametrize(
    ("text", "from_", "to"),
    [
        ("March 2018 – June 2022", "2018-03", "2022-06"),
        ("2009-2013", "2009", "2013"),
        ("1980-88", "1980", "1988"),
        ("25-26 October 2016", "2016-10-25", "2016-10-26"),
        ("October 25 - 26, 2016", "2016-10-25", "2016-10-26"),
        ("13 December, 1998 - 30 June 2001", "1998-12-13", "2001-06-30"),
        ("April to June in 2017", "2017-04", "2017-06"),
        ("30 to 39 years", "P30Y", "P39Y"),
    ],
)
def test_a_range_of_dates_has_two_ends(text: str, from_: str, to: str) -> None:
    assert value_of(text, "DATE") == {"from": from_, "to": to}


def test_a_range_that_runs_backwards_has_no_value() -> None:
    assert value_of("Nov - Feb 2017", "DATE") is None
    assert value_of("50 - 44 years", "DATE") is None
    assert value_of("7 to 5 percent", "PERCENT") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yesterday", "2025-12-31"),
        ("Tomorrow", "2026-01-02"),
        ("last year", "2025"),
        ("this month", "2026-01"),
        ("last month", "2025-12"),
        ("next week", "2026-W02"),
        ("three days ago", "2025-12-29"),
        ("14 months ago", "2024-11"),
        ("two years from now", "2028"),
    ],
)
def test_a_reference_date_tells_what_lies_about_it(text: str, value: str) -> None:
    assert value_of(text, "DATE", reference=date(2026, 1, 1)) == {"value": value}


def test_a_reference_date_does_not_choose_among_weekdays() -> None:
    assert value_of("last Monday", "DATE", reference=date(2026, 1, 1)) is None
    assert value_of("9000 years ago", "DATE", reference=date(2026, 1, 1)) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("17:30", "17:30"),
        ("5:30 p.m.", "17:30"),
        ("8.10 pm", "20:10"),
        ("08:36:00 AM", "08:36:00"),
        ("ten am", "10:00"),
        ("12 am", "00:00"),
        ("12 p.m.", "12:00"),
        ("noon", "12:00"),
        ("15:11 GMT", "15:11Z"),
        ("9 am PST", "09:00-08:00"),
        ("1h 20min", "PT1H20M"),
        ("2h 44m", "PT2H44M"),
        ("1 hour and 30 minutes", "PT1H30M"),
        ("half an hour", "PT0.5H"),
        ("180 ms", "PT0.18S"),
    ],
)
def test_a_time_of_day_has_24_hours(text: str, value: str) -> None:
    assert value_of(text, "TIME") == {"value": value}


@pytest.mark.parametrize(
    "text", ["7", "8:30", "13 pm", "25:00", "11:60", "this morning", "9 am IST", "1140 a.m."]
)
def test_a_time_without_its_half_of_the_day_has_no_value(text: str) -> None:
    assert value_of(text, "TIME") is None


def test_the_end_of_a_range_of_times_holds_for_its_start() -> None:
    assert value_of("5 to 6pm", "TIME") == {"from": "17:00", "to": "18:00"}
    assert value_of("22:00 – 23:30 UTC", "TIME") == {"from": "22:00Z", "to": "23:30Z"}
    assert value_of("11 to 1pm", "TIME") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$1.2bn", money(1_200_000_000, "USD")),
        ("€ 1,249.50", money(1249.5, "EUR")),
        ("659.707,90 €", money(659707.9, "EUR")),
        ("7,50 EUR", money(7.5, "EUR")),
        ("$2.175 million", money(2_175_000, "USD")),
        ("$ 2,50,000", money(250_000, "USD")),
        ("Rs 852 crore", money(8_520_000_000, "INR")),
        ("Rs. 273-cr", money(2_730_000_000, "INR")),
        ("35 lakh rupees", money(3_500_000, "INR")),
        ("£37million", money(37_000_000, "GBP")),
        ("HK$10.05 billion", money(10_050_000_000, "HKD")),
        ("A$14 million", money(14_000_000, "AUD")),
        ("$8,000 CAD", money(8000, "CAD")),
        ("U.S. $5", money(5, "USD")),
        ("10,000 Swiss francs", money(10_000, "CHF")),
        ("half a million dollars", money(500_000, "USD")),
        ("thirteen dollars and forty-five cents", money(13.45, "USD")),
        ("470 pence", money(4.7, "GBP")),
        ("-$5", money(-5, "USD")),
        ("60 cents", money(0.6)),  # of whose dollar or euro?
        ("528 million francs", money(528_000_000)),
    ],
)
def test_an_amount_of_money_has_its_magnitude_and_currency(
    text: str, value: dict[str, Any]
) -> None:
    assert value_of(text, "MONEY") == value


@pytest.mark.parametrize(
    "text",
    ["millions of dollars", "€1.249", "$5 EUR", "10", "6.25 BTC", "$500 to $2 million", "$10⁵"],
)
def test_an_amount_that_can_be_read_in_two_ways_has_no_value(text: str) -> None:
    assert value_of(text, "MONEY") is None


def test_a_magnitude_at_the_end_of_a_range_holds_for_both_ends() -> None:
    assert value_of("$5-10 million", "MONEY") == {
        "from": 5_000_000,
        "to": 10_000_000,
        "currency": "USD",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.5 %", {"amount": 12.5}),
        ("eight percent", {"amount": 8}),
        ("Sixty one per cent", {"amount": 61}),
        ("27 percentage points", {"amount": 27}),
        ("−17%", {"amount": -17}),
        ("0,5 %", {"amount": 0.5}),
        ("5 to 7 percent", {"from": 5, "to": 7}),
        ("60% - 140%", {"from": 60, "to": 140}),
    ],
)
def test_a_percentage_is_a_number(text: str, value: dict[str, Any]) -> None:
    assert value_of(text, "PERCENT") == value


@pytest.mark.parametrize(
    "text", ["few percent", "12.5 ± 3.7%", "10 wt%", "49% / 31%", "five six percent"]
)
def test_a_percentage_with_a_word_too_many_has_no_value(text: str) -> None:
    assert value_of(text, "PERCENT") is None


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("45 kilometres", 45, "km"),
        ("six-mile", 6, "mi"),
        ("2,000 metric tons", 2000, "t"),
        ("two million barrels", 2_000_000, "bbl"),
        ("240 kilometers an hour", 240, "km/h"),
        ("188 miles an hour", 188, "mph"),
        ("7.83 m s−1", 7.83, "m/s"),
        ("1000 W / m2", 1000, "W/m²"),
        ("1,850 square metres", 1850, "m²"),
        ("190 km²", 190, "km²"),
        ("10½ miles", 10.5, "mi"),
        ("10 1/2 miles", 10.5, "mi"),
        ("- 18 ° C", -18, "°C"),
        ("98.6 degrees Fahrenheit", 98.6, "°F"),
        ("5 mW", 5, "mW"),
        ("5 MW", 5, "MW"),
        ("500 GB", 500, "GB"),
        ("1.1 Gbps", 1.1, "Gb/s"),
        ("120 μg", 120, "μg"),
        ("120 µg", 120, "μg"),
        ("29,000 pounds", 29_000, "lb"),
        ("a pint", 1, "pt"),
        ("10 kW", 10, "kW"),
    ],
)
def test_a_quantity_has_the_symbol_of_its_unit(text: str, amount: float, unit: str) -> None:
    assert value_of(text, "QUANTITY") == {"amount": amount, "unit": unit}


@pytest.mark.parametrize(
    "text",
    [
        "100 mb",
        "10⁵ km",
        "2 × 2 m",
        "5 ± 1 kg",
        "several kilometers",
        "20 parsnips",
        "5 ft 2 in",
        "9.8",
        "0.04 c",
    ],
)
def test_a_quantity_that_cannot_be_told_has_no_value(text: str) -> None:
    assert value_of(text, "QUANTITY") is None


def test_other_labels_have_no_value() -> None:
    assert value_of("2009", "PER") is None


@given(st.text(alphabet="0123456789 ,.-–/:%$€°²½aonehundrtfimkbprgMGAd", max_size=130))
def test_any_text_is_answered(text: str) -> None:
    for label in VALUED_LABELS:
        value = value_of(text, label, reference=date(2026, 1, 1))
        assert value is None or len(text) <= 100


@pytest.mark.parametrize(
    "text", ["a to " * 20, "1 - " * 25, "one hundred " * 8, "- " * 50, "1/2" * 33, "9" * 10**6]
)
def test_no_entity_takes_long(text: str) -> None:
    value_of("5 km", "QUANTITY")  # makes the tables
    start = time.process_time()
    for label in VALUED_LABELS:
        value_of(text, label)
    assert time.process_time() - start < 0.25
