"""A republished translator: the same network, current options and notes, scores of its own."""

import json
import shutil
from pathlib import Path

import onnx
import pytest

from service import tasks
from service.registry import bundle
from service.tasks.base import predict
from service.tasks.translate.task import Translate
from training.__main__ import main
from training.export.golden import GOLDEN
from training.tasks.translate.config import BUNDLE_OPTIONS


@pytest.fixture
def old(translate_path: Path, tmp_path: Path) -> Path:
    """A bundle whose options, scores and golden examples are not those of today."""
    path = Path(
        shutil.copytree(translate_path, tmp_path / "models" / translate_path.parent.name / "1")
    )
    manifest = bundle.read_manifest(path)
    options = {"beam": 1, "length_penalty": 1.0, "repeats": 7, "reader": 1}
    update = {"options": options, "golden": manifest.golden[:1], "scores": {"old": {"bleu": 0.0}}}
    bundle.seal(path, manifest.model_copy(update=update))
    return path


def recipe(folder: Path, behaviour: Path | None = None, target: str = "fr") -> Path:
    path = folder / "recipe.toml"
    sets = f"behaviour = {json.dumps(str(behaviour))}\n" if behaviour else ""
    path.write_text(f'notes = "Better now."\n{sets}[network]\ntarget = "{target}"\n')
    return path


def test_the_network_stays_and_what_is_around_it_is_new(
    translate: Translate, old: Path, tmp_path: Path
) -> None:
    (usual,) = predict(translate, ["The cat sleeps."], translate.request(""))
    shouted = usual.translation.upper()
    sets = tmp_path / "sets"
    sets.mkdir()
    case = {"text": "THE CAT SLEEPS.", "any": [shouted]}
    (sets / "shouts.jsonl").write_text(json.dumps(case) + "\n")
    assert main(["republish", str(old), "--recipe", str(recipe(tmp_path, sets))]) == 0
    task = tasks.load(old.with_name("2"))
    assert isinstance(task, Translate)
    before, manifest = bundle.read_manifest(old), task.bundle.manifest
    assert manifest.options == before.options | BUNDLE_OPTIONS
    for name in ("encoder.onnx", "decoder.onnx", "tokenizer.json", "curves.png"):
        assert manifest.files[name] == before.files[name]
    # no test text is in capitals or holds an address
    scored = translate.bundle.manifest.scores
    assert manifest.scores == scored | {"behaviour-shouts": {"right": 1.0}}
    assert [example.input for example in manifest.golden] == list(GOLDEN)
    card = (old.with_name("2") / "card.md").read_text()
    assert "Better now.\nThe network is that of version 1, published anew.\n" in card
    assert "| behaviour-shouts | right | 1 |" in card
    assert bundle.read(old).manifest == before


def test_the_lexicon_of_the_recipe_is_added_and_can_be_taken_away(
    old: Path, tmp_path: Path
) -> None:
    words = tmp_path / "words.tsv"
    words.write_text("save\tenregistrer\nsee you\tà bientôt\n", encoding="utf-8")
    plain = recipe(tmp_path)
    listed = tmp_path / "listed.toml"
    listed.write_text(f"lexicon = [{json.dumps(str(words))}]\n{plain.read_text()}")
    assert main(["republish", str(old), "--recipe", str(listed)]) == 0
    task = tasks.load(old.with_name("2"))
    assert isinstance(task, Translate)
    (result,) = predict(task, ["Save!"], task.request("Save!"))
    assert (result.translation, result.score) == ("Enregistrer !", 0.0)
    assert "one of 2 words and phrases" in (old.with_name("2") / "card.md").read_text()
    assert main(["republish", str(old.with_name("2")), "--recipe", str(plain)]) == 0
    manifest = bundle.read_manifest(old.with_name("3"))
    assert "lexicon" not in manifest.options
    assert "lexicon.tsv" not in manifest.files


def test_graphs_are_written_as_they_are_today_and_the_card_tells_what_int8_costs(
    old: Path, tmp_path: Path
) -> None:
    manifest = bundle.read_manifest(old)
    narrow = manifest.training.recipe | {"precision": "int8"}
    training = manifest.training.model_copy(update={"recipe": narrow})
    bundle.seal(old, manifest.model_copy(update={"training": training}))
    assert main(["republish", str(old), "--recipe", str(recipe(tmp_path))]) == 0
    again = old.with_name("2")
    for path, products in ((old, {"MatMul"}), (again, {"MatMul", "MatMulInteger"})):
        kinds = {node.op_type for node in onnx.load(path / "decoder.onnx").graph.node}
        assert {kind for kind in kinds if kind.startswith("MatMul")} == products
    assert "| int8 | float32 |" in (again / "card.md").read_text()


def test_a_bundle_that_reads_texts_in_another_way_is_refused(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = bundle.read(old).manifest
    bundle.seal(old, other.model_copy(update={"options": other.options | {"reader": 0}}))
    assert main(["republish", str(old), "--recipe", str(recipe(tmp_path))]) == 1
    assert "reads texts in a way that is no longer known; train it anew" in capsys.readouterr().err
    assert not old.with_name("2").exists()


def test_a_wrong_bundle_or_recipe_is_refused(
    old: Path, ner_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = recipe(tmp_path, target="de")
    assert main(["republish", str(ner_path), "--recipe", str(other)]) == 1
    assert "is no translator" in capsys.readouterr().err
    assert main(["republish", str(old), "--recipe", str(other)]) == 1
    assert "is for en to de, the bundle for en to fr" in capsys.readouterr().err
    assert not old.with_name("2").exists()
