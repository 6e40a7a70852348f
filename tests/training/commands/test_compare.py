"""`python -m training compare`: three cells, one table, one picture, and a gradient that is the true one."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.training import tiny
from training.__main__ import main
from training.commands import compare
from training.nn.layers import Cell
from training.tasks.sentiment.config import Architecture, Config
from training.tasks.sentiment.examples import EncodedText
from training.tasks.sentiment.network import Network


@pytest.fixture(scope="module")
def folder(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a comparison on the tiny corpus writes."""
    where = tmp_path_factory.mktemp("compare")
    recipe = where / "recipe.toml"
    recipe.write_text("[network]\nhidden = 16\nembedding = 16\nat_least = 1\n")
    arguments = [
        *("--recipe", str(recipe), *tiny.files("sentiment", corpora), *tiny.FIT),
        *("--epochs", "2", "--threads", "1", "--runs", str(where / "runs")),
    ]
    return compare.main([*arguments, "--out", str(where / "out" / "cells")])


def test_one_table_and_one_picture_are_written(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {"compare.md", "compare.png"}
    assert (folder / "compare.png").read_bytes().startswith(b"\x89PNG")
    lines = (folder / "compare.md").read_text().splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    assert rows[0][0] == "cell"
    assert "sentiment-test" in rows[0][1]
    assert rows[0][2:] == ["parameters", "seconds", "seconds an epoch"]
    assert [row[0] for row in rows[1:]] == ["rnn", "lstm", "gru"]
    scores = [float(row[1]) for row in rows[1:]]
    assert all(0 < score <= 1 for score in scores)
    rnn, lstm, gru = (int(row[2].replace(",", "")) for row in rows[1:])
    assert rnn < gru < lstm
    assert "![" in "".join(lines)
    assert "why LSTM and GRU exist" in "".join(lines)


def test_a_folder_is_asked_for(corpora: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *tiny.files("sentiment", corpora)]) == 1
    assert "--out needs a folder" in capsys.readouterr().err


def network(cell: Cell, bidirectional: bool) -> Network:
    torch.manual_seed(0)
    options = Architecture(cell=cell, hidden=6, embedding=5, bidirectional=bidirectional)
    return Network(options, 30, 3).eval()


@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_gradient_is_that_of_the_loss_of_the_last_forward_state(bidirectional: bool) -> None:
    one = network("lstm", bidirectional)
    texts = [EncodedText([3, 4, 5, 6, 7], 1, 0), EncodedText([8, 9, 10], 2, 0)]
    shares = []
    for ids, label in ((text.ids, text.label) for text in texts):
        inputs = one.embedding(torch.tensor([ids])).detach().requires_grad_()
        state = one.stack.forwards[0](inputs)[0][:, -1]
        outputs = one.stack.outputs
        weight = one.output.weight[:, 2 * outputs : 2 * outputs + 6]
        logits = state @ weight.T + one.output.bias
        functional.cross_entropy(logits, torch.tensor([label])).backward()
        assert inputs.grad is not None
        norms = inputs.grad[0].norm(dim=-1).flip(0)[:3]
        shares.append((norms / norms[0]).numpy())
    wanted = np.exp(np.log(shares).mean(0))
    np.testing.assert_allclose(compare.gradient_by_distance(one, texts), wanted, rtol=1e-4)


def test_the_gradient_of_a_plain_rnn_shrinks_where_an_lstm_that_remembers_keeps_it() -> None:
    chance = np.random.default_rng(0)
    texts = [EncodedText(chance.integers(2, 30, 40).tolist(), 1, 0) for _ in range(8)]
    forgetful, remembering = network("rnn", False), network("lstm", False)
    for parameter in forgetful.stack.parameters():
        parameter.data *= 0.7
    dict(remembering.stack.named_parameters())["forwards.0.bias_ih_l0"].data[6:12] = 6.0
    rnn, lstm = (compare.gradient_by_distance(one, texts) for one in (forgetful, remembering))
    assert rnn[0] == lstm[0] == 1.0
    assert len(rnn) == 40
    assert rnn[39] < 1e-4
    assert lstm[39] > 1e-2


def test_only_the_cell_differs(corpora: Path) -> None:
    config = Config()
    for cell in compare.CELLS:
        changed = compare.with_cell(config, cell)
        assert changed.network.cell == cell
        assert changed.network.model_dump(exclude={"cell"}) == config.network.model_dump(
            exclude={"cell"}
        )
        assert (changed.fit, changed.files) == (config.fit, config.files)
