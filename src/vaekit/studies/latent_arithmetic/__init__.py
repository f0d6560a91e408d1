"""Latent arithmetic and interpolation, measured on a trained run."""

from vaekit.studies.latent_arithmetic.attributes import ATTRIBUTES, slant, thickness
from vaekit.studies.latent_arithmetic.directions import direction
from vaekit.studies.latent_arithmetic.interpolation import arcs
from vaekit.studies.latent_arithmetic.study import arithmetic_blocks, measure

__all__ = [
    "ATTRIBUTES",
    "arcs",
    "arithmetic_blocks",
    "direction",
    "measure",
    "slant",
    "thickness",
]
