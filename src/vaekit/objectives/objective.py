"""What every objective promises, and which models it can be paired with."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaekit.data import Observation
from vaekit.errors import SpecError
from vaekit.models import Facts, Model, Noise

Schedule = Mapping[str, float | Tensor]


class Terms(NamedTuple):
    """What one evaluation of an objective gives."""

    losses: dict[str, Float[Tensor, ""]]
    """What is minimised, by parameter group: {"model": ...} for most objectives."""
    reported: dict[str, Float[Tensor, ""]]
    """Averages over the batch, named with their unit."""


@dataclass(frozen=True)
class Needs:
    """What an objective asks of a model, in terms of the model's declared `Facts`."""

    density: bool = False
    """log p(x, z) and log q(z | x) must exist."""
    independent_examples: bool = False
    """One example's result must not depend on its neighbours in the batch."""
    separate_layers: bool = False
    """Every layer's q(z | x) must follow from x alone, not from what other layers drew."""
    independent_dimensions: bool = False
    """q(z | x) must split over the dimensions of z."""
    continuous_latent: bool = False
    """Draws of z must have a density that can be differentiated, or be moved about."""
    latent_class: bool = False
    """The top layer of z must be a class that can be summed over."""
    separate_networks: bool = False
    """No weight may serve both p(x, z) and q(z | x)."""


class Objective(nn.Module, ABC):
    """What is maximised in training. A module, because an objective may own parameters."""

    needs: Needs
    """What a model must declare to be trained with this."""
    num_samples: int
    """Samples of z per example that noise is drawn for."""
    in_one_piece: bool = False
    """Whether compiled code must be one graph: what changes a gradient inside is lost in two."""
    monitored: str
    """Which reported term validation watches; larger is better, and beta plays no part."""

    def schedule(self, epoch: float) -> dict[str, float]:
        """What changes in the course of training, after `epoch` epochs."""
        return {}

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters with a loss of their own, by its name; all others minimise that of 'model'."""
        return {}

    @abstractmethod
    def forward(
        self,
        model: Model,
        observation: Observation,
        schedule: Schedule,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Terms:
        """Evaluates the objective on a batch.

        Args:
            model: What is trained.
            observation: The batch.
            schedule: The current values of what `schedule` returns.
            noise: What to draw z with, as `model.noise_spec` asks.
            generator: Source of noise where none is given.
        """


def check_pair(facts: Facts, needs: Needs, model: str, objective: str) -> None:
    """Refuses an objective that makes no sense for a model.

    Args:
        facts: What the model declares.
        needs: What the objective asks for.
        model: Kind of the model, for the message.
        objective: Kind of the objective, for the message.

    Raises:
        SpecError: With the reason and a way out.
    """
    where = f"model.kind = {model!r} with objective.kind = {objective!r}"
    _check_class(facts, needs, model, objective, where)
    if needs.density and not (facts.has_density and (facts.reparameterized or facts.latent_class)):
        raise SpecError(
            f"The objective {objective!r} needs log p(x, z) and log q(z | x), "
            f"which the model {model!r} does not have.",
            where=where,
            remedy="choose objective.kind = 'reconstruction', or model.kind = 'vae'",
        )
    if needs.continuous_latent and facts.latent == "discrete":
        raise SpecError(
            f"The objective {objective!r} differentiates log p(z) and log q(z | x) at single "
            f"draws, and the codes of the model {model!r} are discrete: "
            + (
                "in training they are relaxed, and a relaxed code has no probability."
                if facts.stochastic
                else "one of a codebook for each example, with no draws at all."
            ),
            where=where,
            remedy="choose objective.kind = 'elbo', or model.kind = 'vae'",
        )
    if needs.independent_examples and facts.batch_statistics:
        raise SpecError(
            f"The objective {objective!r} weighs every example by itself, but batch "
            "normalisation, or a likelihood's optimal scale, lets examples change each other's "
            "weights.",
            where=where,
            remedy="choose normalization = 'layer' or 'group' in encoder and decoder, and "
            "likelihood.scale = 'learned'",
        )
    if needs.separate_layers and facts.nested_posterior:
        raise SpecError(
            f"The objective {objective!r} is wrong where a layer's q(z | x) depends on what was "
            f"drawn in another layer, as in the model {model!r}.",
            where=where,
            remedy="choose objective.kind = 'elbo' or 'iwae', or model.kind = 'vae'",
        )
    if needs.separate_networks and facts.shared_weights:
        raise SpecError(
            f"The objective {objective!r} trains p(x, z) and q(z | x) by losses of their own, and "
            f"in this {model!r} some weights serve both: those of a ladder, or of an encoder "
            "that a VampPrior asks.",
            where=where,
            remedy="choose objective.kind = 'elbo', or model.kind = 'vae' with another "
            "model.prior.kind",
        )
    if needs.independent_dimensions and not facts.independent_dimensions:
        raise SpecError(
            f"The objective {objective!r} needs a q(z | x) that splits over the dimensions of z, "
            f"which that of this {model!r} does not.",
            where=where,
            remedy="choose objective.kind = 'infovae', or model.kind = 'vae' with "
            "model.posterior.kind = 'diagonal_gaussian'",
        )


def _check_class(facts: Facts, needs: Needs, model: str, objective: str, where: str) -> None:
    """A class is summed over by the objective that is made for it, and by no other."""
    if facts.latent_class and not needs.latent_class:
        raise SpecError(
            f"The objective {objective!r} learns from draws of z, and a draw of the class of the "
            f"model {model!r} carries no gradient: the classifier would not learn.",
            where=where,
            remedy="choose objective.kind = 'm2', which sums over the classes, "
            "or model.kind = 'vae'",
        )
    if needs.latent_class and not facts.latent_class:
        raise SpecError(
            f"The objective {objective!r} sums over classes, and the model {model!r} has none.",
            where=where,
            remedy="choose model.kind = 'semi_supervised_vae', or another objective",
        )
