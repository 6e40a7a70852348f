"""The networks that read words: probabilities over chains, attention, and vectors of the shipped tagger."""

import random
from itertools import product

import torch

from training.data.corpora import Tagged
from training.understand import attention, tagger
from training.understand.embeddings import shipped_vectors


def test_the_probability_of_a_tag_is_the_share_of_the_chains_that_have_it() -> None:
    torch.manual_seed(0)
    network = tagger.Tagger(["ship", "to", "oslo"]).eval()
    for scores in network.crf.parameters():
        torch.nn.init.normal_(scores)
    order = Tagged(("ship", "to", "Oslo"), ("O", "O", "B-CITY"))
    emissions = network([order])[0][0]
    transitions, start, end = network.crf.potentials()
    expected = torch.zeros(3, len(tagger.TAGS))
    for a, b, c in product(range(len(tagger.TAGS)), repeat=3):
        score = start[a] + emissions[0, a] + transitions[a, b] + emissions[1, b]
        score = score + transitions[b, c] + emissions[2, c] + end[c]
        expected[[0, 1, 2], [a, b, c]] += score.exp().detach()
    expected /= expected.sum(1, keepdim=True)
    found = tagger.marginals(network, [Tagged(("to",) * 5, ("O",) * 5), order])[1, :3]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_french_puts_some_adjectives_behind_their_noun() -> None:
    chance = random.Random(0)
    pairs = [attention.phrase_pair(chance) for _ in range(2000)]
    translations = [
        target[:4] for source, target in pairs if source[1:4] == ["big", "black", "cat"]
    ]
    assert translations
    assert all(words == ["le", "grand", "chat", "noir"] for words in translations)


def test_attention_is_a_distribution_over_the_source_for_each_word_and_the_end() -> None:
    network = attention.learn(steps=1, seed=1)
    target, weights = attention.translate(network, ["the", "cat"])
    assert weights.shape[1] == 3
    assert len(target) <= len(weights) <= attention.LONGEST + 1
    torch.testing.assert_close(weights.sum(1), torch.ones(len(weights)))


def test_vectors_of_the_shipped_tagger_put_like_words_together() -> None:
    vectors = shipped_vectors(["berlin", "paris", "chair", "qqqqqqq"])
    assert set(vectors) == {"berlin", "paris", "chair"}
    near, far = (
        torch.cosine_similarity(vectors["berlin"], vectors[other], dim=0)
        for other in ("paris", "chair")
    )
    assert near > far + 0.2
