"""A language model: what it learns from plain text, and networks that start from it."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.training import tiny
from training.__main__ import main
from training.commands import language_model
from training.data.tokenization import word_tokenizer
from training.data.vocabulary import build_word_tokenizer
from training.pretraining.language_model.texts import read
from training.pretraining.language_model.train import sampling_probability
from training.pretraining.warm_start import read_pretrained, warm_start
from training.tasks.ner.config import Architecture as TaggerOptions
from training.tasks.ner.network import Network as Tagger
from training.tasks.sentiment.config import Architecture as ClassifierOptions
from training.tasks.sentiment.network import Network as Classifier

TAGS = ["O", "B-LOC", "I-LOC"]
OPTIONS: dict[str, Any] = {
    "web": True,
    "stretch": 6,
    "negatives": 5,
    "cell": "gru",
    "hidden": 16,
    "embedding": 12,
    "vocabulary": 60,
    "character_embedding": 8,
    "character_filters": 8,
    "word_characters": 10,
    "dropout": 0.05,
    "word_dropout": 0.1,
    "epochs": 12,
    "batch_tokens": 200,
    "learning_rate": 0.02,
    "validations": 2,
    "patience": 30,
    "device": "cpu",
    "threads": 1,
}


def learn(vectors: Path, folder: Path, **others: Any) -> Path:
    """A model of the texts that `vectors` was learnt from."""
    sets = OPTIONS | {"vectors": vectors, "out": folder / "model.pt", "runs": folder} | others
    given = [
        part for name, value in sets.items() for part in (f"--{name.replace('_', '-')}", str(value))
    ]
    texts = ["--text", "text.txt", "more.jsonl", "--data", str(vectors.parents[1])]
    return language_model.main([*texts, *given])


@pytest.fixture(scope="module")
def model_path(vectors_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learn(vectors_path, tmp_path_factory.mktemp("model"))


def test_it_learns_which_words_come_next(model_path: Path) -> None:
    model = torch.load(model_path, weights_only=True)
    log = next(model_path.parent.glob("model-*/log.jsonl")).read_text().splitlines()
    dev = [float(line.partition('"score": ')[2].partition(",")[0]) for line in log]
    assert dev[-1] > dev[0] + 0.2
    # far better than chance, though half of what the templates hold cannot be predicted
    assert dev[-1] > -0.7 * math.log(len(model["words"]))


def test_a_tagger_starts_from_its_words_letters_and_layer(model_path: Path) -> None:
    known = read_pretrained(model_path, 12)
    assert known is not None
    tokenizer = build_word_tokenizer(
        ["ada ada unheard unheard"], known.words, at_least=2, at_most=50
    )
    options = TaggerOptions(
        cell="gru", layers=2, hidden=16, embedding=12, character_embedding=8, character_filters=8
    )
    network = Tagger(options, tokenizer.get_vocab_size(), len(known.alphabet) + 2, TAGS, seen=5)
    above = network.state_dict()["stack.forwards.1.weight_hh_l0"].clone()
    warm_start(network, tokenizer, known)
    for name, value in known.weights.items():
        assert torch.equal(network.state_dict()[name], value), name
    assert torch.equal(network.state_dict()["stack.forwards.1.weight_hh_l0"], above)
    for word in ("ada", "<unk>"):
        row = network.embedding.weight[tokenizer.token_to_id(word)]
        assert row.tolist() == known.table[known.words.index(word)].tolist()


def test_a_classifier_starts_from_one_without_letters(vectors_path: Path, tmp_path: Path) -> None:
    path = learn(vectors_path, tmp_path, character_filters=0, epochs=1, cell="lstm")
    known = read_pretrained(path, 12)
    assert known is not None
    assert not known.alphabet
    tokenizer = build_word_tokenizer(["good good"], known.words, at_least=2, at_most=50, web=True)
    options = ClassifierOptions(hidden=16, embedding=12)
    network = Classifier(options, tokenizer.get_vocab_size(), 2)
    warm_start(network, tokenizer, known)
    assert {name.partition(".")[0] for name in known.weights} == {"stack"}
    for name, value in known.weights.items():
        assert torch.equal(network.state_dict()[name], value), name


def test_a_training_starts_from_it_and_refuses_other_sizes(
    corpora: Path, model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fitting = [
        *("--vectors", str(model_path), "--cell", "gru", "--hidden", "16", "--embedding", "12"),
        *("--character-embedding", "8", "--character-filters", "8", "--word-characters", "10"),
    ]
    once = ["--epochs", "1"]
    assert main(["ner", *tiny.arguments("ner", corpora, tmp_path, *fitting, *once)]) == 0
    wider = tiny.arguments("ner", corpora, tmp_path, *fitting, "--hidden", "20")
    assert main(["ner", *wider]) == 1
    assert "other sizes of its layer or letters" in capsys.readouterr().err
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"no model")
    assert main(["ner", *tiny.arguments("ner", corpora, tmp_path, "--vectors", str(broken))]) == 1
    assert "cannot read this language model" in capsys.readouterr().err


def test_it_says_what_it_needs(
    vectors_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["language_model"]) == 1
    assert "--text needs a file" in capsys.readouterr().err
    text = tmp_path / "text.txt"
    text.write_text("word\n")
    assert main(["language_model", "--text", str(text)]) == 1
    assert "--vectors needs a file" in capsys.readouterr().err
    vectors = ["--vectors", str(vectors_path), "--embedding", "12"]
    assert main(["language_model", "--text", str(text), *vectors]) == 1
    assert "too short to learn from" in capsys.readouterr().err
    text.write_text("zyx wvu tsr\n" * 20)
    assert main(["language_model", "--text", str(text), *vectors]) == 1
    assert "no word of the vectors" in capsys.readouterr().err


def test_another_text_of_the_same_name_is_another_training(
    vectors_path: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.txt"
    for words_of_it in ("good film", "bad film"):
        text.write_text(f"{words_of_it} {words_of_it}\n" * 30)
        language_model.main(
            [
                *("--text", str(text), "--vectors", str(vectors_path), "--embedding", "12"),
                *("--hidden", "4", "--out", str(tmp_path / "model.pt"), "--runs", str(tmp_path)),
            ]
        )
    assert len(list(tmp_path.glob("model-*"))) == 2


def test_stretches_stay_in_their_paragraph_and_lose_no_pair_of_words(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("a b c d e\n\nf\ng h\n")
    text = read([path], word_tokenizer(list("abcdefgh")), with_forms=True)
    assert text.ids.tolist() == [2, 3, 4, 5, 6, 7, 8, 9]
    assert [text.forms[place] for place in text.written] == list("abcdefgh")
    assert text.stretches(3).tolist() == [[0, 3], [3, 2], [6, 2]]


def test_the_probability_to_be_sampled_is_that_of_real_samples() -> None:
    chance = torch.tensor([0.7, 0.2, 0.1])
    torch.manual_seed(0)
    draws = torch.multinomial(chance, 5 * 20_000, replacement=True).view(-1, 5)
    found = [(draws == word).any(1).float().mean().item() for word in range(3)]
    assert np.allclose(found, sampling_probability(5, chance).tolist(), atol=0.01)
