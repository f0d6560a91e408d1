"""The folder of a run: what lies where, and whose it is.

    recipe.toml        the resolved recipe
    provenance.json    versions, git state, fingerprint of the data
    metrics.jsonl      the log of training
    checkpoint/        the newest state
    results.json       what the trained model was measured at, with the protocol
    figures/           pictures
    artifact/          the trained model, for whoever uses it
    report.html        all of it to read, in one file
    trackers.json      what the run is called elsewhere, where it is tracked

A folder belongs to one recipe. The same recipe goes on where it stopped; another one is
refused, because it would overwrite what is there.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

from vaekit.errors import ArtifactError
from vaekit.recipes import Recipe, load_recipe, to_toml

MACHINE = ("device", "precision", "threads", "compile")
"""Settings of [training] that say how, and not what, is computed."""


@final
class RunFolder:
    """Paths and files of one run.

    Args:
        path: The folder; it may not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recipe_file = path / "recipe.toml"
        self.provenance_file = path / "provenance.json"
        self.metrics_file = path / "metrics.jsonl"
        self.checkpoints = path / "checkpoint"
        self.results_file = path / "results.json"
        self.figures = path / "figures"
        self.artifact = path / "artifact"
        self.report_file = path / "report.html"

    def recipe(self) -> Recipe:
        """The recipe that the folder belongs to.

        Raises:
            ArtifactError: There is no run in it.
        """
        if not self.recipe_file.is_file():
            raise ArtifactError(
                "There is no run in this folder.",
                where=self.path,
                expected="a file recipe.toml",
                found="other files" if self.path.is_dir() else "no such folder",
                remedy=_runs_beside(self.path),
            )
        return load_recipe(self.recipe_file)

    def agreed(self, recipe: Recipe) -> Recipe:
        """The recipe to go on with: the one of the folder, where the two agree.

        Where `recipe` leaves device, precision or threads to the machine, those of the folder
        are kept, so that the run ends where it would have ended. Trackers are those of
        `recipe`: they watch a run and change nothing about it.

        Raises:
            ArtifactError: The folder belongs to another recipe, or holds something else.
        """
        if not self.path.exists() or (self.path.is_dir() and not any(self.path.iterdir())):
            return recipe
        if not self.recipe_file.is_file():
            raise ArtifactError(
                "The output folder holds something that is not a run.",
                where=self.path,
                expected="a new or empty folder",
                remedy="choose another one with --output",
            )
        there = self.recipe()
        found = differences(what_is_computed(there), what_is_computed(recipe))
        if found:
            raise ArtifactError(
                "The folder holds a run of another recipe, which is not overwritten.",
                where=self.path,
                expected="the same recipe",
                found=("\n" + " " * 12).join(found),
                remedy="choose another folder with --output, or remove this one",
            )
        given = {key: getattr(recipe.training, key) for key in MACHINE}
        chosen = {key: value for key, value in given.items() if value not in (None, "auto", False)}
        training = there.training.model_copy(update=chosen)
        return there.model_copy(update={"training": training, "trackers": recipe.trackers})

    @contextmanager
    def claimed(self, recipe: Recipe, provenance: Mapping[str, Any]) -> Iterator[None]:
        """Makes the folder, writes down whose it is, and keeps other processes out.

        Raises:
            ArtifactError: It cannot be written to, or another process trains in it.
        """
        with locked(self.path):
            self._check_same_data(provenance)
            write(self.recipe_file, to_toml(recipe))
            if not self.provenance_file.exists():
                write_json(self.provenance_file, provenance)
            yield

    def _check_same_data(self, provenance: Mapping[str, Any]) -> None:
        if not self.provenance_file.exists():
            return
        before = json.loads(self.provenance_file.read_text(encoding="utf-8"))
        old, new = before["data_fingerprint"], provenance["data_fingerprint"]
        if old != new:
            raise ArtifactError(
                "The data has changed since this run began, so it cannot go on.",
                where=self.path,
                expected=f"{before['data_source']} with fingerprint {old[:16]}...",
                found=f"{provenance['data_source']} with fingerprint {new[:16]}...",
                remedy="bring the old data back, or begin a new run with --output",
            )


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Makes a folder if need be, and keeps other processes out of it.

    Raises:
        ArtifactError: It cannot be written to, or another process is in it.
    """
    with written_to(path):
        path.mkdir(parents=True, exist_ok=True)
        lock = os.open(path / ".lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ArtifactError(
                "Another process is training in this folder.",
                where=path,
                remedy="wait for it, stop it, or choose another folder with --output",
            ) from error
        yield
    finally:
        os.close(lock)


@contextmanager
def written_to(path: Path) -> Iterator[None]:
    """Turns what the system says of a failed write into an error of ours."""
    try:
        yield
    except OSError as error:
        raise ArtifactError(
            "The run could not be written to disk; what was saved before is kept.",
            where=path,
            found=error.strerror or error,
            remedy="make room or rights there, or choose another folder with --output",
        ) from error


def write(path: Path, content: str | bytes) -> None:
    """Writes a file whole or not at all."""
    if isinstance(content, str):
        content = content.encode("utf-8")
    partial = path.with_name(path.name + ".partial")
    with written_to(path):
        try:
            partial.write_bytes(content)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON file whole or not at all."""
    write(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def recipe_digest(recipe: Recipe) -> str:
    """SHA-256 of what a recipe computes, whatever the seed and the machine."""
    tree = what_is_computed(recipe)
    del tree["seed"]
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()


def what_is_computed(recipe: Recipe) -> dict[str, Any]:
    """The settings that decide a run's numbers; not the machine, nor who is told."""
    tree = recipe.model_dump(mode="json", exclude={"description", "trackers"})
    for key in MACHINE:
        del tree["training"][key]
    return tree


def differences(there: Mapping[str, Any], here: Mapping[str, Any], path: str = "") -> list[str]:
    """What two trees disagree on, a line each."""
    found = []
    for key in dict.fromkeys([*there, *here]):
        name, old, new = path + key, there.get(key), here.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{name}.")
        elif old != new:
            found.append(f"{name}: {_short(old)} in the folder, {_short(new)} asked for")
    return found


def _short(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value)[:60]


def _runs_beside(path: Path) -> str:
    parent = path.parent
    runs = sorted(p.parent.name for p in parent.glob("*/recipe.toml")) if parent.is_dir() else []
    return f"runs in {parent}: {', '.join(runs[:10])}" if runs else "check the path"
