"""Signatures: made, checked, and refused for each way to be wrong."""

import sys
from pathlib import Path

import pytest
from artifacts.tampering import copied, rewrite

from vaekit.artifacts import KEY_VARIABLE, make_key_pair, open_artifact, sign
from vaekit.errors import ArtifactError, MissingExtraError

pytest.importorskip("cryptography")


def test_signed_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact, keys = copied(tmp_path / "artifact"), make_key_pair(tmp_path / "me")
    assert keys.private.stat().st_mode & 0o777 == 0o600
    assert len(sign(artifact, keys.private).read_bytes()) == 64
    assert open_artifact(artifact, keys.public).is_signed
    assert not open_artifact(artifact).is_signed
    monkeypatch.setenv(KEY_VARIABLE, str(keys.public))
    assert open_artifact(artifact).is_signed


def test_a_forger_with_the_right_hashes_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact, keys = copied(tmp_path / "artifact"), make_key_pair(tmp_path / "me")
    sign(artifact, keys.private)
    rewrite(artifact, "card.md", b"use it for everything")
    open_artifact(artifact)
    with pytest.raises(ArtifactError, match="not by this key, or not of this content"):
        open_artifact(artifact, keys.public)
    monkeypatch.setenv(KEY_VARIABLE, str(keys.public))
    with pytest.raises(ArtifactError, match="not by this key, or not of this content"):
        open_artifact(artifact)


def test_missing_and_foreign_signatures(tmp_path: Path) -> None:
    artifact = copied(tmp_path / "artifact")
    mine, other = make_key_pair(tmp_path / "me"), make_key_pair(tmp_path / "other")
    with pytest.raises(ArtifactError, match="is not signed"):
        open_artifact(artifact, mine.public)
    sign(artifact, other.private)
    with pytest.raises(ArtifactError, match="not by this key"):
        open_artifact(artifact, mine.public)
    (artifact / "SHA256SUMS.sig").write_bytes(b"short")
    with pytest.raises(ArtifactError, match="not by this key"):
        open_artifact(artifact, other.public)


def test_wrong_keys(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import x25519

    artifact, keys = copied(tmp_path / "artifact"), make_key_pair(tmp_path / "me")
    sign(artifact, keys.private)
    foreign = tmp_path / "foreign.pub"
    foreign.write_bytes(
        x25519.X25519PrivateKey.generate()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    for file in (foreign, keys.private, artifact / "card.md"):
        with pytest.raises(ArtifactError, match="no public key that vaekit can use"):
            open_artifact(artifact, file)
    with pytest.raises(ArtifactError, match="public key cannot be read"):
        open_artifact(artifact, tmp_path / "nothing.pub")
    with pytest.raises(ArtifactError, match="no private key that vaekit can use"):
        sign(artifact, keys.public)


def test_keys_are_not_overwritten(tmp_path: Path) -> None:
    before = make_key_pair(tmp_path / "me").private.read_bytes()
    with pytest.raises(ArtifactError, match="not overwritten"):
        make_key_pair(tmp_path / "me")
    assert (tmp_path / "me.key").read_bytes() == before


def test_what_is_damaged_is_not_signed(tmp_path: Path) -> None:
    artifact, keys = copied(tmp_path / "artifact"), make_key_pair(tmp_path / "me")
    (artifact / "card.md").write_text("x")
    with pytest.raises(ArtifactError, match="was changed"):
        sign(artifact, keys.private)
    assert not (artifact / "SHA256SUMS.sig").exists()


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact, keys = copied(tmp_path / "artifact"), make_key_pair(tmp_path / "me")
    for name in [name for name in sys.modules if name.startswith("cryptography")]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"vaekit\[sign\]"):
        open_artifact(artifact, keys.public)


def test_a_list_that_vaekit_did_not_write_is_not_signed(tmp_path: Path) -> None:
    folder, pair = copied(tmp_path / "artifact"), make_key_pair(tmp_path / "key")
    lines = (folder / "SHA256SUMS").read_text().splitlines(keepends=True)
    (folder / "SHA256SUMS").write_text("".join(reversed(lines)))
    with pytest.raises(ArtifactError, match="not as vaekit writes it"):
        sign(folder, pair.private)
    assert not (folder / "SHA256SUMS.sig").exists()


def test_an_empty_variable_is_no_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "")
    with pytest.raises(ArtifactError, match="public key cannot be read"):
        open_artifact(copied(tmp_path / "artifact"))
