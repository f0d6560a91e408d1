"""What can be wrong, one file each, causes before their consequences."""

from typing import Final

from vaekit.diagnosis.checks.blur import Blur
from vaekit.diagnosis.checks.codes_leave_prior import CodesLeavePrior
from vaekit.diagnosis.checks.collapsed_dimensions import CollapsedDimensions
from vaekit.diagnosis.checks.collapsed_layer import CollapsedLayer
from vaekit.diagnosis.checks.constant_encoder import ConstantEncoder
from vaekit.diagnosis.checks.data_range import DataRange
from vaekit.diagnosis.checks.diverged import Diverged
from vaekit.diagnosis.checks.memorisation import Memorisation
from vaekit.diagnosis.checks.missing_modes import MissingModes
from vaekit.diagnosis.checks.noise_floor import NoiseFloor
from vaekit.diagnosis.checks.overfitting import Overfitting
from vaekit.diagnosis.checks.posterior_collapse import PosteriorCollapse
from vaekit.diagnosis.checks.saturated_scales import SaturatedScales
from vaekit.diagnosis.checks.unused_codes import UnusedCodes
from vaekit.diagnosis.checks.warmup import Warmup
from vaekit.diagnosis.finding import Check

CHECKS: Final[tuple[Check, ...]] = (
    DataRange(),
    NoiseFloor(),
    Diverged(),
    ConstantEncoder(),
    Warmup(),
    UnusedCodes(),
    PosteriorCollapse(),
    CollapsedLayer(),
    CollapsedDimensions(),
    SaturatedScales(),
    CodesLeavePrior(),
    Memorisation(),
    Overfitting(),
    MissingModes(),
    Blur(),
)
"""In the order in which they are named: what comes first may explain what comes later."""

__all__ = ["CHECKS"]
