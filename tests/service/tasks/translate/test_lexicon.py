"""Words alone are looked up in the lexicon of a bundle that has one, however they are written."""

from pathlib import Path
from typing import Any

import pytest

from service import tasks
from service.errors import BundleError
from service.registry import bundle
from service.tasks.base import predict
from service.tasks.translate.task import Translate
from tests.service import tiny

from .alphabet import KNOWN

ENTRIES = """\
jamais\tnever
lundi\tMonday
arbre\ttree\tshaft
s' il vous plaît\tplease
os\tbone
OS\toperating system
presque\talmost
"""


def with_lexicon(folder: Path, entries: str) -> Path:
    """A translator from French that writes what it reads but for `~`, at which it ends, with these entries."""
    made = tiny.copier(folder, "fr", "en", KNOWN, {"~": ""})
    (made.path / "lexicon.tsv").write_text(entries, encoding="utf-8")
    options = made.manifest.options | {"lexicon": "lexicon.tsv"}
    return bundle.seal(made.path, made.manifest.model_copy(update={"options": options})).path


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Translate:
    opened = tasks.open_bundle(
        bundle.read(with_lexicon(tmp_path_factory.mktemp("models"), ENTRIES))
    )
    assert type(opened) is Translate
    return opened


def translated(task: Translate, text: str, **options: Any) -> str:
    (result,) = predict(task, [text], task.request(text, **options))
    return str(result.translation)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("jamais", "never"),
        ("Jamais", "Never"),
        ("JAMAIS !", "NEVER!"),
        ("Jamais ?!", "Never?!"),
        ("lundi", "Monday"),
        ("S’il vous plaît…", "Please…"),
        ("« Jamais ! »", "“Never!”"),
        ("- jamais\n- Lundi", "- never\n- Monday"),
        ("OS", "Operating system"),
        ("os", "bone"),
        ("presque presque", "almost almost"),
        ("Jamais, jamais, jamais !", "Never, never, never!"),
        ("**jamais**", "**never**"),
        ("jamais {nom}", "jamais {nom}"),
        ("Il ne vient jamais.", "Il ne vient jamais."),
    ],
)
def test_what_is_listed_and_nothing_else_is_looked_up(
    task: Translate, text: str, wanted: str
) -> None:
    assert translated(task, text) == wanted


def test_html_around_a_listed_word_stays(task: Translate) -> None:
    text = "<li><b>Jamais</b></li><li>lundi<br></li>"
    wanted = "<li><b>Never</b></li><li>Monday<br></li>"
    assert translated(task, text, format="html") == wanted


def test_a_listed_word_is_as_sure_as_can_be_and_has_its_other_translations_first(
    task: Translate,
) -> None:
    (result,) = predict(task, ["arbre"], task.request("", alternatives=2))
    assert (result.translation, result.score) == ("tree", 0.0)
    first, second = result.alternatives
    assert (first.translation, first.score) == ("shaft", 0.0)
    assert second.score < 0
    assert translated(task, "arbre") == "tree"


def test_a_batch_may_hold_listed_words_alone_and_be_left(task: Translate) -> None:
    texts = ["jamais", "Un arbre ici.", "lundi"]
    windows = [window for text in texts for window in task.encode(text, task.request(text))]
    batch = task.begin()
    known, other, left = batch.join(windows)
    batch.leave([left])
    done = dict(batch.step())
    assert set(done) == {known}
    while not (rest := batch.step()):
        pass
    assert [handle for handle, _ in rest] == [other]


@pytest.mark.parametrize("line", ["jamais", "\tnever", "jamais\t", "jamais\tnever\t\tever"])
def test_a_damaged_lexicon_is_refused(tmp_path: Path, line: str) -> None:
    path = with_lexicon(tmp_path, f"lundi\tMonday\n{line}\n")
    with pytest.raises(BundleError, match=r"lexicon\.tsv: line 2 is no entry"):
        tasks.open_bundle(bundle.read(path))


def test_a_lexicon_that_the_manifest_does_not_vouch_for_is_refused(tmp_path: Path) -> None:
    options = tiny.SEARCH | {"lexicon": "lexicon.tsv"}
    with pytest.raises(BundleError, match=r"names no file 'lexicon\.tsv'"):
        tasks.open_bundle(tiny.copier(tmp_path, "fr", "en", KNOWN, {}, options))
