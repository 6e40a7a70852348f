"""Which pairs of a parallel corpus are left out, and for what reason."""

from pathlib import Path

import pytest

from tests.training import tiny
from training.data.cleaning import LONGEST, Cleaner, Report, lexicon
from training.data.corpora import Pair


def reason(*pairs: tuple[str, str], words: dict[str, frozenset[str]] | None = None) -> str:
    """Why the last of the pairs is left out; "" if it is kept."""
    cleaner, before, report = Cleaner(("en", "fr"), words or {}), Report(), Report()
    cleaner.kept([Pair(*pair) for pair in pairs[:-1]], before)
    kept = cleaner.kept([Pair(*pairs[-1])], report)
    assert report.read == 1
    assert len(kept) + report.left_out.total() == 1
    return next(iter(report.left_out), "")


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("The cat sleeps.", "Le chat dort.", ""),
        ("a" + " b" * (LONGEST // 2), "a", "too long"),
        ("12:30 – 14:00", "12 h 30", "no words"),
        ("Hello", "!", "no words"),
        ("See you at the Hotel Ritz", "see you at the hotel ritz", "copy"),
        ("Hotel Ritz Paris", "Hotel Ritz Paris", ""),
        ("Yes.", "Oui, c'est cela même, comme je le disais.", "lengths"),
        ("Yes, that is it, as I was saying to you.", "Oui.", "lengths"),
        ("In 1999 he came.", "Il est venu en 1998.", "numbers"),
        ("It has 1,250 parts.", "Il a 1 250 pièces.", ""),
        ("It has 80 parts.", "Il a quatre-vingts pièces.", ""),
        ("At 10:30.", "À 1030 heures.", ""),
        (
            "The cat sleeps on the old red sofa all day long.",
            "Die Katze schläft den ganzen Tag auf dem alten Sofa.",
            "language",
        ),
        ("The cat sleeps all day.", "Die Katze schläft.", ""),  # too short to tell
    ],
)
def test_a_pair_is_left_out_for_its_first_fault(one: str, other: str, why: str) -> None:
    assert reason((one, other)) == why


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (("The cat sleeps.", "Le chat dort."), "duplicate"),
        (("the CAT — sleeps", "« Le chat dort »"), "duplicate"),
        (("The cat sleeps.", "Le chat, il dort."), ""),
    ],
)
def test_a_pair_is_kept_once_whatever_its_marks_and_digits(
    second: tuple[str, str], why: str
) -> None:
    assert reason(("The cat sleeps.", "Le chat dort."), second) == why
    one, other = (f"{text} 17" for text in second)
    assert reason(("The cat sleeps. 42", "Le chat dort. 42"), (one, other)) == why


def test_a_pair_without_a_word_that_translates_another_is_misaligned() -> None:
    english, french = "big cats like old dogs often", "grands chats aiment vieux chiens souvent"
    words: dict[str, frozenset[str]] = {}
    for one, other in zip(english.split(), french.split(), strict=True):
        words |= {f"0{one}": frozenset({f"1{other}"}), f"1{other}": frozenset({f"0{one}"})}
    shifted = "maisons rouges brûlent toutes ensemble"
    words |= {f"1{word}": frozenset({"0house"}) for word in shifted.split()}
    assert reason((english, french), words=words) == ""
    assert reason((english, shifted), words=words) == "misaligned"
    assert (
        reason(("big cats and tables and more", shifted), words=words) == ""
    )  # too few words to tell


def test_the_lexicon_holds_words_that_stand_in_the_same_pairs() -> None:
    pairs = [
        Pair(f"the {one[0]} {verb[0]} {number}x", f"le {one[1]} {verb[1]} {number}x")
        for number in range(80)
        for one, verb in [(tiny.NOUNS[number % 4], tiny.VERBS[number // 4 % 4])]
    ]
    fillers = [Pair(f"filler{n} thing{n}", f"chose{n} autre{n}") for n in range(1000)]
    found = lexicon(pairs + fillers)
    for one, other in [*tiny.NOUNS, *tiny.VERBS]:
        assert f"1{other}" in found[f"0{one}"]
        assert f"0{one}" in found[f"1{other}"]
    assert "1chose5" not in found


def test_few_pairs_give_no_lexicon() -> None:
    assert lexicon([Pair("The cat sleeps.", "Le chat dort.")] * 3) == {}


def test_a_report_says_how_much_went_for_what() -> None:
    cleaner, report = Cleaner(("en", "fr"), {}), Report()
    pairs = [Pair("The cat.", "Le chat.")] * 3 + [Pair("1", "2")]
    assert cleaner.kept(pairs, report) == pairs[:1]
    assert str(report) == "4 pairs read, left out: duplicate 2, no words 1"
    assert str(Report(read=1200)) == "1,200 pairs read, left out: none"


def test_the_tiny_corpus_is_clean(corpora: Path) -> None:
    lines = (corpora / "translate-train.tsv").read_text().splitlines()
    pairs = [Pair(*line.split("\t")) for line in lines]
    assert Cleaner(("en", "fr"), lexicon(pairs)).kept(pairs, Report()) == pairs
