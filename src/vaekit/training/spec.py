"""What a person chooses about training."""

from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from vaekit.spec import Spec
from vaekit.training.optimizers import AdamSpec, OptimizerSpec
from vaekit.training.schedules import ConstantSchedule, ScheduleSpec

Precision: TypeAlias = Literal["float32", "bfloat16"]
Device: TypeAlias = Literal["cpu", "cuda"]


class GradientSpec(Spec):
    """What happens to gradients before they are applied."""

    clip_norm: PositiveFloat | None = Field(
        default=None, description="Scale the gradient down to this norm where it is longer."
    )
    skip_norm: PositiveFloat | None = Field(
        default=None,
        description="Skip the update where the norm is larger; skips are counted and logged.",
    )

    @property
    def is_limited(self) -> bool:
        """Whether the norm is needed at every update."""
        return self.clip_norm is not None or self.skip_norm is not None


class EarlyStoppingSpec(Spec):
    """Stop when the validation bound (at beta = 1) no longer improves; keep the best weights."""

    patience: PositiveInt = Field(default=10, description="Evaluations without improvement.")
    min_improvement_nats: float = Field(
        default=0.0, ge=0.0, description="What counts as improvement."
    )


class WarmStartSpec(Spec):
    """Start from the weights of another run."""

    run: Path = Field(description="Folder of the run to start from, or an artifact.")
    parts: tuple[str, ...] = Field(
        default=(), description="Parts of the model to take, such as 'encoder'; all if empty."
    )
    freeze_epochs: NonNegativeFloat = Field(
        default=0.0, description="How long these parts stay as they were taken."
    )

    @model_validator(mode="after")
    def _something_is_trained(self) -> "WarmStartSpec":
        if self.freeze_epochs and not self.parts:
            raise ValueError(
                "freeze_epochs holds the parts that were taken, and with parts = [] those are "
                "all: name some, such as parts = ['decoder']"
            )
        return self


class TrainingSpec(Spec):
    """Choices of the training loop."""

    epochs: PositiveInt = 20
    batch_size: PositiveInt = Field(default=128, description="Examples per update.")
    accumulate: PositiveInt = Field(
        default=1,
        description="Pieces that a batch is cut into, one after another, to save memory. The "
        "update is the same, except that what is of a batch (free bits, a capacity, total "
        "correlation, MMD, batch normalisation, dropout) is of a piece.",
    )
    optimizer: OptimizerSpec = AdamSpec()
    group_optimizers: dict[str, OptimizerSpec] = Field(
        default={},
        description="Of parameters with a loss of their own, by its name, such as "
        "'discriminator'; where absent, `optimizer`.",
    )
    schedule: ScheduleSpec = ConstantSchedule()
    gradient: GradientSpec = GradientSpec()
    ema_decay: float = Field(
        default=0.999,
        ge=0.0,
        lt=1.0,
        description="Of the averaged weights that are kept; 0 keeps the last.",
    )
    early_stopping: EarlyStoppingSpec | None = None
    warm_start: WarmStartSpec | None = None
    device: Literal["auto"] | Device = Field(
        default="auto", description="'auto' takes CUDA if present."
    )
    precision: Literal["auto"] | Precision = Field(
        default="auto", description="Of matrix products; 'auto' takes bfloat16 where it is faster."
    )
    threads: PositiveInt | None = Field(
        default=None, description="CPU threads; all cores if absent."
    )
    compile: bool = Field(
        default=False, description="torch.compile the step: slow start, faster steps."
    )
    log_every_steps: PositiveInt = Field(default=100, description="Steps averaged in a log line.")
    evaluate_every_epochs: PositiveInt = Field(
        default=1, description="Validation happens this often."
    )
    checkpoint_every_seconds: float = Field(
        default=30.0, ge=0.0, description="At most so much is lost."
    )

    def optimizer_of(self, group: str) -> OptimizerSpec:
        """Choices of the optimiser of a parameter group."""
        return self.group_optimizers.get(group, self.optimizer)

    @model_validator(mode="after")
    def _pieces_fit(self) -> "TrainingSpec":
        if self.accumulate > self.batch_size:
            raise ValueError(
                f"accumulate = {self.accumulate} cuts a batch of {self.batch_size} "
                "into pieces of less than one example"
            )
        return self
