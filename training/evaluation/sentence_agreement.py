"""Sentence agreement: whether a classifier's label of a text agrees with its labels of the sentences.

The network reads a text as a whole, so its label is not derived from those of the sentences. Here it is compared
with what the sentences suggest; neither is taken for the truth.
"""

from collections import Counter
from collections.abc import Sequence

from service.tasks.sentiment.messages import JudgedSentence, SentimentResult


def agreement(results: Sequence[SentimentResult]) -> dict[str, float | str]:
    """Counts of answers that have `sentences`, and shares of them; a share of none is left out.

    Of texts of one sentence: the share whose sentence has exactly the label and scores of the text. Of texts of
    several: the share whose label is that of the sentences' mean, and the share whose label is that of most.
    """
    pairs = [(one, one.sentences) for one in results if one.sentences]
    shares = {
        "one_sentence_same": [
            (whole.label, whole.scores) == (own[0].label, own[0].scores)
            for whole, own in pairs
            if len(own) == 1
        ],
        "mean_agrees": [whole.label == label_by_mean(own) for whole, own in pairs if len(own) > 1],
        "most_agree": [
            whole.label == label_by_majority(own) for whole, own in pairs if len(own) > 1
        ],
    }
    counts: dict[str, float | str] = {
        "texts_of_one_sentence": len(shares["one_sentence_same"]),
        "texts_of_several": len(shares["most_agree"]),
    }
    return counts | {name: round(sum(held) / len(held), 4) for name, held in shares.items() if held}


def label_by_mean(sentences: Sequence[JudgedSentence]) -> str:
    """The likeliest label by the mean of the sentences' scores, each weighted by its characters."""
    sums = _sums(sentences)
    return max(sums, key=lambda label: sums[label])


def label_by_majority(sentences: Sequence[JudgedSentence]) -> str:
    """The label of most sentences; in a tie, the likeliest by the mean."""
    sums, counts = _sums(sentences), Counter(sentence.label for sentence in sentences)
    return max(counts, key=lambda label: (counts[label], sums[label]))


def _sums(sentences: Sequence[JudgedSentence]) -> dict[str, float]:
    """The sum of the sentences' scores of each label, weighted by their characters."""
    return {
        label: sum(one.scores[label] * (one.end - one.start) for one in sentences)
        for label in sentences[0].scores
    }
