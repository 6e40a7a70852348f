"""`python -m training TASK`: under which names a model can be published."""

from pathlib import Path

import pytest

from training.__main__ import main


@pytest.mark.parametrize(
    ("task", "out", "says"),
    [
        ("sentiment", "ner", "ner holds a bundle for sentiment, but the name is kept for ner"),
        ("sentiment", "Tickets", "use lower-case letters"),
        ("sentiment", "my tickets", "use lower-case letters"),
        ("ner", "translate-en-fr", "the name is kept for translate en fr"),
        ("translate", "translate-fr-en", "holds a bundle for translate en fr"),
        ("translate", "translate", "the name is kept for translate"),
    ],
)
def test_a_name_that_cannot_be_served_is_refused_before_anything_is_read(
    task: str, out: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([task, "--out", str(tmp_path / out), "--train", "nowhere"]) == 1
    said = capsys.readouterr().err
    assert f"--out {tmp_path / out}: " in said
    assert says in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("task", "out"),
    [
        ("sentiment", "tickets"),
        ("ner", "ner-legal"),
        ("ner", "ner"),
        ("translate", "translate-en-fr"),
        ("translate", "legal-en-fr"),
    ],
)
def test_any_other_name_can_be_trained_under(
    task: str, out: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([task, "--out", str(tmp_path / out), "--train", "nowhere"]) == 1
    assert "--train, --dev and --test each need a file" in capsys.readouterr().err
