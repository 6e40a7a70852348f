"""Varied pairs stay translations: what is new stands on both sides, or the source alone is at fault."""

from service.tasks.translate.spelling import without_accents
from training.corpora import Pair
from training.variants import varied

PAIRS = [
    Pair("Tom met Mary in Boston in 1987.", "Tom a rencontré Mary à Boston en 1987."),
    Pair("The meeting is on Tuesday.", "La réunion est mardi."),
    Pair("Where is Ahmed?", "Où est Ahmed ?"),
] * 400


def test_the_same_seed_gives_the_same() -> None:
    assert varied(PAIRS, 0.5, 1) == varied(PAIRS, 0.5, 1) != varied(PAIRS, 0.5, 2)


def test_the_share_is_kept() -> None:
    assert varied(PAIRS, 0.0, 1) == PAIRS
    assert varied([], 1.0, 1) == []
    for share in (0.2, 1.0):
        changed = sum(
            one != other for one, other in zip(varied(PAIRS, share, 1), PAIRS, strict=True)
        )
        # a few ways leave a pair without names or numbers as it is
        assert 0.5 * share < changed / len(PAIRS) <= 1.1 * share


def test_every_way_is_taken_and_keeps_the_sides_alike() -> None:
    found = set(zip(varied(PAIRS, 1.0, 1), PAIRS, strict=True))
    told = {(new.text, new.other): old for new, old in found if new != old}
    texts = [text for text, _ in told]
    assert any("@" in text for text in texts)
    assert any("https://" in text for text in texts)
    assert any(text == text.upper() and len(text) > 20 for text in texts)
    for (text, other), old in told.items():
        if text == other or text.startswith(old.text) or text.endswith(old.text):
            # a copy, or something put before or behind both sides
            assert other == text or other.replace(old.other, "") == text.replace(old.text, "")
    renamed = [pair for pair in told if pair[0].endswith("?") and pair[0].startswith("Where is")]
    assert len({text for text, _ in renamed}) > 20
    for text, other in renamed:
        assert other == f"Où est {text.removeprefix('Where is ').removesuffix('?')} ?"


def test_numbers_change_on_both_sides() -> None:
    years = {
        (new.text.split()[-1].strip("."), new.other.split()[-1].strip("."))
        for new in varied(PAIRS, 1.0, 1)
        if new.text.startswith("Tom met Mary in Boston in") and new.text.endswith(".")
    }
    assert len(years) > 10
    assert all(one == other and len(one) == 4 for one, other in years)


def test_accents_are_taken_off() -> None:
    assert without_accents("Où êtes-vous, Zoé ? Ça va.") == "Ou etes-vous, Zoe ? Ca va."
