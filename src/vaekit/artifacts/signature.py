"""Detached Ed25519 signatures of `SHA256SUMS`, and so of every file of an artifact.

The signature is 64 bytes, and keys are PEM files; OpenSSL checks them too:

    openssl pkeyutl -verify -rawin -pubin -inkey KEY.pub -in SHA256SUMS -sigfile SHA256SUMS.sig

Reference:
    Josefsson and Liusvaara (2017), Edwards-Curve Digital Signature Algorithm, RFC 8032
"""

import os
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from vaekit.artifacts.contents import SIGNATURE
from vaekit.artifacts.writing import write_file
from vaekit.errors import ArtifactError, MissingExtraError

KEY_VARIABLE = "VAEKIT_PUBLIC_KEY"


class KeyPair(NamedTuple):
    """Where the two keys are."""

    private: Path
    public: Path


def make_key_pair(path: Path) -> KeyPair:
    """Makes `path`.key, for whoever signs, and `path`.pub, for everybody else.

    Raises:
        ArtifactError: One of them exists, or cannot be written.
        MissingExtraError: The extra 'sign' is not installed.
    """
    serialization, ed25519 = _serialization(), _ed25519()
    pair = KeyPair(path.with_name(path.name + ".key"), path.with_name(path.name + ".pub"))
    for file in pair:
        if file.exists():
            raise ArtifactError(
                "There is a key of this name already; it is not overwritten.",
                where=file,
                remedy="choose another name",
            )
    private = ed25519.Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    secret = private.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_file(pair.private, secret, mode=0o600)
    write_file(pair.public, public)
    return pair


def signed(content: bytes, private_key: Path) -> bytes:
    """The signature of some bytes.

    Raises:
        ArtifactError: The key cannot be read, or is none.
        MissingExtraError: The extra 'sign' is not installed.
    """
    return _key(private_key, private=True).sign(content)


def configured_key(public_key: Path | None) -> Path | None:
    """The public key to check with: the one given, else the one in the environment."""
    given = os.environ.get(KEY_VARIABLE)
    # Set but empty is a mistake, and no permission to check nothing.
    return public_key or (None if given is None else Path(given).expanduser())


def check_signature(folder: Path, sums: bytes, public_key: Path) -> None:
    """Checks who wrote the list of hashes.

    Args:
        folder: The artifact.
        sums: Content of its list of hashes.
        public_key: PEM file.

    Raises:
        ArtifactError: There is no signature, it is not by this key, or the key is none.
        MissingExtraError: The extra 'sign' is not installed.
    """
    key, file = _key(public_key, private=False), folder / SIGNATURE
    if not file.is_file() or file.is_symlink():
        raise ArtifactError(
            "The artifact is not signed, and a public key says that it has to be.",
            where=folder,
            expected=f"a file {SIGNATURE}, made with the private part of {public_key}",
            found="no signature",
            remedy="vaekit artifact sign, or leave the key out where you trust the folder",
        )
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(file.read_bytes(), sums)
    except InvalidSignature:
        raise ArtifactError(
            "The signature of the artifact is not by this key, or not of this content.",
            where=file,
            expected=f"a signature by the private part of {public_key}",
            remedy="do not use this artifact; get it again from a source that you trust",
        ) from None


def _key(path: Path, private: bool) -> Any:
    serialization, ed25519 = _serialization(), _ed25519()
    kind = "private" if private else "public"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"The {kind} key cannot be read.",
            where=path,
            expected="a PEM file",
            found=error.strerror,
            remedy=f"check the path{'' if private else f', or unset {KEY_VARIABLE}'}",
        ) from error
    wanted = ed25519.Ed25519PrivateKey if private else ed25519.Ed25519PublicKey
    try:
        key = (
            serialization.load_pem_private_key(content, password=None)
            if private
            else serialization.load_pem_public_key(content)
        )
    except Exception as error:  # cryptography raises many kinds, one for each way to be wrong
        raise _wrong_key(path, kind, f"{type(error).__name__}") from error
    if not isinstance(key, wanted):
        raise _wrong_key(path, kind, type(key).__name__)
    return key


def _wrong_key(path: Path, kind: str, found: str) -> ArtifactError:
    ending = ".key" if kind == "private" else ".pub"
    return ArtifactError(
        f"This file holds no {kind} key that vaekit can use.",
        where=path,
        expected=f"a PEM file with the {kind} key of an Ed25519 pair, without a password",
        found=found,
        remedy=f"`vaekit artifact keygen NAME` makes a pair; the {kind} one is NAME{ending}",
    )


def _serialization() -> ModuleType:
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        raise MissingExtraError("sign", "Signing artifacts and checking signatures") from None
    return serialization


def _ed25519() -> ModuleType:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return ed25519
