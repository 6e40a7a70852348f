"""Pairs as the network reads them: the same reserved characters on both sides, and small changes."""

import random
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tasks.translate.casing import CAPITAL, UPPER
from service.tasks.translate.placeholders import NUMBERS, PLACEHOLDER, VERBATIM
from service.tasks.translate.reading import Reader
from tests.service.tasks.translate.alphabet import KNOWN
from training.data.corpora import Pair
from training.tasks.translate import examples
from training.tasks.translate.examples import CHANGES, Examples, joined

READERS = Reader("en", "fr", KNOWN), Reader("fr", "en", KNOWN)
PLAIN = Examples(*READERS, changed=0.0)

PAIRS = [
    Pair("The cat sleeps.", "Le chat dort."),
    Pair("Ann met Tom in Paris, in 1999.", "Ann a rencontré Tom à Paris, en 1999."),
    Pair("Hello {name}, it costs 1,250.50!", "Bonjour {name}, cela coûte 1 250,50 !"),
    Pair("He left at 3:30 pm on May 5.", "Il est parti à 15 h 30 le 5 mai."),
    Pair("The summer was very hot in Québec", "L'été était très chaud à Québec"),
    Pair("See https://x.org and <b>this</b>.", "Voir https://x.org et <b>ceci</b>."),
]


def made(pair: Pair, seed: int = 0, maker: Examples = PLAIN) -> Pair:
    example = maker.make(pair, random.Random(seed))
    assert example
    return example


def changed(monkeypatch: pytest.MonkeyPatch, change: str, pair: Pair, seed: int = 0) -> Pair:
    monkeypatch.setattr(examples, "CHANGES", {change: 1})
    return made(pair, seed, Examples(*READERS, changed=1.0))


def test_both_sides_are_read_as_the_service_reads_them() -> None:
    example = made(Pair("Ann's NASA card", "La carte NASA d'Ann"))
    assert example.text == f" ann's{UPPER} nasa card"
    assert example.other == f" la carte{UPPER} nasa d'{CAPITAL} ann"


def test_an_item_of_both_sides_is_the_same_reserved_character_of_its_kind() -> None:
    seen = set()
    for seed in range(40):
        example = made(PAIRS[2], seed)
        (name, number) = PLACEHOLDER.findall(example.text)
        assert name in VERBATIM
        assert number in NUMBERS
        assert example.text == f" hello {name}, it costs {number}!"
        assert example.other == f" bonjour {name}, cela coûte {number}!"
        seen |= {name, number}
    assert len(seen) > 12  # all are learnt


@pytest.mark.parametrize(
    "pair",
    [
        Pair("Hello {name}!", "Bonjour !"),
        Pair("Hello!", "Bonjour {name} !"),
        Pair("It costs 1,250.", "Cela coûte 1 350."),
        Pair("%s %s", "%s"),
        Pair(
            " ".join(f"{{a{n}}} x" for n in range(11)), " ".join(f"{{a{n}}} y" for n in range(11))
        ),
    ],
)
def test_a_pair_whose_items_differ_is_no_example(pair: Pair) -> None:
    assert PLAIN.make(pair, random.Random(0)) is None


def test_a_name_that_is_written_in_another_way_stays_text() -> None:
    example = made(Pair("COVID-19 spreads", "La Covid se répand"))
    assert not PLACEHOLDER.search(example.text + example.other)


@pytest.mark.parametrize("pair", PAIRS)
@given(seed=st.integers(0, 10**6))
def test_whatever_is_changed_both_sides_hold_the_same_reserved_characters(
    pair: Pair, seed: int
) -> None:
    example = Examples(*READERS, changed=1.0).make(pair, random.Random(seed))
    if not example:  # as {name} is no {Name}
        assert PLACEHOLDER.search(made(pair).text)
        return
    sides = [Counter(PLACEHOLDER.findall(side)) for side in (example.text, example.other)]
    assert sides[0] == sides[1]
    assert set(sides[0].values()) <= {1}
    assert example.text.startswith((" ", CAPITAL, UPPER))


def test_the_same_chance_gives_the_same_example_and_others_differ() -> None:
    maker = Examples(*READERS, changed=1.0)
    for pair in PAIRS:
        first, again = ([maker.make(pair, random.Random(n)) for n in range(30)] for _ in range(2))
        assert first == again
        assert len(set(first)) > 3


def test_about_the_asked_share_is_changed() -> None:
    maker = Examples(*READERS, changed=0.3)
    usual = made(PAIRS[0])
    others = sum(made(PAIRS[0], seed, maker) != usual for seed in range(600))
    assert 0.15 * 600 < others < 0.35 * 600  # some changes do nothing to this pair
    assert all(made(PAIRS[0], seed) == usual for seed in range(50))


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_can_be_drawn(change: str) -> None:
    chance = random.Random(0)
    assert change in {examples._drawn(chance) for _ in range(300)}


def test_names_become_items(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [changed(monkeypatch, "names", PAIRS[1], seed) for seed in range(20)]
    counts = {len(PLACEHOLDER.findall(example.text)) for example in found}
    assert counts == {1, 2, 3}
    for example in found:
        for name in ("ann", "tom", "paris"):
            assert (name in example.text) == (name in example.other)


def test_small_numbers_become_items(monkeypatch: pytest.MonkeyPatch) -> None:
    example = changed(monkeypatch, "numbers", PAIRS[1])
    (number,) = PLACEHOLDER.findall(example.text)
    assert number in NUMBERS
    assert example.text.endswith(f" {number}.")
    assert "1999" not in example.text + example.other


def test_an_item_is_put_in_at_places_that_correspond(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = set()
    for seed in range(60):
        example = changed(monkeypatch, "item", PAIRS[1], seed)
        counts = [len(PLACEHOLDER.findall(side)) for side in (example.text, example.other)]
        assert counts in ([1, 1], [2, 2])
        shape = PLACEHOLDER.sub("*", example.text).replace(CAPITAL, "")
        shapes.add(re.sub("(ann|tom|paris)", "name", shape))
        assert (
            PLACEHOLDER.sub("", example.text)
            .replace(" ", "")
            .startswith(("ann", ",ann", ":ann", CAPITAL))
        )
    assert len(shapes) >= 6


def test_a_title_has_capitals_in_the_source_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    example = changed(monkeypatch, "title", PAIRS[4])
    assert example.text.count(CAPITAL) == 5  # in is small
    assert example.other.count(CAPITAL) == 1


def test_small_letters_have_no_marks_and_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    example = changed(monkeypatch, "small letters", PAIRS[0])
    assert (example.text, example.other) == (" the cat sleeps", " le chat dort.")
    example = changed(monkeypatch, "small letters", Pair("Ann is in Paris!", "Ann est à Paris !"))
    assert CAPITAL not in example.text
    assert CAPITAL in example.other


def test_accents_are_left_out_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "CHANGES", {"no accents": 1})
    pair = PAIRS[4].swapped()
    example = made(pair, 0, Examples(READERS[1], READERS[0], changed=1.0))
    assert example.text == f" l' ete etait tres chaud a{CAPITAL} quebec"
    assert example.other == f" the summer was very hot in{CAPITAL} québec"


def test_the_full_stop_is_left_out_of_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    example = changed(monkeypatch, "no full stop", PAIRS[0])
    assert (example.text, example.other) == (" the cat sleeps", " le chat dort")


def test_a_few_words_of_the_source_are_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = set()
    for seed in range(20):
        example = changed(monkeypatch, "capitals", PAIRS[4], seed)
        counts.add(example.text.count(UPPER))
        assert re.sub(UPPER, "", example.text) == made(PAIRS[4]).text
        assert example.other == made(PAIRS[4]).other
    assert counts == {1, 2, 3}


def test_a_text_of_the_target_language_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for pair in PAIRS:
        example = changed(monkeypatch, "same language", pair)
        assert example.text == example.other
        if not PLACEHOLDER.search(example.text):
            assert example.text == made(pair).other


def test_two_pairs_are_one_example() -> None:
    assert joined(PAIRS[0], PAIRS[0]) == Pair(
        "The cat sleeps. The cat sleeps.", "Le chat dort. Le chat dort."
    )
