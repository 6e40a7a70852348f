"""The baselines of translation: a table learnt from pairs, and the source left as it is."""

from benchmarks.baselines_translation import learnt, scored, word_for_word
from training.data.corpora import Pair

PAIRS = [
    Pair("The cat sleeps.", "Le chat dort."),
    Pair("The dog sleeps.", "Le chien dort."),
    Pair("The cat eats.", "Le chat mange."),
    Pair("A dog eats.", "Un chien mange."),
] * 3


def test_words_are_learnt_from_pairs() -> None:
    words = learnt(PAIRS)
    wanted = {"the": "le", "cat": "chat", "dog": "chien", "sleeps": "dort", ".": "."}
    assert {word: words[word] for word in wanted} == wanted
    assert word_for_word("The dog, Tom, sleeps!", words) == "Le chien, Tom, dort!"


def test_an_empty_table_leaves_the_source() -> None:
    text = "It's  2 cats…\tor so."
    assert word_for_word(text, {}) == text
    assert scored([Pair("Same here, said Tom.", "Same here, said Tom.")], {})["bleu"] == 100
    assert float(scored(PAIRS, learnt(PAIRS))["bleu"]) > float(scored(PAIRS, {})["bleu"])
