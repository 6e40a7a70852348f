"""The search of a translator, tried on pairs: which length penalty is taken, and what is shown of the widths."""

from pathlib import Path

import pytest

from service.tasks.translate import Translate
from training import search
from training.__main__ import main
from training.data.corpora import Pair, read_pairs


@pytest.fixture
def pairs(corpora: Path) -> list[Pair]:
    return list(read_pairs(corpora / "translate-dev.tsv", {}))


def test_the_best_length_penalty_is_an_option_and_each_width_is_tried_with_it(
    translate: Translate, pairs: list[Pair]
) -> None:
    chosen, tried = search.tuned(translate, pairs, (0.5, 1.5))
    best = chosen.pop("length_penalty")
    assert not chosen
    assert tried.keys() == {
        "beam 1, length penalty 0.5",
        "beam 1, length penalty 1.5",
        *(f"beam {width}, length penalty {best:g}" for width in search.WIDTHS),
    }
    own = {penalty: tried[f"beam 1, length penalty {penalty:g}"]["bleu"] for penalty in (0.5, 1.5)}
    assert own[best] == max(own.values())
    for values in tried.values():
        assert values.keys() == {"bleu", "sentences_per_second"}
        assert float(values["bleu"]) > 50


def test_only_the_search_of_a_bundle_is_changed(translate: Translate) -> None:
    task = search.changed(translate, beam=5, length_penalty=0.3)
    own, options = translate.bundle.manifest.options, task.bundle.manifest.options
    assert options == own | {"beam": 5, "length_penalty": 0.3}
    (window,) = task.encode("The cat sleeps.", task.request(""))
    assert len(task.run([window])[0]) == 1


def test_the_command_prints_what_it_tried(
    translate_path: Path, corpora: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["translate-dev.tsv#5", "--data", str(corpora), "--length-penalties", "1.0"]
    assert main(["search", str(translate_path), *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(", ")[0] for line in lines] == [f"beam {width}" for width in search.WIDTHS]
    assert all("bleu" in line and "sentences_per_second" in line for line in lines)


def test_the_command_is_for_translators_and_needs_pairs(
    ner_path: Path, translate_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", str(ner_path), "x"]) == 1
    assert "is no translator" in capsys.readouterr().err
    assert main(["search", str(translate_path)]) == 1
    assert "name at least one file of pairs" in capsys.readouterr().err
