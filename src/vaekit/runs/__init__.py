"""Runs: from a recipe to a trained, measured and pictured model in one folder."""

from vaekit.runs.assembly import Assembly, assemble
from vaekit.runs.folder import RunFolder
from vaekit.runs.run import Run, open_run
from vaekit.runs.train import fit, prepare, train

__all__ = ["Assembly", "Run", "RunFolder", "assemble", "fit", "open_run", "prepare", "train"]
