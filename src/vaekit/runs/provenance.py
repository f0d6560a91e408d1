"""Where a run comes from: versions, machine, git state, data."""

import os
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from vaekit.data import Dataset
from vaekit.recipes import Recipe
from vaekit.training import environment


def provenance(recipe: Recipe, dataset: Dataset) -> dict[str, Any]:
    """What should be known about a run before its first step."""
    return {
        "vaekit": version("vaekit"),
        "environment": environment(recipe.training),
        "cores": _cores(),
        "git": git_state(),
        "data": dataset.name,
        "data_source": dataset.source,
        "data_split": dataset.split_name,
        "data_fingerprint": dataset.fingerprint,
        "seed": recipe.seed,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def git_state() -> dict[str, str | bool] | None:
    """Commit of the current directory and whether it has changes; None outside a repository."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "has_changes": bool(_git("status", "--porcelain"))}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
