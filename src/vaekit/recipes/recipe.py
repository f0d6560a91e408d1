"""One recipe: everything a person chooses about a run."""

from typing import Self, final

from pydantic import Field, model_validator

from vaekit.data import DataSpec, TransformSpec
from vaekit.errors import SpecError
from vaekit.evaluation import EvaluationSpec, check_measurable
from vaekit.models import ModelSpec, VAESpec
from vaekit.objectives import ELBOSpec, M2Spec, ObjectiveSpec, check_pair
from vaekit.spec import Spec
from vaekit.trackers import TrackerSpec
from vaekit.training import TrainingSpec


@final
class Recipe(Spec):
    """What to train, on what, how, and how to measure it."""

    name: str = Field(
        pattern=r"^[\w.-]+$", description="What the run is called: its folder is runs/<name>."
    )
    description: str = Field(default="", description="One sentence for people.")
    seed: int = Field(default=0, ge=0, description="Seed of everything random in training.")
    data: DataSpec = Field(description="What is observed.")
    transform: TransformSpec = Field(description="How raw values become what is scored.")
    model: ModelSpec = Field(default=VAESpec(), description="What is trained.")
    objective: ObjectiveSpec = Field(default=ELBOSpec(), description="What is maximised.")
    training: TrainingSpec = Field(default=TrainingSpec(), description="How it is maximised.")
    evaluation: EvaluationSpec = Field(
        default=EvaluationSpec(), description="How the trained model is measured."
    )
    trackers: tuple[TrackerSpec, ...] = Field(
        default=(), description="Who else is told about the course of training."
    )

    @model_validator(mode="after")
    def _pair_makes_sense(self) -> Self:
        check_pair(self.model.facts, self.objective.needs, self.model.kind, self.objective.kind)
        check_measurable(self.model.facts, self.evaluation, self.model.kind)
        return self

    @model_validator(mode="after")
    def _classes_have_labels(self) -> Self:
        if isinstance(self.objective, M2Spec):
            self.objective.labeled_of(self.training.batch_size)
        if self.model.facts.latent_class and self.transform.condition != ("label",):
            raise SpecError(
                f"The model {self.model.kind!r} needs classes, of which some examples have labels.",
                where=f"model.kind = {self.model.kind!r} with transform.condition",
                expected="transform.condition = ['label']",
                found=f"transform.condition = {list(self.transform.condition)}",
                remedy="set transform.condition = ['label'], or choose model.kind = 'vae'",
            )
        return self
