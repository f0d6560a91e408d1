"""Where a run stands, in numbers."""

from dataclasses import dataclass, field
from typing import Any

from vaekit.training.meter import Meter


@dataclass
class Progress:
    """Where a run stands."""

    step: int = 0
    """Updates made."""
    seconds: float = 0.0
    """Time spent on them, on validation and on checkpoints; not while the run was stopped."""
    first_loss: float | None = None
    """The loss of the first line of the log, which later ones are compared with."""
    windows_off_course: int = 0
    """How many lines in a row were far worse than that."""
    best_value: float | None = None
    best_epoch: float | None = None
    evaluations_since_best: int = 0
    updates_skipped: int = 0
    finished: bool = False
    window: Meter = field(default_factory=Meter)
    """What the next line of the log averages."""
    environment: dict[str, Any] = field(default_factory=dict)
