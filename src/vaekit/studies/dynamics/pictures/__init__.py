"""The figures of the study: results in, matplotlib figures out."""

from vaekit.studies.dynamics.pictures.equilibrium import equilibrium
from vaekit.studies.dynamics.pictures.exact import linear
from vaekit.studies.dynamics.pictures.gradients import gradients
from vaekit.studies.dynamics.pictures.maps import maps, sampled
from vaekit.studies.dynamics.pictures.phase import phase
from vaekit.studies.dynamics.pictures.training import relatives, training

__all__ = [
    "equilibrium",
    "gradients",
    "linear",
    "maps",
    "phase",
    "relatives",
    "sampled",
    "training",
]
