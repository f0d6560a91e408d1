"""Running a trained model: numpy in, numpy out, raw units on both sides. No torch."""

from vaekit.runtime.noise import standard_noise
from vaekit.runtime.runtime import Condition, Conditions, Runtime
from vaekit.runtime.scores import Draws
from vaekit.runtime.walks import straight_lines

__all__ = ["Condition", "Conditions", "Draws", "Runtime", "standard_noise", "straight_lines"]
