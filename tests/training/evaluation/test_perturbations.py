"""Perturbed test sets differ from the written one in just what their name says."""

from typing import get_args

from training.data.corpora import Tagged
from training.evaluation.perturbations import CASES, Perturbation, perturb


def tagged(text: str) -> Tagged:
    """`Ada|B-PER wrote` as a sentence."""
    pairs = [word.partition("|") for word in text.split()]
    return Tagged(tuple(word for word, _, _ in pairs), tuple(tag or "O" for _, _, tag in pairs))


def test_a_perturbation_of_case_changes_nothing_else() -> None:
    sentences = [tagged("McDonald|B-PER met IBM|B-ORG")]
    expected: dict[Perturbation, str] = {
        "written": "McDonald met IBM",
        "lower": "mcdonald met ibm",
        "upper": "MCDONALD MET IBM",
        "title": "Mcdonald Met Ibm",
    }
    assert expected.keys() == CASES.keys() == set(get_args(Perturbation)) - {"invented"}
    for perturbation, text in expected.items():
        (made,) = perturb(sentences, perturbation, known=lambda word: False)
        assert (made.text, made.tags) == (text, sentences[0].tags)


def test_an_invented_name_is_unknown_keeps_its_case_and_stays_the_same() -> None:
    sentences = [
        tagged("Ada|B-PER LOVELACE|I-PER of the University|B-ORG of|I-ORG Jena|I-ORG"),
        tagged("a university where Ada|B-PER , 36|B-LOC"),
    ]
    refused: list[str] = []

    def known(word: str) -> bool:
        refused.append(word)
        return len(refused) % 2 == 1

    one, other = perturb(sentences, "invented", known=known)
    assert one.tags == sentences[0].tags
    assert one.tokens[2:6] == ("of", "the", "University", "of")
    assert one.tokens[0].istitle()
    assert one.tokens[1].isupper()
    assert one.tokens[0] == other.tokens[3] != "Ada"
    assert other.tokens[-1] == "36"
    names = {one.tokens[0].lower(), one.tokens[1].lower(), one.tokens[6].lower()}
    assert len(names) == 3
    assert not names & set(refused[::2])


def test_only_names_are_invented() -> None:
    sentence = tagged("Ada|B-PER left in May|B-DATE")
    (made,) = perturb([sentence], "invented", known=lambda word: False)
    assert made.tokens[0] != "Ada"
    assert made.tokens[1:] == sentence.tokens[1:]
