"""Sentence agreement, as counted by hand."""

from service.tasks.sentiment.messages import JudgedSentence, SentimentResult
from training.evaluation import sentence_agreement


def sentence(label: str, start: int, end: int, *chances: float) -> JudgedSentence:
    named = dict(zip(("negative", "neutral", "positive"), chances, strict=True))
    return JudgedSentence(
        label=label, score=named[label], scores=named, text="", start=start, end=end
    )


def whole(label: str, *sentences: JudgedSentence) -> SentimentResult:
    return SentimentResult(
        label=label,
        score=sentences[0].scores[label],
        scores=sentences[0].scores,
        sentences=list(sentences),
    )


def test_sentences_agree_with_the_whole_as_counted_by_hand() -> None:
    praise = sentence("positive", 0, 10, 0.1, 0.2, 0.7)
    more = sentence("positive", 10, 20, 0.2, 0.3, 0.5)
    blame = sentence("negative", 20, 60, 0.6, 0.3, 0.1)
    fact = sentence("neutral", 20, 30, 0.2, 0.6, 0.2)
    assert sentence_agreement.label_by_majority([praise, more, blame]) == "positive"
    assert sentence_agreement.label_by_mean([praise, more, blame]) == "negative"
    assert (
        sentence_agreement.label_by_majority([fact, blame])
        == sentence_agreement.label_by_majority([blame, fact])
        == "negative"
    )
    results = [
        whole("positive", praise, more, blame),
        whole("negative", praise, more, blame),
        whole("negative", blame, fact),
        whole("neutral", fact),
        whole("positive", fact),
        SentimentResult(label="neutral", score=0.0, scores={}, sentences=[]),
    ]
    assert sentence_agreement.agreement(results) == {
        "texts_of_one_sentence": 2,
        "texts_of_several": 3,
        "one_sentence_same": 0.5,
        "mean_agrees": round(2 / 3, 4),
        "most_agree": round(2 / 3, 4),
    }
    assert sentence_agreement.agreement([]) == {"texts_of_one_sentence": 0, "texts_of_several": 0}
