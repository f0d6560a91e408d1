"""Opening an artifact: nothing in it is used before all of it was checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar, final

from pydantic import ValidationError

from vaekit.artifacts import checksums
from vaekit.artifacts.contents import (
    EXAMPLES,
    REFERENCE,
    REQUIRED,
    SERVING,
    SIGNATURE,
    SUMS,
    Document,
)
from vaekit.artifacts.examples import Examples
from vaekit.artifacts.exported import EXPORTED, Exported
from vaekit.artifacts.reference import Reference
from vaekit.artifacts.serving import FORMAT_VERSION, Serving
from vaekit.artifacts.signature import check_signature, configured_key, signed
from vaekit.artifacts.writing import standing, write_file
from vaekit.errors import ArtifactError
from vaekit.spec import Spec

_S = TypeVar("_S", bound=Spec)


@final
@dataclass(frozen=True)
class ArtifactFolder:
    """An artifact whose every file is what was written.

    Args:
        path: The folder.
        digests: sha256 of every file, by name.
        is_signed: Whether a signature was checked.
        serving: What a server must know.
    """

    path: Path
    digests: Mapping[str, str]
    is_signed: bool
    serving: Serving

    def read(self, name: str) -> bytes:
        """Content of a file; what changed since the artifact was opened is refused."""
        return _read(self.path, self.digests, name)

    def document(self, name: str) -> Document:
        """Content of a JSON file."""
        return _document(self.path, self.digests, name)

    @property
    def reference(self) -> Reference:
        """Scores and codes of held-out examples."""
        return _parsed(Reference, self.document(REFERENCE), self.path / REFERENCE)

    @property
    def examples(self) -> Examples | None:
        """Some held-out examples; None where the artifact has none."""
        if EXAMPLES not in self.digests:
            return None
        try:
            return Examples.from_bytes(self.read(EXAMPLES))
        except ValueError as error:
            _damaged(self.path / EXAMPLES, "examples named x", error)

    @property
    def exported(self) -> Exported | None:
        """Its graphs, and what was measured of them; None where there are none."""
        if EXPORTED not in self.digests:
            return None
        return _parsed(Exported, self.document(EXPORTED), self.path / EXPORTED)


def open_artifact(path: Path | str, public_key: Path | str | None = None) -> ArtifactFolder:
    """Verifies an artifact.

    Args:
        path: The artifact, or the run that it is of.
        public_key: PEM file of who must have signed it; else the one that the environment
            variable VAEKIT_PUBLIC_KEY names; where there is neither, nobody.

    Raises:
        ArtifactError: It is damaged, tampered with, unsigned, or of another format.
    """
    key = configured_key(None if public_key is None else Path(public_key).expanduser())
    return _verified(Path(path).expanduser(), key)


def sign(path: Path | str, private_key: Path | str) -> Path:
    """Signs an artifact that is as it was written; returns the file of the signature.

    Args:
        path: The artifact, or the run that it is of.
        private_key: PEM file.

    Raises:
        ArtifactError: The artifact is damaged, or the key is none.
        MissingExtraError: The extra 'sign' is not installed.
    """
    folder = _verified(Path(path).expanduser(), key=None)
    sums = checksums.to_text(folder.digests)
    if sums != (folder.path / SUMS).read_bytes():
        raise ArtifactError(
            "The list of hashes is not as vaekit writes it, so it is not signed.",
            where=folder.path / SUMS,
            expected="lines sorted by name",
            remedy="export the model again",
        )
    write_file(folder.path / SIGNATURE, signed(sums, Path(private_key).expanduser()))
    return folder.path / SIGNATURE


def _verified(path: Path, key: Path | None) -> ArtifactFolder:
    try:
        folder = _located(path)
        sums = (folder / SUMS).read_bytes()
        if key is not None:
            check_signature(folder, sums, key)
        digests = checksums.from_text(sums, folder / SUMS)
        checksums.verify(folder, digests)
    except OSError as error:
        raise ArtifactError(
            "The artifact cannot be read.",
            where=error.filename or path,
            found=error.strerror or error,
            remedy="check its rights",
        ) from error
    document = _document(folder, digests, SERVING)
    _check_version(document.get("format_version"), document.get("vaekit"), folder)
    for name in REQUIRED:
        if name not in digests:
            checksums.missing(folder, name)
    serving = _parsed(Serving, document, folder / SERVING)
    return ArtifactFolder(folder, digests, key is not None, serving)


def _located(path: Path) -> Path:
    """The folder itself, or the one that lies in the folder of a run."""
    for folder in (standing(path), standing(path / "artifact")):
        if (folder / SUMS).is_file():
            return folder
    if (path / "recipe.toml").is_file():
        raise ArtifactError(
            "This run has no artifact yet: its training has not come to its end.",
            where=path,
            expected="a folder artifact/, which is written when a run ends",
            remedy=f"vaekit train --resume {path}",
        )
    raise ArtifactError(
        "There is no artifact here.",
        where=path,
        expected=f"a folder with a file {SUMS}, or the folder of a run that has ended",
        found="other files" if path.is_dir() else "a file" if path.exists() else "no such folder",
        remedy=_artifacts_beside(path),
    )


def _artifacts_beside(path: Path) -> str:
    parent = path.parent
    found = sorted(file.parts[-3] for file in parent.glob(f"*/artifact/{SUMS}"))
    return f"artifacts in {parent}: {', '.join(found[:10])}" if found else "check the path"


def _check_version(version: Any, writer: Any, folder: Path) -> None:
    if type(version) is int and version == FORMAT_VERSION:  # true and 1.0 are equal to 1, too
        return
    is_newer = isinstance(version, int) and version > FORMAT_VERSION
    raise ArtifactError(
        "The artifact has a newer format than this vaekit can read."
        if is_newer
        else "The artifact has a format that no vaekit has written.",
        where=folder / SERVING,
        expected=f"format_version {FORMAT_VERSION}",
        found=f"format_version {version!r}, written by vaekit {writer}",
        remedy=f"install vaekit {writer} or newer" if is_newer else "export the model again",
    )


def _read(folder: Path, digests: Mapping[str, str], name: str) -> bytes:
    if name not in digests:
        checksums.missing(folder, name)
    try:
        content = (folder / name).read_bytes()
    except OSError:
        checksums.missing(folder, name)
    checksums.compare(folder, name, digests[name], checksums.digest(content))
    return content


def _document(folder: Path, digests: Mapping[str, str], name: str) -> Document:
    try:
        document = json.loads(_read(folder, digests, name))
    except (ValueError, RecursionError) as error:  # lists within lists within lists
        _damaged(folder / name, "JSON", error)
    if not isinstance(document, dict):
        _damaged(folder / name, "a JSON object", type(document).__name__)
    return document


def _parsed(spec: type[_S], document: Document, where: Path) -> _S:
    try:
        return spec.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        _damaged(where, ".".join(map(str, first["loc"])) or "other content", first["msg"])


def _damaged(where: Path, expected: str, found: object) -> NoReturn:
    raise ArtifactError(
        "A file of the artifact is damaged, though its hash is right: it was written so.",
        where=where,
        expected=expected,
        found=found,
        remedy="export the model again",
    )
