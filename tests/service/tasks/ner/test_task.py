"""What a request for entities may ask for beside them; finding them is tested with the other tasks."""

from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from service.errors import InvalidInput
from service.tasks.base import predict
from service.tasks.ner.messages import NerResult, check_labels
from service.tasks.ner.task import Ner
from service.tasks.ner.values import value_of

TEXT = "😀 Ada Lovelace wrote to ada@example.org . Marie Curie lives in London ."


def answer(task: Ner, text: str, **options: Any) -> NerResult:
    (result,) = predict(task, [text], task.request(text, **options))
    assert isinstance(result, NerResult)
    return result


def test_identifiers_are_found_only_if_their_labels_are_asked_for(ner: Ner) -> None:
    assert "EMAIL" not in {one.label for one in answer(ner, TEXT).entities}
    (mail,) = answer(ner, TEXT, labels=["EMAIL"]).entities
    assert (mail.text, mail.score) == ("ada@example.org", 1.0)


def test_entities_of_both_kinds_come_in_order_and_do_not_overlap(ner: Ner) -> None:
    found = answer(ner, TEXT, labels=["PER", "LOC", "EMAIL"]).entities
    assert {one.label for one in found} >= {"PER", "EMAIL"}
    assert all(one.end <= other.start for one, other in pairwise(found))


@pytest.mark.parametrize("offsets", ["codepoint", "utf16", "byte"])
def test_a_redacted_text_has_its_replacements_where_it_says(ner: Ner, offsets: str) -> None:
    encoding = {"codepoint": "utf-32-le", "utf16": "utf-16-le", "byte": "utf-8"}[offsets]
    width = {"codepoint": 4, "utf16": 2, "byte": 1}[offsets]
    result = answer(ner, TEXT, labels=["PER", "EMAIL"], redact=True, offsets=offsets)
    assert result.redacted
    assert result.replacements

    def part(text: str, start: int, end: int) -> str:
        return text.encode(encoding)[start * width : end * width].decode(encoding)

    for one in result.replacements:
        assert part(result.redacted, one.start, one.end) == one.text == f"[{one.label}]"
    hidden = [part(TEXT, one.source_start, one.source_end) for one in result.replacements]
    assert hidden == [one.text for one in result.entities]
    assert "ada@example.org" not in result.redacted


def test_pseudonyms_tell_one_name_from_another(ner: Ner) -> None:
    result = answer(ner, TEXT + " Marie Curie lives in London .", labels=["PER"], pseudonyms=True)
    marks = {TEXT[one.source_start : one.source_end]: one.text for one in result.replacements or []}
    assert marks["Ada Lovelace"] != marks["Marie Curie"]
    assert result.redacted
    assert result.redacted.count(marks["Marie Curie"]) == 2


def test_nothing_is_redacted_or_valued_unasked(ner: Ner) -> None:
    told = answer(ner, TEXT).model_dump(exclude_none=True)
    assert told.keys() == {"entities"}
    assert all("value" not in one for one in told["entities"])


def test_an_entity_whose_text_tells_no_value_has_none(ner: Ner) -> None:
    found = answer(ner, TEXT, values=True).entities
    assert found
    assert all(one.value is None for one in found)  # names have none
    assert value_of("yesterday", "DATE", reference=date(2025, 1, 2)) == {"value": "2025-01-01"}


def test_an_unknown_label_is_refused_with_those_there_are(ner: Ner) -> None:
    request = ner.request(TEXT, labels=["EMAIL", "DOG"])
    with pytest.raises(InvalidInput, match=r"IBAN.*PHONE") as refused:
        check_labels(request, ner.bundle.manifest)
    assert [one.pointer for one in refused.value.errors] == ["/labels/1"]
