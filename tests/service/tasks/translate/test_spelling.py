"""Which words a translation may spell, followed token by token."""

from pathlib import Path

import pytest

from service.errors import BundleError
from service.registry import bundle
from service.tasks.base import predict
from service.tasks.translate.spelling import UNLISTED, Spelling
from service.tasks.translate.task import Translate
from tests.service import tiny

from .alphabet import KNOWN

PIECES = [" ", " the", " ca", "t", "r", "s", ".", " l'", "été", "\ue000", " cat's", "-", " 3"]
WORDS = ["car", "cat", "cats", "l", "s", "the", "été"]


def followed(tokens: list[int], own: tuple[str, ...] = ()) -> tuple[str, list[bool]]:
    spelling, state, listed = Spelling(WORDS, PIECES), "", []
    for token in tokens:
        state, known = spelling.after(state, token, own)
        listed.append(known)
    return state, listed


@pytest.mark.parametrize(
    ("tokens", "state", "listed"),
    [
        ([], "", []),
        ([1, 2, 3, 5, 0], "", [True] * 5),  # the cats
        ([2], "ca", [True]),
        ([2, 0], "", [True, False]),  # ca
        ([2, 3, 4], UNLISTED, [True, True, False]),  # catr
        ([2, 3, 4, 5, 0, 2], "ca", [True, True, False, True, True, True]),  # told once
        ([2, 3, 4, 6, 2], "ca", [True, True, False, True, True]),
        ([7, 8, 6], "", [True] * 3),  # l'été.
        ([10, 0], "", [True] * 2),
        ([2, 9], "", [True, False]),  # a reserved character ends a word
        ([2, 3, 11, 8, 0], "", [True] * 5),  # cat-été
        ([12, 5, 0], "", [True] * 3),  # 3s
    ],
)
def test_what_is_listed_is_told_for_each_token(
    tokens: list[int], state: str, listed: list[bool]
) -> None:
    assert followed(tokens) == (state, listed)


def test_words_of_the_source_may_stand_in_a_translation() -> None:
    assert followed([2, 3, 4, 5, 0], ("catrs",)) == ("", [True] * 5)
    assert followed([2, 3, 4, 0], ("catrs",)) == ("", [True, True, True, False])
    assert followed([2, 3, 4, 5, 5, 0], ("catrs",))[1] == [True, True, True, True, False, True]


def test_a_list_out_of_order_is_refused() -> None:
    assert Spelling.read(b"a\nb\n", [" "]).after("a", 0, ()) == ("", True)
    with pytest.raises(BundleError, match="not sorted"):
        Spelling.read(b"b\na\n", [" "])


@pytest.mark.parametrize(("listed", "dearer"), [("chag", False), ("chaf", True)])
def test_a_translation_with_a_word_that_its_bundle_does_not_list_scores_less(
    tmp_path: Path, listed: str, dearer: bool
) -> None:
    made = tiny.copier(tmp_path, "fr", "en", KNOWN, {"t": "g"})
    (made.path / "words.txt").write_text(f"{listed}\n", encoding="utf-8")
    options = made.manifest.options | {"words": "words.txt"}
    found = bundle.seal(made.path, made.manifest.model_copy(update={"options": options}))
    task = Translate(found)
    results = [predict(task, [text], task.request(text))[0] for text in ("un chat", "un mur")]
    assert [result.translation for result in results] == ["un chag", "un mur"]
    assert (results[0].score < results[1].score - 0.2) is dearer
