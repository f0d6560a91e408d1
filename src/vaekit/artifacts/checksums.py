"""`SHA256SUMS`: the hash of every file, in the format of the program sha256sum.

Names are plain and relative: nothing that is written there can point out of the folder, and no
link is followed.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NoReturn

from vaekit.artifacts.contents import SIGNATURE, SUMS
from vaekit.errors import ArtifactError

_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_DEEPEST = 8
_AGAIN = "get the artifact again from where it came from, or export it again"


def digest(content: bytes) -> str:
    """sha256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def to_text(digests: Mapping[str, str]) -> bytes:
    """The file, sorted by name."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def from_text(content: bytes, where: Path) -> dict[str, str]:
    """Hashes by name.

    Raises:
        ArtifactError: A line is not one of sha256sum's, or names a place outside the folder.
    """
    digests: dict[str, str] = {}
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in digests:
            raise ArtifactError(
                "The list of hashes is damaged.",
                where=f"{where}, line {number}",
                expected="64 hexadecimal digits, two spaces, and a name that occurs once",
                found=repr(line[:90]),
                remedy=_AGAIN,
            )
        if not _NAME.fullmatch(match[2]) or match[2] in (SUMS, SIGNATURE):
            raise ArtifactError(
                "The list of hashes names a place that it must not name.",
                where=f"{where}, line {number}",
                expected="a file inside the folder, without '..' and without a leading '/'",
                found=repr(match[2][:90]),
                remedy="do not use this artifact; get it again from a source that you trust",
            )
        digests[match[2]] = match[1]
    return digests


def verify(folder: Path, digests: Mapping[str, str]) -> None:
    """Compares a folder with its list of hashes.

    Raises:
        ArtifactError: A file is missing, a link, changed, or not in the list.
    """
    present = set(_files(folder)) - {SUMS, SIGNATURE}
    for name, expected in digests.items():
        if name not in present:
            missing(folder, name)
        with (folder / name).open("rb") as content:
            compare(folder, name, expected, hashlib.file_digest(content, "sha256").hexdigest())
    unlisted = sorted(present - digests.keys())
    if unlisted:
        raise ArtifactError(
            "The artifact holds a file that does not belong to it.",
            where=folder / unlisted[0],
            expected=f"the files in {SUMS}, and no other",
            found=", ".join(unlisted[:5]),
            remedy="move it elsewhere",
        )


def compare(folder: Path, name: str, expected: str, found: str) -> None:
    """Complains where a file's hash is not the listed one."""
    if found != expected:
        raise ArtifactError(
            "A file of the artifact was changed after it was written.",
            where=folder / name,
            expected=f"sha256 {expected}",
            found=f"sha256 {found}",
            remedy=_AGAIN,
        )


def missing(folder: Path, name: str) -> NoReturn:
    """Complains that a file is not there."""
    raise ArtifactError(
        "A file of the artifact is missing.",
        where=folder,
        expected=name,
        found=", ".join(sorted(set(_files(folder)))[:12]),
        remedy=_AGAIN,
    )


def _files(folder: Path, depth: int = 0) -> Iterator[str]:
    """Names of all files below, with slashes; a link is refused, wherever it points."""
    if depth > _DEEPEST:
        raise ArtifactError(
            "The artifact holds folders within folders, more than any vaekit makes.",
            where=str(folder)[:90],
            expected=f"{_DEEPEST} at most",
            remedy="do not use this artifact; get it again from a source that you trust",
        )
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise ArtifactError(
                "The artifact holds a link, or something else that is not a file.",
                where=path,
                expected="plain files",
                remedy="put the file itself there",
            )
        if path.is_dir():
            yield from (str(PurePosixPath(path.name, below)) for below in _files(path, depth + 1))
        else:
            yield path.name
