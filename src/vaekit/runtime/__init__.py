"""Running a trained model: numpy in, numpy out, raw units on both sides. No torch."""

from vaekit.runtime.door import Condition, Conditions
from vaekit.runtime.generation import Asked, Batch, fastest_batch, generate, missing_shards
from vaekit.runtime.graph import TEMPERATURE, noise_input
from vaekit.runtime.noise import standard_noise
from vaekit.runtime.onnx import OnnxRuntime
from vaekit.runtime.opening import open_runtime
from vaekit.runtime.runtime import Runtime
from vaekit.runtime.scores import Draws, Record
from vaekit.runtime.tables import write_columns
from vaekit.runtime.walks import straight_lines

__all__ = [
    "TEMPERATURE",
    "Asked",
    "Batch",
    "Condition",
    "Conditions",
    "Draws",
    "OnnxRuntime",
    "Record",
    "Runtime",
    "fastest_batch",
    "generate",
    "missing_shards",
    "noise_input",
    "open_runtime",
    "standard_noise",
    "straight_lines",
    "write_columns",
]
