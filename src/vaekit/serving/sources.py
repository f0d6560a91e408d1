"""Where models come from: one artifact, or a folder of models that is watched.

    MODELS/NAME/versions/VERSION/     an artifact
    MODELS/NAME/aliases.json          {"live": "2", "previous": "1"}

What an alias names is served. `live` answers where no version is named; without the file, the
highest version does. The file is replaced as a whole, so that whoever reads it, in whatever
process, sees the one state or the other.
"""

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypeAlias, final, runtime_checkable

from vaekit.artifacts import SUMS, open_artifact
from vaekit.errors import ArtifactError
from vaekit.serving.models import LIVE, PREVIOUS
from vaekit.serving.refusals import ConflictError, NotServedError

ALIASES: Final = "aliases.json"
VERSIONS: Final = "versions"
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


class Wanted(NamedTuple):
    """What is to be served of one model."""

    folders: Mapping[str, Path]
    """By version, of those that an alias names."""
    aliases: Mapping[str, str]


@runtime_checkable
class Source(Protocol):
    """Says what is to be served."""

    def names(self) -> list[str]:
        """Models that there are."""
        ...

    def wanted(self, name: str) -> Wanted:
        """What is to be served of one of them.

        Raises:
            ArtifactError: It cannot be found out.
        """
        ...


@final
class OneArtifact:
    """A single artifact, under its own name, as version 1.

    Args:
        path: The artifact, or the run that it is of.
        name: What it is called here; what it calls itself, where absent.
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        self._path = path
        self._name = name or open_artifact(path).serving.name

    def names(self) -> list[str]:
        return [self._name]

    def wanted(self, name: str) -> Wanted:
        return Wanted({"1": self._path}, {LIVE: "1"})


Change: TypeAlias = Callable[[dict[str, str]], dict[str, str]]


@final
class ModelFolder:
    """A folder of models, whose state is in its files alone.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        try:
            found = sorted(p.name for p in self.path.iterdir() if (p / VERSIONS).is_dir())
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return [name for name in found if _NAME.fullmatch(name)]

    def wanted(self, name: str) -> Wanted:
        aliases = self.aliases(name)
        return Wanted({v: self._versions(name) / v for v in aliases.values()}, aliases)

    def versions(self, name: str) -> dict[str, Path]:
        """Every version of a model that is there, served or not; the lowest first."""
        try:
            found = [p for p in self._versions(name).iterdir() if _NAME.fullmatch(p.name)]
        except OSError as error:
            raise _unreadable(self._versions(name), error) from error
        return {p.name: p for p in sorted(found, key=_natural)}

    def aliases(self, name: str) -> dict[str, str]:
        """The names that point to versions.

        Raises:
            ArtifactError: The file cannot be read.
        """
        file = self.path / name / ALIASES
        try:
            found = json.loads(file.read_text())
        except FileNotFoundError:
            versions = list(self.versions(name))
            return {LIVE: versions[-1]} if versions else {}
        except (OSError, ValueError, RecursionError) as error:
            raise _unreadable(file, error) from error
        if not isinstance(found, dict) or not all(
            isinstance(text, str) and _NAME.fullmatch(text)
            for pair in found.items()
            for text in pair
        ):
            raise ArtifactError(
                "The aliases of a model cannot be read.",
                where=file,
                expected='an object of names and versions, as in {"live": "2", "previous": "1"}',
                remedy="correct it; until then, what is served stays",
            )
        return found

    def point(self, name: str, alias: str, version: str) -> dict[str, str]:
        """Makes an alias point to a version; the live one before it becomes `previous`.

        Raises:
            RequestError: There is no such model or version.
        """
        if not _NAME.fullmatch(alias) or alias == PREVIOUS:
            raise ConflictError(
                "An alias cannot have this name.",
                expected=f"letters, digits, '_', '-' and '.', and not {PREVIOUS!r}",
            )
        if version not in self.versions(self._known(name)):
            raise NotServedError(
                f"The model {name} has no version {version[:60]!r}.",
                expected=", ".join(self.versions(name)),
            )
        return self._change(name, lambda now: _pointed(now, alias, version))

    def remove(self, name: str, alias: str) -> dict[str, str]:
        """Takes an alias away; a version without one is not served any more.

        Raises:
            RequestError: There is none, or it is the live one.
        """
        if alias == LIVE:
            raise ConflictError(
                "What is live cannot be taken away, only replaced.",
                remedy="move the model's folder away, if it is not to be served at all",
            )

        def removed(now: dict[str, str]) -> dict[str, str]:
            if alias not in now:
                raise NotServedError(f"The model {name} has no alias {alias[:60]!r}.")
            return {a: v for a, v in now.items() if a != alias}

        return self._change(self._known(name), removed)

    def roll_back(self, name: str) -> dict[str, str]:
        """Makes the previous version live again, and the live one the previous.

        Raises:
            ConflictError: There is no previous one.
        """

        def back(now: dict[str, str]) -> dict[str, str]:
            if not {LIVE, PREVIOUS} <= now.keys():
                raise ConflictError(f"There is no version of {name} to go back to.")
            return now | {LIVE: now[PREVIOUS], PREVIOUS: now[LIVE]}

        return self._change(self._known(name), back)

    def _known(self, name: str) -> str:
        if name not in self.names():
            raise NotServedError(
                f"There is no model {name[:60]!r} here.", expected=", ".join(self.names())
            )
        return name

    def _versions(self, name: str) -> Path:
        return self.path / name / VERSIONS

    def _change(self, name: str, change: Change) -> dict[str, str]:
        folder = self.path / name
        try:
            with _alone(folder):
                changed = change(self.aliases(name))
                _replace(folder / ALIASES, json.dumps(changed, indent=1).encode() + b"\n")
        except OSError as error:
            raise ArtifactError(
                "The aliases of a model cannot be written; they are as they were.",
                where=folder / ALIASES,
                found=error.strerror or error,
            ) from error
        return changed


def is_model_folder(path: Path) -> bool:
    """Whether models lie in a folder, rather than that it is one."""
    if not path.is_dir() or (path / SUMS).exists() or (path / "artifact").exists():
        return False
    return any((child / VERSIONS).is_dir() for child in path.iterdir())


def _pointed(now: dict[str, str], alias: str, version: str) -> dict[str, str]:
    before = now.get(LIVE)
    if alias == LIVE and before is not None and before != version:
        now = now | {PREVIOUS: before}
    return now | {alias: version}


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Orders v9 before v10."""
    parts = re.findall(r"\d+|\D+", path.name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keeps other processes from changing the same file in between."""
    with (folder / ".aliases.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _unreadable(path: Path, error: Exception) -> ArtifactError:
    return ArtifactError(
        "The folder of models cannot be read; what is served stays.",
        where=path,
        found=getattr(error, "strerror", None) or error,
    )
