"""The tagger's table of vectors: which of them training changes."""

import torch

from training.tasks.ner.config import Architecture
from training.tasks.ner.network import Network

TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


def test_the_vectors_of_the_words_seen_are_learned_and_the_others_stay() -> None:
    torch.manual_seed(5)
    options = Architecture(hidden=4, embedding=5, dropout=0, word_dropout=0)
    network = Network(options, 9, 4, TAGS, seen=6)
    before = network.embedding.weight.clone()
    ids, features = torch.tensor([[2, 5, 6, 8]]), torch.zeros(1, 4, options.character_filters)
    read = network.tag(ids, features, torch.tensor([4]))
    optimizer = torch.optim.SGD((p for p in network.parameters() if p.requires_grad), lr=1.0)
    read.sum().backward()
    optimizer.step()
    assert network.change is not None
    gradient = -network.change.weight.clone()
    read = network.tag(ids, features, torch.tensor([4]))
    network.merge_change()
    torch.testing.assert_close(network.tag(ids, features, torch.tensor([4])), read)
    torch.testing.assert_close(network.embedding.weight[:6], before[:6] - gradient)
    assert bool(gradient[[2, 5]].all())
    assert not bool(gradient[[0, 1, 3, 4]].any())
    assert torch.equal(network.embedding.weight[6:], before[6:])
    fixed = Network(Architecture(fixed_vectors=True), 9, 4, TAGS, seen=6)
    assert [name for name, _ in fixed.named_parameters() if "change" in name] == []
    assert not fixed.embedding.weight.requires_grad
