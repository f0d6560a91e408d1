"""What is measured, on which examples, and how."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final

import torch
from pydantic import Field, NonNegativeInt, PositiveInt, field_validator
from torch import Tensor
from torch.distributions import Distribution

from vaekit.data import Dataset, Observation, Rows, Transform, present
from vaekit.errors import SpecError
from vaekit.evaluation.annealed_importance_sampling import AISSpec
from vaekit.models import Facts, Model
from vaekit.spec import Spec

Progress: TypeAlias = Callable[[str, float], None]
"""Told what is being measured, and which share of it is done."""
FEWEST_COMPARED: Final = 100
"""Examples below which nothing is said about a distribution as a whole."""


class EvaluationSpec(Spec):
    """Choices of the final evaluation."""

    split: Literal["test", "validation", "train"] = "test"
    num_samples: PositiveInt = Field(default=500, description="Importance samples k per example.")
    examples: PositiveInt | None = Field(
        default=None, description="The first so many; all if absent."
    )
    seed: int = Field(default=0, description="Seed of the binarisation and of all samples.")
    amortization_examples: NonNegativeInt = Field(
        default=100, description="The first so many have q refined one by one; 0 leaves it out."
    )
    ais: AISSpec | None = Field(
        default=None, description="Annealed importance sampling of the first examples."
    )
    sample_quality: NonNegativeInt = Field(
        default=0,
        description="So many samples are compared with the split, in features of a classifier "
        "of the data that is trained once and kept; 0 leaves it out.",
    )
    disentanglement: bool = Field(
        default=True, description="Whether codes are scored where factors are known."
    )

    @field_validator("sample_quality")
    @classmethod
    def _are_enough(cls, value: int) -> int:
        if 0 < value < FEWEST_COMPARED:
            raise ValueError(f"0, or at least {FEWEST_COMPARED} samples")
        return value


def check_measurable(facts: Facts, spec: EvaluationSpec, model: str) -> None:
    """Refuses a measure that a model cannot have.

    Args:
        facts: What the model declares.
        spec: What is to be measured.
        model: Kind of the model, for the message.

    Raises:
        SpecError: Annealed importance sampling was chosen for discrete codes.
    """
    if spec.ais is not None and facts.latent == "discrete":
        raise SpecError(
            "Annealed importance sampling moves codes along gradients, which discrete codes "
            "do not have.",
            where=f"the model {model!r} with evaluation.ais",
            remedy="leave evaluation.ais out",
        )


@final
@dataclass(frozen=True)
class Task:
    """What is measured, on what, how."""

    model: Model
    dataset: Dataset
    transform: Transform
    spec: EvaluationSpec
    device: torch.device | str
    progress: Progress

    @property
    def examples(self) -> int:
        """How many are measured."""
        there = len(self.dataset.split(self.spec.split))
        return min(self.spec.examples or there, there)

    def shown(self, most: int | None = None) -> Iterator[Observation]:
        """The first examples, drawn once and for all; all that are measured by default."""
        split, spec = self.dataset.split(self.spec.split), self.spec
        most = min(self.examples, most or self.examples)
        return present(split, self.transform, spec.seed, self.device, most)

    def raw(self) -> Iterator[Rows]:
        """The same examples as raw values."""
        left = self.examples
        for rows in self.dataset.split(self.spec.split).blocks(1000):
            yield rows[:left]
            left -= len(rows)
            if left <= 0:
                return

    def first(self, most: int) -> Observation:
        """The first examples as one batch."""
        return Observation.join(list(self.shown(most)))

    def conditions(self, n: int) -> Tensor | None:
        """c of n samples: what the examples say, from the first again where there are fewer."""
        if not self.transform.num_conditions:
            return None
        split, left, parts = self.dataset.split(self.spec.split), n, []
        for rows in split.blocks(1000):
            told = self.transform.conditioning(rows[:left].to(self.device))
            parts += [] if told is None else [told]
            left -= len(rows)
            if left <= 0:
                break
        found = torch.cat(parts)
        return found[torch.arange(n, device=found.device) % len(found)]

    @property
    @torch.no_grad()
    def has_one_prior(self) -> bool:
        """Whether the prior is the same for all examples, and not one given their conditions."""
        return not self.model.infer_at_mean(self.first(1)).prior[0].batch_shape

    @property
    @torch.no_grad()
    def latent_dim(self) -> int:
        """Numbers in a deterministic code."""
        return self.model.embed(self.first(1)).shape[1]

    @torch.no_grad()
    def value_likelihood(self) -> Distribution:
        """p(x_i | z) of single values, for its kind."""
        return self.model.infer_at_mean(self.first(1)).likelihood.base_dist
