"""The baseline of names: each token finds the vector of its word."""

from benchmarks.baselines_ner import rows
from training.data.corpora import Tagged


def test_a_token_has_the_vector_of_its_word_in_any_case() -> None:
    sentences = [
        Tagged(("OSLO", "1996", "won", "U.S."), ("B-LOC", "O", "O", "B-LOC")),
        Tagged(("Oslo", "lost"), ("B-LOC", "O")),
    ]
    assert rows(["u", "0000", "oslo", "won"], sentences) == {
        "1996": 1,
        "OSLO": 2,
        "Oslo": 2,
        "won": 3,
    }
