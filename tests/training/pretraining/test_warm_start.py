"""Warm start from word vectors: which rows get a vector, and what is refused."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer
from torch import nn

from tests.training import tiny
from training.__main__ import main
from training.data.vocabulary import build_word_tokenizer
from training.pretraining.warm_start import fill_embedding, read_pretrained


def test_a_network_starts_from_its_vectors(vectors_path: Path) -> None:
    known = read_pretrained(vectors_path, 12)
    assert known is not None
    tokenizer: Tokenizer = build_word_tokenizer(
        ["film film unheard unheard rare"], known.words, at_least=2, at_most=20
    )
    assert tokenizer.get_vocab_size() == 2 + 20
    assert tokenizer.token_to_id("unheard") is not None
    assert tokenizer.token_to_id("rare") is None
    embedding = nn.Embedding(22, 12)
    own = embedding.weight[tokenizer.token_to_id("unheard")].tolist()
    fill_embedding(embedding, tokenizer, known)
    wanted = known.table[known.words.index("film")]
    assert embedding.weight[tokenizer.token_to_id("film")].tolist() == wanted.tolist()
    assert embedding.weight[tokenizer.token_to_id("unheard")].tolist() == own


def test_wrong_vectors_are_refused(
    corpora: Path, vectors_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refusal(*options: str) -> str:
        assert main(["ner", *tiny.arguments("ner", corpora, tmp_path, *options)]) == 1
        return capsys.readouterr().err

    said = refusal("--vectors", str(vectors_path))
    assert "holds vectors of 12 dimensions, --embedding is 16" in said
    assert "cannot read word vectors" in refusal("--vectors", str(corpora / "ner-dev.txt"))
    assert "cannot read word vectors" in refusal("--vectors", "nowhere.bin")
