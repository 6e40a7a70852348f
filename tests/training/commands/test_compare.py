"""`python -m training compare`: three cells, one table, one picture, and a gradient that is the true one; and
the pictures of the chapter `docs/understand`."""

import re
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
    gap = 100 * (scores[0] - max(scores[1:]))
    (said,) = re.findall(
        r"the simple RNN is at ([+-][\d.]+) points on \S*sentiment-test", lines[-1]
    )
    assert float(said) == pytest.approx(gap, abs=0.07)  # the table is rounded


def test_a_folder_is_asked_for(corpora: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *tiny.files("sentiment", corpora)]) == 1
    assert "--out needs a folder" in capsys.readouterr().err


TINY = {
    "cells": ["--cells", "lstm"],
    "gradient": ["--gap", "6"],
    "memory": ["--gaps", "3", "5"],
    "embeddings": ["--sizes", "5", "9"],
}
CHAPTER = Path(__file__).parents[3] / "docs" / "understand"


@pytest.mark.parametrize("name", compare.FIGURES)
def test_the_same_seed_draws_the_same_picture(name: str, tmp_path: Path) -> None:
    drawn = []
    for folder in (tmp_path / "once", tmp_path / "again"):
        options = ["--out", str(folder), "--steps", "2", *TINY.get(name, [])]
        assert main(["compare", name, *options]) == 0
        drawn.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert drawn[0] == drawn[1]
    assert drawn[0]
    for file, picture in drawn[0].items():
        assert b"<svg" in picture
        assert (CHAPTER / file).exists()


def test_every_picture_of_the_chapter_is_shown_and_every_page_says_how_to_draw_its_own() -> None:
    pages = {path.stem: path.read_text() for path in CHAPTER.glob("*.md")}
    shown = re.findall(r"\]\(([\w-]+\.svg)\)", "".join(pages.values()))
    assert sorted(set(shown)) == sorted(path.name for path in CHAPTER.glob("*.svg"))
    for page, text in pages.items():
        assert re.search(rf"compare ({'|'.join(compare.FIGURES)}|all)\b", text), page


def test_a_picture_that_is_not_there_is_answered_with_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["compare", "memories"]) == 1
    said = capsys.readouterr().err
    assert "'memories'" in said
    assert all(name in said for name in compare.FIGURES)


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
