"""Signatures: who signs a bundle vouches for its manifest and every file, and for no other bundle."""

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from service import tasks
from service.errors import BundleError
from service.registry import bundle, commands, signatures

from .. import tiny
from ..conftest import serving
from ..helpers import until


def make_key(folder: Path, name: str) -> Path:
    """A private key in a file; the public one beside it, with the ending .pub."""
    key = Ed25519PrivateKey.generate()
    private = folder / name
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private.with_suffix(".pub").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return private


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return make_key(tmp_path, "key")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    tiny.sentiment(folder)
    return folder


def sign(models: Path, key: Path, pair: str = "sentiment=1") -> int:
    return commands.main(["--models", str(models), "sign", "--key", str(key), pair])


def test_a_bundle_that_is_signed_is_loaded(
    models: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = models / "sentiment" / "1"
    before = bundle.read(path).sha256
    assert sign(models, key) == 0
    assert capsys.readouterr().out.startswith(f"signed {path} {before} by key ")
    assert tasks.load(path, key.with_suffix(".pub")).bundle.sha256 == before
    assert tasks.load(path).bundle.sha256 == before  # nobody need care


def test_any_of_several_keys_will_do_and_a_signature_more_harms_nothing(
    models: Path, key: Path
) -> None:
    path, other = models / "sentiment" / "1", make_key(key.parent, "other")
    both = key.with_name("both.pub")
    both.write_bytes(other.with_suffix(".pub").read_bytes() + key.with_suffix(".pub").read_bytes())
    sign(models, key)
    bundle.read(path, both)
    sign(models, other)
    sign(models, other)
    assert len((path / signatures.FILE).read_text().splitlines()) == 2
    for each in (key, other, both):
        bundle.read(path, each.with_suffix(".pub"))


def test_what_is_not_signed_or_by_another_or_has_changed_is_refused(
    models: Path, key: Path
) -> None:
    path, public = models / "sentiment" / "1", key.with_suffix(".pub")
    with pytest.raises(BundleError, match=r"it is not signed: there is no manifest\.sig"):
        tasks.load(path, public)
    sign(models, make_key(key.parent, "other"))
    with pytest.raises(BundleError, match="it is not signed by a trusted key"):
        tasks.load(path, public)
    sign(models, key)
    manifest = path / bundle.MANIFEST
    good = manifest.read_text()
    manifest.write_text(good.replace('"score": 1.0', '"score": 9.0'))
    assert manifest.read_text() != good
    with pytest.raises(BundleError, match="is not one of this manifest"):
        tasks.load(path, public)
    manifest.write_text(good)
    (path / signatures.FILE).write_text("0123456789abcdef no base64\n")
    with pytest.raises(BundleError, match="its signatures cannot be verified"):
        tasks.load(path, public)


def test_the_signature_of_one_bundle_is_none_of_another(models: Path, key: Path) -> None:
    sign(models, key)
    tiny.sentiment(models, {"good": "negative"})
    first, second = models / "sentiment" / "1", models / "sentiment" / "2"
    shutil.copy(first / signatures.FILE, second)
    with pytest.raises(BundleError, match="is not one of this manifest"):
        bundle.read(second, key.with_suffix(".pub"))


def test_what_is_opened_is_what_was_signed(models: Path, key: Path) -> None:
    sign(models, key)
    checked = bundle.read(models / "sentiment" / "1", key.with_suffix(".pub"))
    file = checked.file("model.onnx")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(BundleError, match=r"model\.onnx is damaged"):
        tasks.open_bundle(checked)


def test_what_cannot_serve_is_not_signed(
    models: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (models / "sentiment" / "1" / "model.onnx").write_bytes(b"")
    assert sign(models, key) == 1
    assert "model.onnx has 0 bytes" in capsys.readouterr().err
    assert not (models / "sentiment" / "1" / signatures.FILE).exists()


def test_a_key_of_another_kind_is_refused(
    models: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = generate_private_key(SECP256R1())
    key.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert sign(models, key) == 1
    assert "this key is none of Ed25519" in capsys.readouterr().err
    public = key.with_suffix(".pub")
    public.write_bytes(
        other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(ValueError, match="it holds a key that is none of Ed25519"):
        signatures.read_keys(public)
    public.write_text("ssh-ed25519 AAAA")
    with pytest.raises(ValueError, match="holds no public key"):
        signatures.read_keys(public)


def test_a_service_with_trusted_keys_serves_nothing_else(models: Path, key: Path) -> None:
    sign(models, key)
    public = key.with_suffix(".pub")
    with serving(models, watch_seconds=0.05, trusted_keys=public) as client:
        assert client.post("/sentiment", json={"text": "good"}).json()["model"]["version"] == 1
        tiny.sentiment(models)

        def about() -> str:
            return client.get("/models/sentiment").text

        until(lambda: "it is not signed" in about())
        assert client.post("/sentiment", json={"text": "good"}).json()["model"]["version"] == 1
        sign(models, key, "sentiment=2")
        until(
            lambda: client.post("/sentiment", json={"text": "good"}).json()["model"]["version"] == 2
        )
