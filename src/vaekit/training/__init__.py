"""The training loop, its choices, and what it leaves on disk."""

from vaekit.training.checkpoint import Checkpoint
from vaekit.training.checkpoint import latest as latest_checkpoint
from vaekit.training.checkpoint import load as load_checkpoint
from vaekit.training.checkpoint import save as save_checkpoint
from vaekit.training.frozen import Frozen
from vaekit.training.interruption import stoppable
from vaekit.training.listener import Listener, Plan, Record
from vaekit.training.loop import Training, TrainingData
from vaekit.training.machine import environment, isolated, resolve
from vaekit.training.metrics_file import MetricsFile, read_metrics
from vaekit.training.optimizers import (
    AdagradSpec,
    AdamaxSpec,
    AdamSpec,
    OptimizerSpec,
    SGDSpec,
)
from vaekit.training.progress import Progress
from vaekit.training.schedules import (
    ConstantSchedule,
    CosineSchedule,
    ScheduleSpec,
    StepSchedule,
    WarmRestarts,
)
from vaekit.training.spec import EarlyStoppingSpec, GradientSpec, TrainingSpec, WarmStartSpec
from vaekit.training.state import below, kept_weights
from vaekit.training.warm_start import warm_start

__all__ = [
    "AdagradSpec",
    "AdamSpec",
    "AdamaxSpec",
    "Checkpoint",
    "ConstantSchedule",
    "CosineSchedule",
    "EarlyStoppingSpec",
    "Frozen",
    "GradientSpec",
    "Listener",
    "MetricsFile",
    "OptimizerSpec",
    "Plan",
    "Progress",
    "Record",
    "SGDSpec",
    "ScheduleSpec",
    "StepSchedule",
    "Training",
    "TrainingData",
    "TrainingSpec",
    "WarmRestarts",
    "WarmStartSpec",
    "below",
    "environment",
    "isolated",
    "kept_weights",
    "latest_checkpoint",
    "load_checkpoint",
    "read_metrics",
    "resolve",
    "save_checkpoint",
    "stoppable",
    "warm_start",
]
