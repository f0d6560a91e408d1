"""Trackers: who else is told about a run. Their packages are imported when a run is built."""

from typing import Annotated, TypeAlias

from pydantic import Field

from vaekit.trackers.mlflow import MLflowSpec, MLflowTracker
from vaekit.trackers.subject import Subject
from vaekit.trackers.tensorboard import TensorBoardSpec, TensorBoardTracker
from vaekit.trackers.tracker import Tracker, tell_results
from vaekit.trackers.wandb import WandbSpec, WandbTracker

TrackerSpec: TypeAlias = Annotated[
    TensorBoardSpec | MLflowSpec | WandbSpec, Field(discriminator="kind")
]

__all__ = [
    "MLflowSpec",
    "MLflowTracker",
    "Subject",
    "TensorBoardSpec",
    "TensorBoardTracker",
    "Tracker",
    "TrackerSpec",
    "WandbSpec",
    "WandbTracker",
    "tell_results",
]
