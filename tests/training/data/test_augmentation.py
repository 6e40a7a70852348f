"""Augmented pairs stay translations: what is new stands on both sides, or the error is in the source alone."""

from service.tasks.spelling import without_accents
from training.data.augmentation import augment
from training.data.corpora import Pair

PAIRS = [
    Pair("Tom met Mary in Boston in 1987.", "Tom a rencontré Mary à Boston en 1987."),
    Pair("The meeting is on Tuesday.", "La réunion est mardi."),
    Pair("Where is Ahmed?", "Où est Ahmed ?"),
] * 400


def test_the_same_seed_gives_the_same() -> None:
    assert augment(PAIRS, 0.5, 1) == augment(PAIRS, 0.5, 1) != augment(PAIRS, 0.5, 2)


def test_the_share_is_kept() -> None:
    assert augment(PAIRS, 0.0, 1) == PAIRS
    assert augment([], 1.0, 1) == []
    for share in (0.2, 1.0):
        changed = sum(
            one != other for one, other in zip(augment(PAIRS, share, 1), PAIRS, strict=True)
        )
        # a few kinds leave a pair without names or numbers as it is
        assert 0.5 * share < changed / len(PAIRS) <= 1.1 * share


def test_every_kind_of_change_is_made_and_keeps_the_two_sides_alike() -> None:
    found = set(zip(augment(PAIRS, 1.0, 1), PAIRS, strict=True))
    changes = {(new.text, new.other): old for new, old in found if new != old}
    texts = [text for text, _ in changes]
    assert any("@" in text for text in texts)
    assert any("https://" in text for text in texts)
    assert any(text == text.upper() and len(text) > 20 for text in texts)
    for (text, other), old in changes.items():
        if text == other or text.startswith(old.text) or text.endswith(old.text):
            # both sides the same, or something put before or after both
            assert other == text or other.replace(old.other, "") == text.replace(old.text, "")
    renamed = [pair for pair in changes if pair[0].endswith("?") and pair[0].startswith("Where is")]
    assert len({text for text, _ in renamed}) > 20
    for text, other in renamed:
        assert other == f"Où est {text.removeprefix('Where is ').removesuffix('?')} ?"


def test_numbers_change_on_both_sides() -> None:
    years = {
        (new.text.split()[-1].strip("."), new.other.split()[-1].strip("."))
        for new in augment(PAIRS, 1.0, 1)
        if new.text.startswith("Tom met Mary in Boston in") and new.text.endswith(".")
    }
    assert len(years) > 10
    assert all(one == other and len(one) == 4 for one, other in years)


def test_accents_are_removed() -> None:
    assert without_accents("Où êtes-vous, Zoé ? Ça va.") == "Ou etes-vous, Zoe ? Ca va."
