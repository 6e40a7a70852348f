"""The hundred texts are read as they are marked."""

from pathlib import Path

from benchmarks import identifiers
from service.tasks.ner.patterns import find


def test_a_mark_tells_where_its_words_stand() -> None:
    assert identifiers.unmarked("Ask {PER|Mr. Fox|Fox} in {LOC|Rome}.") == (
        "Ask Mr. Fox in Rome.",
        {("PER", 8, 11), ("LOC", 15, 19)},
    )


def test_the_patterns_find_as_many_as_the_page_says() -> None:
    path = Path(identifiers.__file__).with_name("identifiers.txt")
    texts = [identifiers.unmarked(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(texts) == 100
    gold = {
        (text, *span) for text, spans in texts for span in spans if span[0] not in ("PER", "LOC")
    }
    got = {
        (text, one.label, one.start, one.end)
        for text, _ in texts
        for one in find(text, identifiers.LABELS)
    }
    assert len(gold) == 67
    assert len(gold & got) == 65
    assert len(got - gold) == 4  # three versions of four numbers, and a room
