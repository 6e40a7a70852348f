"""Where sentences that are too long for the network are cut."""

import pytest

from service.tasks.translate.long_sentences import cut


@pytest.mark.parametrize(
    ("tokens", "limit", "runs"),
    [
        ("▁a ▁b ▁c", 9, ["▁a ▁b ▁c"]),
        ("▁a b , ▁c d ▁e", 4, ["▁a b ,", "▁c d ▁e"]),
        ("▁a ▁b , ▁c ▁d ▁e", 4, ["▁a ▁b ,", "▁c ▁d ▁e"]),
        ("▁a ▁b c ▁d ▁e f", 4, ["▁a ▁b c ▁d", "▁e f"]),
        ("▁a b c d e f", 4, ["▁a b c d", "e f"]),
        ("▁a ▁b ▁c ⇧ ▁d ▁e", 4, ["▁a ▁b ▁c", "⇧ ▁d ▁e"]),
        ("▁a ▁b , ⇧ ▁d ▁e", 4, ["▁a ▁b ,", "⇧ ▁d ▁e"]),
        ("", 4, []),
    ],
)
def test_a_sentence_is_cut_after_a_mark_or_before_a_word_and_its_capital(
    tokens: str, limit: int, runs: list[str]
) -> None:
    pieces = tokens.replace("⇧", "\ue000").split()
    spans = cut(range(len(pieces)), pieces, limit)
    given = [" ".join(pieces[first:last]).replace("\ue000", "⇧") for first, last in spans]
    assert given == runs
