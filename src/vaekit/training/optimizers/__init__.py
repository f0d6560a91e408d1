"""Optimisers, by their published names. Pick one.

They are vaekit's own because torch's take a second to import (they bring its compiler along)
and spend as long on bookkeeping as on a small model's update; the arithmetic is torch's.
"""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.training.optimizers.adagrad import Adagrad, AdagradSpec
from vaekit.training.optimizers.adam import Adam, AdamSpec
from vaekit.training.optimizers.adamax import Adamax, AdamaxSpec
from vaekit.training.optimizers.optimizer import Optimizer
from vaekit.training.optimizers.sgd import SGD, SGDSpec

OptimizerSpec: TypeAlias = Annotated[
    AdamSpec | AdamaxSpec | AdagradSpec | SGDSpec, Field(discriminator="kind")
]

__all__ = [
    "SGD",
    "Adagrad",
    "AdagradSpec",
    "Adam",
    "AdamSpec",
    "Adamax",
    "AdamaxSpec",
    "Optimizer",
    "OptimizerSpec",
    "SGDSpec",
]
