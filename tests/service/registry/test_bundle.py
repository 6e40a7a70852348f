"""The model repository: what is written is read again, and what is damaged is named."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from service import tasks
from service.errors import BundleError
from service.registry import bundle
from service.registry.bundle import Bundle, Limits, Manifest, Training


def manifest(name: str = "ner") -> Manifest:
    return Manifest(
        name=name,
        task="ner",
        version=0,
        languages=["en"],
        labels=["PER"],
        limits=Limits(max_tokens=10),
        opset=20,
        options={"tags": ["O", "B-PER", "I-PER"]},
        training=Training(
            recipe={"fit": {"epochs": 1}},
            corpora=[],
            commit="none",
            seed=1,
            libraries={},
            device="cpu",
            seconds=1.5,
            parameters=3,
            finished="2025-01-01T00:00:00Z",
        ),
        scores={"test": {"f1": 0.5, "signature": "é"}},
    )


def sealed(staged: Path) -> Bundle:
    (staged / "tokenizer.json").write_text("{}")
    (staged / "model.onnx").write_bytes(bytes(range(256)))
    return bundle.seal(staged, manifest())


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return bundle.publish(sealed(bundle.stage(tmp_path, "ner"))).path


def test_what_is_published_is_read_again(tmp_path: Path) -> None:
    written = bundle.publish(sealed(bundle.stage(tmp_path, "ner")))
    assert written.path == tmp_path / "ner" / "1"
    read = bundle.read(written.path)
    assert read == written
    assert read.manifest.version == 1
    assert read.manifest.scores == manifest().scores
    assert read.manifest.files.keys() == {"tokenizer.json", "model.onnx"}
    assert read.file("model.onnx").read_bytes() == bytes(range(256))
    assert read.sha256 == written.sha256


def test_the_hash_of_a_bundle_covers_its_manifest(published: Path) -> None:
    before = bundle.read(published).sha256
    file = published / bundle.MANIFEST
    file.write_text(
        file.read_text().replace('"f1":0.5', '"f1":0.9').replace('"f1": 0.5', '"f1": 0.9')
    )
    after = bundle.read(published)
    assert after.manifest.scores["test"]["f1"] == 0.9
    assert after.sha256 != before


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_link_may_lead_within_a_bundle_but_not_out_of_it(published: Path, name: str) -> None:
    (published / "data").mkdir()
    (published / name).rename(published / "data" / name)
    (published / name).symlink_to(Path("data") / name)
    bundle.read(published)
    outside = published.parent.parent / name
    (published / "data" / name).rename(outside)
    (published / name).unlink()
    (published / name).symlink_to(outside)
    with pytest.raises(BundleError, match=f"{name} leads out of the bundle"):
        bundle.read(published)


@pytest.mark.parametrize(
    ("name", "most"),
    [("model.onnx", bundle.MAX_GRAPH_BYTES), ("tokenizer.json", bundle.MAX_OTHER_BYTES)],
)
def test_a_file_that_is_too_large_is_refused_before_it_is_read(
    published: Path, name: str, most: int
) -> None:
    with (published / name).open("r+b") as file:
        file.truncate(most + 1)  # sparse: it takes no room
    with pytest.raises(BundleError, match=f"{name} is larger than {most} bytes"):
        bundle.read(published)


def test_a_file_that_the_manifest_does_not_name_is_refused(published: Path) -> None:
    (published / "extra.txt").write_text("x")
    checked = bundle.read(published)
    for name in ("extra.txt", "../1/model.onnx", "manifest.json", ""):
        with pytest.raises(BundleError, match="the manifest names no file"):
            checked.file(name)


def test_the_hash_of_a_bundle_is_that_of_its_files(tmp_path: Path, published: Path) -> None:
    first = bundle.read(published).sha256
    copied = tmp_path / "copy" / "ner" / "1"
    shutil.copytree(published, copied)
    assert bundle.read(copied).sha256 == first
    staged = bundle.stage(tmp_path, "ner")
    sealed(staged)
    (staged / "more.txt").write_text("x")
    assert bundle.publish(bundle.seal(staged, manifest())).sha256 != first


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((path / "manifest.json").read_text())
    change(content)
    (path / "manifest.json").write_text(json.dumps(content))


def entry(name: str) -> Callable[[Path], None]:
    """Puts a file called `name` into the manifest."""
    return lambda path: rewritten(
        path, lambda content: content["files"].update({name: {"sha256": "0", "size": 1}})
    )


def flip_a_bit(path: Path) -> None:
    data = bytearray((path / "model.onnx").read_bytes())
    data[100] ^= 1
    (path / "model.onnx").write_bytes(data)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit": (flip_a_bit, "model.onnx is damaged: its sha256 differs"),
    "cut": (lambda p: (p / "model.onnx").write_bytes(b"x" * 99), "model.onnx has 99 bytes instead of 256"),
    "a file gone": (lambda p: (p / "tokenizer.json").unlink(), "tokenizer.json is missing"),
    "no manifest": (lambda p: (p / "manifest.json").unlink(), "no readable manifest.json"),
    "empty manifest": (lambda p: (p / "manifest.json").write_text(""), r"\(top\): Invalid JSON"),
    "half a manifest": (lambda p: (p / "manifest.json").write_text('{"format": 1'), r"\(top\): Invalid JSON"),
    "not utf-8": (lambda p: (p / "manifest.json").write_bytes(b"\xff\xfe"), "manifest.json"),
    "another format": (lambda p: rewritten(p, lambda c: c.update(format=2)), "format: Input should be 1"),
    "an unknown key": (lambda p: rewritten(p, lambda c: c.update(colour=1)), "colour: Extra inputs"),
    "a key gone": (lambda p: rewritten(p, lambda c: c.pop("limits")), "limits: Field required"),
    "another version": (lambda p: rewritten(p, lambda c: c.update(version=7)), "says ner/7; was the folder"),
    "another name": (lambda p: rewritten(p, lambda c: c.update(name="x")), "says x/1; was the folder"),
    "a path upwards": (entry("../../secret"), "'../../secret' is not the plain name of a file"),
    "an absolute path": (entry("/etc/passwd"), "'/etc/passwd' is not the plain name of a file"),
    "the folder above": (entry(".."), r"\.\. leads out of the bundle"),
    "a file that never was": (entry("ghost.onnx"), "ghost.onnx is missing"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_bundle_is_refused_by_name(published: Path, damage: str) -> None:
    change, message = DAMAGES[damage]
    change(published)
    with pytest.raises(BundleError, match=message) as caught:
        bundle.read(published)
    assert str(published) in caught.value.detail


def test_a_renamed_folder_is_refused(published: Path) -> None:
    moved = published.rename(published.parent / "2")
    with pytest.raises(BundleError, match="the manifest says ner/1; was the folder renamed"):
        bundle.read(moved)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no readable manifest\.json: No such file"):
        bundle.read(tmp_path / "ner" / "1")


@pytest.mark.parametrize("name", ["", "Ner", "a b", "../a", "a/b", "-a", "a-", "a--b", ".a", "é"])
def test_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError, match="is no bundle name"):
        bundle.stage(tmp_path, name)
    assert bundle.versions(tmp_path, name) == []


def test_a_staged_folder_is_no_version(tmp_path: Path) -> None:
    staged = bundle.stage(tmp_path, "ner")
    sealed(staged)
    assert bundle.versions(tmp_path, "ner") == []
    assert bundle.names(tmp_path) == []
    bundle.publish(sealed(staged))
    assert bundle.versions(tmp_path, "ner") == [1]
    assert bundle.names(tmp_path) == ["ner"]
    assert not staged.exists()


def test_what_an_earlier_try_left_staged_is_cleared(tmp_path: Path) -> None:
    (bundle.stage(tmp_path, "ner") / "left.txt").write_text("x")
    assert list(bundle.stage(tmp_path, "ner").iterdir()) == []


def test_versions_are_numbers_in_their_order(tmp_path: Path) -> None:
    for name in ("10", "9", "1", "0", "01", "x", "1.5", "-1"):
        (tmp_path / "ner" / name).mkdir(parents=True)
    (tmp_path / "ner" / "11").write_text("a file")
    assert bundle.versions(tmp_path, "ner") == [1, 9, 10]
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    assert bundle.names(tmp_path) == ["ner"]
    assert bundle.names(tmp_path / "nowhere") == []


def test_the_next_version_follows_the_highest(tmp_path: Path) -> None:
    (tmp_path / "ner" / "41").mkdir(parents=True)
    written = bundle.publish(sealed(bundle.stage(tmp_path, "ner")))
    assert (written.path.name, written.manifest.version) == ("42", 42)


def test_bundles_published_at_once_get_versions_of_their_own(tmp_path: Path) -> None:
    staged = [tmp_path / "ner" / f".staged-{number}" for number in range(12)]
    for folder in staged:
        folder.mkdir(parents=True)
    with ThreadPoolExecutor(12) as pool:
        written = list(pool.map(lambda folder: bundle.publish(sealed(folder)), staged))
    assert sorted(one.manifest.version for one in written) == list(range(1, 13))
    for one in written:
        assert bundle.read(one.path) == one


@pytest.fixture
def copied(ner_path: Path, tmp_path: Path) -> Path:
    """A trained bundle, to be damaged."""
    return Path(shutil.copytree(ner_path, tmp_path / "ner" / "1"))


def test_a_trained_bundle_is_loaded(copied: Path) -> None:
    assert tasks.load(copied).bundle.manifest.task == "ner"


def add_an_entity(content: dict[str, Any]) -> None:
    entity = {"text": "", "label": "PER", "start": 0, "end": 0, "score": 0.5}
    content["golden"][-1]["answer"]["entities"].append(entity)


def drop_an_option(content: dict[str, Any]) -> None:
    content["options"].pop("alphabet")


LIES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another answer": (add_an_entity, r"golden example \d+ gets another answer"),
    "no golden examples": (lambda content: content.update(golden=[]), "holds no golden examples"),
    "an option gone": (drop_an_option, "cannot be opened: KeyError"),
    "the code of another task": (lambda content: content.update(task="translate"), "cannot be opened"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_bundle_that_does_not_answer_as_it_should_is_refused(copied: Path, lie: str) -> None:
    change, message = LIES[lie]
    rewritten(copied, change)
    with pytest.raises(BundleError, match=message) as caught:
        tasks.load(copied)
    assert str(copied) in caught.value.detail


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"not a graph", "this is no ONNX graph"), (b"", "ONNX Runtime cannot load this graph")],
)
def test_a_graph_that_onnx_runtime_cannot_load_is_refused(
    copied: Path, content: bytes, message: str
) -> None:
    (copied / "model.onnx").write_bytes(content)
    bundle.seal(copied, bundle.read_manifest(copied))
    with pytest.raises(BundleError, match=rf"model\.onnx: {message}"):
        tasks.load(copied)


def test_a_score_may_be_rounded_as_another_processor_does_and_no_more(
    sentiment_path: Path, tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(sentiment_path, tmp_path / "sentiment" / "1"))

    def nudge(content: dict[str, Any], amount: float) -> None:
        for golden in content["golden"]:
            golden["answer"]["scores"]["positive"] += amount

    rewritten(copied, lambda content: nudge(content, 0.0005))
    tasks.load(copied)
    rewritten(copied, lambda content: nudge(content, 0.01))
    with pytest.raises(BundleError, match=r"golden example \d+ gets another answer"):
        tasks.load(copied)
