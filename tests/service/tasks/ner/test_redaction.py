"""Redacted texts: what is hidden, under which name, and where it stands."""

from hypothesis import given
from hypothesis import strategies as st

from service.tasks.ner.patterns import Pattern
from service.tasks.ner.redaction import Style, redact

TEXT = "Ada met Bob in Paris. ada told  Bob  and Paris."


def at(label: str, text: str, words: str, nth: int = 0) -> Pattern:
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    return Pattern(label, start, start + len(words))


def test_an_entity_is_replaced_by_its_label() -> None:
    entities = [at("LOC", TEXT, "Paris"), at("PER", TEXT, "Ada")]
    redacted = redact(TEXT, entities)
    assert redacted.text == "[PER] met Bob in [LOC]. ada told  Bob  and Paris."


def test_the_same_words_have_the_same_pseudonym() -> None:
    entities = [
        at("PER", TEXT, "Ada"),
        at("PER", TEXT, "Bob"),
        at("LOC", TEXT, "Paris"),
        at("PER", TEXT, "ada"),
        at("PER", TEXT, "Bob", 1),
        at("ORG", TEXT, "Paris", 1),
    ]
    redacted = redact(TEXT, entities, "pseudonym")
    assert redacted.text == "[PER-1] met [PER-2] in [LOC-1]. [PER-1] told  [PER-2]  and [ORG-1]."


def test_a_pseudonym_that_the_text_holds_already_is_not_given_again() -> None:
    text = "[PER-1] wrote to Ada and [PER-3] to Bob"
    redacted = redact(text, [at("PER", text, "Ada"), at("PER", text, "Bob")], "pseudonym")
    assert redacted.text == "[PER-1] wrote to [PER-2] and [PER-3] to [PER-4]"


def test_overlapping_entities_are_hidden_whole_under_the_longest() -> None:
    text = "Bank of Paris Ltd"
    entities = [
        at("LOC", text, "Paris"),
        at("ORG", text, "Bank of Paris"),
        at("PER", text, "Paris Ltd"),
    ]
    redacted = redact(text, entities)
    assert redacted.text == "[ORG]"
    assert [(r.source_start, r.source_end) for r in redacted.replacements] == [(0, len(text))]


def test_entities_that_touch_stay_two() -> None:
    assert redact("AB", [Pattern("X", 0, 1), Pattern("Y", 1, 2)]).text == "[X][Y]"


def test_nothing_to_hide_leaves_the_text() -> None:
    assert redact(TEXT, []).text == TEXT
    assert redact("", []).replacements == []
    assert redact(TEXT, [Pattern("PER", 3, 3)]).text == TEXT


spans = st.lists(
    st.builds(
        lambda label, start, length: Pattern(label, start, start + length),
        st.sampled_from(["PER", "LOC"]),
        st.integers(0, 25),
        st.integers(1, 6),
    ),
    max_size=8,
)


@given(st.text(max_size=30), spans, st.sampled_from(["label", "pseudonym"]))
def test_the_replacements_tell_how_to_go_from_one_text_to_the_other(
    text: str, entities: list[Pattern], style: Style
) -> None:
    redacted = redact(text, entities, style)
    assert [redacted.text[r.start : r.end] for r in redacted.replacements] == [
        r.text for r in redacted.replacements
    ]
    rebuilt, place = "", 0
    for replacement in redacted.replacements:
        rebuilt += text[place : replacement.source_start] + replacement.text
        place = replacement.source_end
    assert rebuilt + text[place:] == redacted.text
    hidden = {i for r in redacted.replacements for i in range(r.source_start, r.source_end)}
    asked = {i for entity in entities for i in range(entity.start, min(entity.end, len(text)))}
    assert hidden == asked
