"""Auto-Encoding Variational Bayes, again: its figures, and what becomes of its claims."""

from vaekit.studies.aevb.cells import Cell, Part, cells_of
from vaekit.studies.aevb.claims import claims
from vaekit.studies.aevb.findings import Findings
from vaekit.studies.aevb.manifold import manifold, unit_square
from vaekit.studies.aevb.mcem import MonteCarloEM
from vaekit.studies.aevb.study import PARTS, report, run_study
from vaekit.studies.aevb.tables import blocks
from vaekit.studies.aevb.train import train_cell

__all__ = [
    "PARTS",
    "Cell",
    "Findings",
    "MonteCarloEM",
    "Part",
    "blocks",
    "cells_of",
    "claims",
    "manifold",
    "report",
    "run_study",
    "train_cell",
    "unit_square",
]
