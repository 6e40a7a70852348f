"""The search of a translator, tried on pairs: which length penalty is taken, and what is shown of the widths."""

from pathlib import Path

import pytest

from service.tasks.translate.task import Translate
from training.data.corpora import Pair, read_pairs
from training.tasks.translate import search


@pytest.fixture
def pairs(corpora: Path) -> list[Pair]:
    return list(read_pairs(corpora / "translate-dev.tsv", {}))


def test_the_best_length_penalty_is_an_option_and_each_width_is_tried_with_it(
    translate: Translate, pairs: list[Pair]
) -> None:
    chosen, tried = search.tune(translate, pairs, (0.5, 1.5))
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
    task = search.with_search(translate, beam=5, length_penalty=0.3)
    own, options = translate.bundle.manifest.options, task.bundle.manifest.options
    assert options == own | {"beam": 5, "length_penalty": 0.3}
    (window,) = task.encode("The cat sleeps.", task.request(""))
    assert len(task.run([window])[0]) == 1
