"""Each rule on sentences like those of the corpora that it is for."""

from pathlib import Path

import pytest

from training.data.corpora import Tagged
from training.data.guidelines import RULES, described, read, spans_of, tags_of, trimmed
from training.errors import TrainingError


def tagged(text: str) -> Tagged:
    """`Ada|B-PER wrote` as a sentence."""
    pairs = [word.partition("|") for word in text.split()]
    return Tagged(tuple(word for word, _, _ in pairs), tuple(tag or "O" for _, _, tag in pairs))


def shown(sentence: Tagged) -> str:
    pairs = zip(sentence.tokens, sentence.tags, strict=True)
    return " ".join(word if tag == "O" else f"{word}|{tag}" for word, tag in pairs)


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("mentions", "RT @|B-ORG SpaceX|B-ORG : go", "RT @ SpaceX|B-ORG : go"),
        ("mentions", "@|B-PER Al|I-PER @ noon", "@ Al|B-PER @ noon"),
        ("no_mentions", "RT @ann : Ada|B-PER @ 7", "RT : Ada|B-PER @ 7"),
        ("no_mentions", "@Ada|B-PER wrote", "@Ada|B-PER wrote"),
        ("titles", "Prime|B-PER Minister|I-PER Meles|I-PER", "Prime Minister Meles|B-PER"),
        ("titles", "Rep|B-PER .|I-PER Paul|I-PER Ryan|I-PER", "Rep . Paul|B-PER Ryan|I-PER"),
        (
            "titles",
            "the President|B-PER of Mr.|B-ORG Bean|I-ORG",
            "the President of Mr.|B-ORG Bean|I-ORG",
        ),
        ("titles", "Lady|B-PER Gaga|I-PER", "Lady|B-PER Gaga|I-PER"),
        ("possessives", "Moscow|B-LOC 's|I-LOC Court|B-ORG", "Moscow|B-LOC 's Court|B-ORG"),
        ("demonyms", "Russian|B-LOC jets , Kenyans|B-LOC", "Russian jets , Kenyans"),
        ("demonyms", "French|B-LOC Guiana|I-LOC", "French|B-LOC Guiana|I-LOC"),
        ("pronouns", "they|B-ORG left IT|B-ORG", "they left IT|B-ORG"),
    ],
)
def test_a_rule_mends_what_it_is_for_and_nothing_else(rule: str, before: str, after: str) -> None:
    (mended,) = RULES[rule]([tagged(before)])
    assert shown(mended) == after


def test_a_sentence_of_mentions_alone_is_gone() -> None:
    assert RULES["no_mentions"]([tagged("@ann @bob"), tagged("hello")]) == [tagged("hello")]


def test_places_are_told_from_demonyms_and_from_organisations_by_the_whole_corpus() -> None:
    corpus = [
        tagged("in Nepal|B-LOC"),
        tagged("Nepal|B-GPE says Tuvan|B-GPE monks"),
        tagged("French|B-LOC French|B-GPE wine"),
        *[tagged("in India|B-LOC")] * 2,
        tagged("India|B-ORG signed , NATO|B-ORG too"),
    ]
    mended = [shown(sentence) for sentence in RULES["places"](corpus)]
    assert mended[1] == "Nepal|B-LOC says Tuvan monks"
    assert mended[2] == "French|B-LOC French wine"
    assert mended[-1] == "India|B-LOC signed , NATO|B-ORG too"


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("# Kiev ' s", "Kiev"),
        ("* Gwen Stefani", "Gwen Stefani"),
        ("NFL )", "NFL"),
        ("U . S .", "U . S ."),
        ("Acme Inc .", "Acme Inc ."),
        ("in London .", "in London"),
        ("Bank ( UK )", "Bank ( UK )"),
        ("O ' Brien ' s", "O ' Brien"),
        ("' s", "s"),
        ("…", ""),
    ],
)
def test_a_span_keeps_no_signs_at_its_ends_but_those_of_the_name(words: str, kept: str) -> None:
    split = words.split()
    first, end = trimmed(split, 0, len(split))
    assert split[first:end] == kept.split()


def test_tags_and_spans_are_the_same_thing() -> None:
    tags = ("B-PER", "B-PER", "I-PER", "O", "B-LOC")
    assert tags_of(spans_of(tags), 5) == tags


def test_rules_are_chosen_by_a_part_of_the_path(tmp_path: Path) -> None:
    (tmp_path / "tweets").mkdir()
    path = tmp_path / "tweets" / "train.txt"
    path.write_text("@\tB-PER\nMr\tB-PER\nAl\tI-PER\n")
    rules = {"tweets": "mentions", "tweets/train": "titles", "news": "demonyms"}
    (sentence,) = read(path, {}, guidelines=rules, annotated={})
    assert shown(sentence) == "@ Mr Al|B-PER"
    (sentence,) = read(path, {"PER": "P"}, guidelines={"news": "mentions"}, annotated={})
    assert shown(sentence) == "@|B-P Mr|B-P Al|I-P"
    with pytest.raises(TrainingError, match="no rule 'mention'; there are mentions, no_mentions"):
        list(read(path, {}, guidelines={"news": "mention"}, annotated={}))


def test_the_table_tells_each_rule_in_use_once() -> None:
    lines = described({"btc": "mentions titles", "gmb": "titles places"})
    assert [line.split(" | ")[:2] for line in lines[2:]] == [
        ["| mentions", "btc"],
        ["| titles", "btc, gmb"],
        ["| places", "gmb"],
        ["| trimmed", "all, in training"],
    ]
    assert all(line.count("|") == 4 for line in lines)
