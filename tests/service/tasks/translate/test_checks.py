"""What tells that a translation cannot be right."""

import pytest

from service.tasks.translate.checks import Faults, dropped, faults, invented, looped


@pytest.mark.parametrize(
    ("source", "translation", "yes"),
    [
        ("the end", "la fin de la, la fin de la, la fin de la", True),
        ("the end", "la fin de la, la fin de la", False),
        ("the end", "a a a a a", True),
        ("a big cat, a big cat and a big cat", "un gros chat, un gros chat, un gros chat", False),
        ("a big cat and a big cat", "un gros chat, un gros chat, un gros chat", False),
        ("a big cat", "un gros chat, un gros chat, un gros chat", True),
        ("no no no no no", "non non non non non", False),
        ("1 2 3", "1 2 3 1 2 3 1 2 3", False),
        ("", "", False),
    ],
)
def test_a_phrase_three_times_that_the_source_has_once_is_a_loop(
    source: str, translation: str, yes: bool
) -> None:
    assert looped(source, translation) is yes


@pytest.mark.parametrize(
    ("source", "translation", "yes"),
    [
        ("x" * 30, "y" * 9, True),
        ("x" * 30, "y" * 10, False),
        ("x" * 30, "", True),
        ("x" * 19, "", False),
    ],
)
def test_under_a_third_of_the_length_something_is_dropped(
    source: str, translation: str, yes: bool
) -> None:
    assert dropped(source, translation) is yes


@pytest.mark.parametrize(
    ("source", "translation", "count"),
    [
        ("3 cats", "3 chats", 0),
        ("3 cats", "4 chats", 1),
        ("3 cats", "trois chats", 0),
        ("cats", "3 chats et 44 chiens", 2),
        ("three cats", "3 chats", 0),
        ("three cats", "300 chats", 1),
        ("at 3 pm", "à 15 h", 0),
        ("à 15 h", "at 3 pm", 0),
        ("in 1999", "en 2011", 1),
        ("5", "17", 0),  # an hour
        ("50", "62", 1),
        ("midnight", "0 h", 0),
    ],
)
def test_a_number_that_the_source_has_neither_in_digits_nor_words_is_invented(
    source: str, translation: str, count: int
) -> None:
    assert invented(source, translation) == count


def test_reserved_characters_are_counted() -> None:
    assert faults("a \ue020 b \ue010", "\ue010 c \ue020") == Faults()
    assert faults("a \ue020 b \ue010", "\ue010 c").placeholders == 1
    assert faults("a \ue020", "\ue020 \ue020 \ue011").placeholders == 2
    assert not faults("a", "b")
    assert faults("a", "\ue020")


def test_placeholders_weigh_more_than_loops_and_these_more_than_numbers() -> None:
    assert Faults() < Faults(0, False, 5) < Faults(0, True, 0) < Faults(1, False, 0)
