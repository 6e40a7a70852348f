"""Layers and the CRF against references: PyTorch's own packed layers, and enumeration of every path."""

from itertools import pairwise, product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from training.nn.crf import CRF
from training.nn.layers import Attention, Cell, Merge, RecurrentStack, merged
from training.tasks.ner.config import Architecture as TaggerOptions
from training.tasks.ner.network import Network as Tagger
from training.tasks.sentiment.config import Architecture as ClassifierOptions
from training.tasks.sentiment.network import Network as Classifier
from training.tasks.translate.config import Architecture as TranslatorOptions
from training.tasks.translate.network import Network as Translator

TAGS = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


def reference(stack: RecurrentStack, inputs: int) -> nn.RNNBase:
    """PyTorch's own layers with the weights of a stack."""
    layers = len(stack.forwards)
    own = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[stack.cell](
        inputs,
        stack.hidden,
        num_layers=layers,
        batch_first=True,
        bidirectional=stack.bidirectional,
    )
    for layer in range(layers):
        for suffix, parts in (("", stack.forwards), ("_reverse", stack.backwards)):
            if len(parts) == 0:
                continue
            for name, value in parts[layer].named_parameters():
                getattr(own, name.replace("l0", f"l{layer}") + suffix).data.copy_(value.data)
    return own


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_stack_equals_pytorchs_own_layers_over_packed_sequences(
    cell: Cell, bidirectional: bool, layers: int
) -> None:
    torch.manual_seed(0)
    stack = RecurrentStack(
        5, 7, cell=cell, layers=layers, bidirectional=bidirectional, merge="concat"
    )
    for parameter in stack.parameters():
        nn.init.normal_(parameter, std=0.4)
    x, lengths = torch.randn(4, 9, 5), torch.tensor([9, 1, 4, 6])
    outputs, last = stack(x, lengths)
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    wanted, states = reference(stack, 5)(packed)
    wanted, _ = pad_packed_sequence(wanted, batch_first=True, total_length=9)
    hidden: Tensor = states[0] if cell == "lstm" else states
    directions = 2 if bidirectional else 1
    torch.testing.assert_close(outputs, wanted, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(
        last, torch.cat(list(hidden[-directions:]), dim=-1), atol=1e-6, rtol=1e-5
    )


@pytest.mark.parametrize("merge", ["concat", "sum", "mean", "max"])
def test_padding_changes_no_output_of_a_stack(merge: Merge) -> None:
    torch.manual_seed(1)
    stack = RecurrentStack(3, 4, cell="gru", layers=2, bidirectional=True, merge=merge)
    x, lengths = torch.randn(2, 6, 3), torch.tensor([6, 3])
    outputs, last = stack(x, lengths)
    alone, alone_last = stack(x[1:, :3], lengths[1:])
    torch.testing.assert_close(outputs[1:, :3], alone)
    torch.testing.assert_close(last[1:], alone_last)
    assert not outputs[1, 3:].any()


def test_the_two_directions_merge_as_named() -> None:
    ahead, behind = torch.tensor([[[1.0, -2.0]]]), torch.tensor([[[3.0, -4.0]]])
    wanted: dict[Merge, list[float]] = {
        "concat": [1, -2, 3, -4],
        "sum": [4, -6],
        "mean": [2, -3],
        "max": [3, -2],
    }
    for merge, values in wanted.items():
        assert merged(ahead, behind, merge).flatten().tolist() == values


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_the_crfs_loss_is_that_of_all_paths_enumerated(temperature: float) -> None:
    torch.manual_seed(2)
    crf = CRF(TAGS).double()
    for parameter in crf.parameters():
        nn.init.normal_(parameter)
    lengths = torch.tensor([5, 1, 3, 4])
    emissions = torch.randn(4, 5, len(TAGS), dtype=torch.double)
    gold = torch.tensor([[0, 1, 2, 0, 3], [3, 0, 0, 0, 0], [1, 2, 2, 0, 0], [0, 3, 4, 4, 0]])
    wanted = enumerated(crf, emissions, gold, lengths, [set()] * 4, temperature)
    torch.testing.assert_close(crf.loss(emissions, gold, lengths, temperature), wanted)
    # an O may hide a person, a place, either, or nothing
    hidden = [{3, 4}, {1, 2}, set(), {1, 2, 3, 4}]
    unknown = torch.tensor([[tag in row for tag in range(len(TAGS))] for row in hidden])
    loss = crf.loss(emissions, gold, lengths, temperature, unknown)
    torch.testing.assert_close(loss, enumerated(crf, emissions, gold, lengths, hidden, temperature))
    assert loss < wanted - 0.01
    nothing = torch.zeros_like(unknown)
    torch.testing.assert_close(crf.loss(emissions, gold, lengths, temperature, nothing), wanted)


def enumerated(
    crf: CRF,
    emissions: Tensor,
    gold: Tensor,
    lengths: Tensor,
    hidden: list[set[int]],
    temperature: float,
) -> Tensor:
    """The loss, path by path. hidden: of each row, the tags that a word tagged O may have as well."""
    transitions, start, end = (potential / temperature for potential in crf.potentials())

    def score(row: int, path: tuple[int, ...]) -> Tensor:
        total = start[path[0]] + end[path[-1]]
        for position, tag in enumerate(path):
            total = total + emissions[row, position, tag] / temperature
        for before, after in pairwise(path):
            total = total + transitions[before, after]
        return total

    wanted = torch.zeros((), dtype=torch.double)
    for row, length in enumerate(lengths.tolist()):
        tags = gold[row, :length].tolist()
        choices = [{tag} | (hidden[row] if tag == 0 else set()) for tag in tags]
        everything, right = (
            torch.logsumexp(torch.stack([score(row, path) for path in product(*sets)]), 0)
            for sets in ([range(len(TAGS))] * length, choices)
        )
        wanted += everything - right
    return wanted / lengths.sum()


def test_attention_looks_only_at_real_positions() -> None:
    attention = Attention(3, 4)
    memory = torch.randn(2, 5, 4)
    real = torch.tensor([[True] * 5, [True, True, False, False, False]])
    queries = torch.randn(2, 1, 3)
    contexts = attention(queries, attention.keys(memory), memory, real)
    memory[1, 2:] = 100
    again = attention(queries, attention.keys(memory), memory, real)
    assert torch.equal(contexts, again)


def networks() -> dict[str, tuple[nn.Module, Any]]:
    """Each network, and a function that gives its loss on a small batch."""
    torch.manual_seed(3)
    ids, lengths = torch.randint(2, 20, (3, 6)), torch.tensor([6, 4, 2])
    tags = torch.tensor([[0, 1, 2, 2, 0, 3], [3, 4, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]])
    tagger = Tagger(TaggerOptions(hidden=4, embedding=5, layers=2), 20, 10, TAGS, seen=20)
    characters, where = torch.randint(1, 10, (5, 16)), torch.randint(5, (3, 6))
    classifier = Classifier(ClassifierOptions(hidden=4, embedding=5, layers=2), 20, 3)
    gold = torch.tensor([0, 1, 2])
    translator = Translator(TranslatorOptions(embedding=5, hidden=4, decoder=6, layers=2), 20)
    return {
        "ner": (
            tagger,
            lambda: tagger.crf.loss(tagger(ids, characters, where, lengths), tags, lengths),
        ),
        "sentiment": (
            classifier,
            lambda: nn.functional.cross_entropy(classifier(ids, lengths), gold),
        ),
        "translate": (translator, lambda: translator.loss(ids, lengths, ids, lengths, 0.1)),
    }


@pytest.mark.parametrize("task", ["ner", "sentiment", "translate"])
def test_after_one_step_every_parameter_that_is_learnt_has_moved(task: str) -> None:
    network, loss = networks()[task]
    before = {
        name: value.detach().clone()
        for name, value in network.named_parameters()
        if value.requires_grad
    }
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    loss().backward()
    optimizer.step()
    after = dict(network.named_parameters())
    still = [name for name, value in before.items() if torch.equal(after[name], value)]
    assert still == []


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_recurrent_weights_start_orthogonal_and_forget_gates_open(cell: Cell) -> None:
    stack = RecurrentStack(3, 4, cell=cell, layers=1, bidirectional=True, merge="sum")
    for name, parameter in stack.named_parameters():
        if "weight_hh" in name:
            for block in parameter.split(4):
                torch.testing.assert_close(block @ block.T, torch.eye(4), atol=1e-5, rtol=0)
        elif "bias" in name:
            remember = [
                1.0 if cell == "lstm" and "ih" in name and 4 <= n < 8 else 0.0
                for n in range(len(parameter))
            ]
            assert parameter.tolist() == remember
