"""Cells that nobody trained, for what is made of cells."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from vaekit.studies.aevb import Cell


def made_up(
    folder: Path, cell: Cell, end: float, samples: int = 100_000, **changes: Any
) -> dict[str, Any]:
    """A cell whose curves rise evenly in the logarithm of samples, to `end` on test images."""
    there = np.geomspace(1000, samples, 21).round().astype(int).tolist()
    rise = np.linspace(-20.0, 0.0, 21)
    numbers = {
        "data": cell.data,
        "latent": cell.latent,
        "algorithm": cell.algorithm,
        "method": cell.method,
        "seed": cell.seed,
        "images": cell.images,
        "hidden": cell.units,
        "samples": samples,
        "start": cell.start,
        "step_size": 0.02,
        "tried": {},
        "seconds_per_million": 240.0,
        "cpu_seconds_per_million": 120.0,
        "curve": {
            "samples": there,
            "train": (end + 1 + rise).tolist(),
            "test": (end + rise).tolist(),
            "cpu_seconds": np.linspace(1, 60, 21).tolist(),
        },
        "test_elbo": end,
        "test_elbo_error": 0.5,
        **changes,
    }
    file = folder / "cells" / f"{cell.name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(numbers), encoding="utf-8")
    return numbers
