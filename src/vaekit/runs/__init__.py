"""Runs: from a recipe to a trained, measured and pictured model in one folder."""

from vaekit.runs.assembly import Assembly, assemble
from vaekit.runs.compare import Difference, compare
from vaekit.runs.folder import RunFolder
from vaekit.runs.run import Run, open_run
from vaekit.runs.sweep import Point, sweep
from vaekit.runs.train import fit, prepare, train

__all__ = [
    "Assembly",
    "Difference",
    "Point",
    "Run",
    "RunFolder",
    "assemble",
    "compare",
    "fit",
    "open_run",
    "prepare",
    "sweep",
    "train",
]
