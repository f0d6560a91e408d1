"""One recipe: everything a person chooses about a run."""

from typing import Self, final

from pydantic import Field, model_validator

from vaekit.data import DataSpec, TransformSpec
from vaekit.errors import SpecError
from vaekit.evaluation import EvaluationSpec, check_measurable
from vaekit.models import ModelSpec, VAESpec, refuse_conditions
from vaekit.objectives import (
    ELBOSpec,
    FeatureLossSpec,
    M2Spec,
    ObjectiveSpec,
    VAEGANSpec,
    check_pair,
)
from vaekit.priors import ConditionalGaussianSpec, VampSpec
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
    def _conditions_have_a_place(self) -> Self:
        told = len(self.transform.condition)
        if not self.model.facts.conditional:
            refuse_conditions(told, self.model.kind)
        if isinstance(self.model, VAESpec) and isinstance(
            self.model.prior, ConditionalGaussianSpec | VampSpec
        ):
            self.model.prior.check_conditions(told)
        return self

    @model_validator(mode="after")
    def _likelihood_is_trained(self) -> Self:
        """Where only the mean is compared, nothing else of p(x | z) would be learned."""
        aim, likelihood = self.objective, self.model.likelihood
        if (
            isinstance(aim, VAEGANSpec | FeatureLossSpec)
            and aim.pixel_weight == 0
            and not likelihood.mean_is_all
        ):
            raise SpecError(
                f"The objective {aim.kind!r} trains the mean of p(x | z) alone, so that its scale "
                "or shape would stay where it starts, and every likelihood would be wrong.",
                where=f"objective.kind = {aim.kind!r} with model.likelihood",
                expected="bernoulli, or gaussian with scale = 'optimal' or a number",
                found=likelihood.model_dump(),
                remedy="set model.likelihood.scale = 'optimal', or objective.pixel_weight above 0",
            )
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
