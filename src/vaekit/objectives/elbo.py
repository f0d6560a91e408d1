"""The evidence lower bound, with a weight on its KL term and free bits.

    ELBO = E_q[log p(x | z)] - KL(q(z | x) || p(z))
    loss = -E_q[log p(x | z)] + beta * sum_j max(free_bits, mean over the batch of KL_j)

Free bits act on the batch mean: what has a mean KL below the floor feels no pull towards the
prior. j runs over latent dimensions, or over stochastic layers, of which one may have thousands
of dimensions: those of an image need no floor each. Whatever beta and free bits are, the
reported `elbo_nats` is the ELBO itself.

References:
    Kingma and Welling (2013), Auto-Encoding Variational Bayes, eq. 3
    Kingma et al. (2016), Improving Variational Inference with Inverse Autoregressive Flow,
    appendix C.8 (free bits), https://arxiv.org/abs/1606.04934
"""

from typing import ClassVar, Literal, TypeAlias, final

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import Tensor

from vaekit.data import Observation, Statistics
from vaekit.models import Inference, Model, Noise
from vaekit.objectives.beta import BetaSpec, ConstantBeta
from vaekit.objectives.objective import Needs, Objective, Schedule, Terms
from vaekit.spec import Spec

Unit: TypeAlias = Literal["dimension", "layer"]


@final
class ELBO(Objective):
    """The (beta-weighted) evidence lower bound.

    Args:
        beta: Weight of the KL term in the course of training.
        free_bits: Floor of each mean KL, in nats.
        num_samples: Samples of z per example.
        free_bits_per: Whether each dimension or each layer has the floor.
    """

    needs = Needs(density=True)
    monitored = "elbo_nats"

    def __init__(
        self,
        beta: BetaSpec,
        free_bits: float,
        num_samples: int,
        free_bits_per: Unit = "dimension",
    ) -> None:
        super().__init__()
        self.free_bits_per: Unit = free_bits_per
        self.beta, self.free_bits, self.num_samples = beta, free_bits, num_samples

    def schedule(self, epoch: float) -> dict[str, float]:
        return {"beta": self.beta.at(epoch)}

    def forward(
        self,
        model: Model,
        observation: Observation,
        schedule: Schedule,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Terms:
        inference = model.infer(observation, self.num_samples, noise, generator)
        fit = inference.log_likelihood().mean()
        layers = [layer.mean((0, 1)).flatten() for layer in inference.kl]
        per_layer = self.free_bits_per == "layer"
        kl = torch.stack([layer.sum() for layer in layers]) if per_layer else torch.cat(layers)
        penalty = kl.clamp_min(self.free_bits) if self.free_bits > 0 else kl
        loss = schedule["beta"] * penalty.sum() - fit + inference.penalty
        reported = {**reported_elbo(fit, kl.sum()), **inference.reported}
        return Terms({"model": loss}, reported)


def mean_kl(inference: Inference) -> Float[Tensor, ""]:
    """The KL of all layers and dimensions together, averaged over the batch, in nats."""
    return torch.cat([layer.mean((0, 1)).flatten() for layer in inference.kl]).sum()


def reported_elbo(fit: Tensor, kl: Tensor) -> dict[str, Tensor]:
    """The ELBO and its two terms, in nats per example, off the graph."""
    fit, kl = fit.detach(), kl.detach()
    return {"elbo_nats": fit - kl, "expected_log_likelihood_nats": fit, "kl_nats": kl}


class ELBOSpec(Spec):
    """Choices of the evidence lower bound."""

    needs: ClassVar[Needs] = ELBO.needs

    kind: Literal["elbo"] = "elbo"
    beta: BetaSpec = Field(default=ConstantBeta(), description="A number, or a schedule.")
    free_bits: NonNegativeFloat = Field(
        default=0.0, description="Floor of each latent dimension's mean KL, in nats."
    )
    free_bits_per: Unit = Field(
        default="dimension", description="What has the floor: each dimension, or each layer."
    )
    num_samples: PositiveInt = Field(default=1, description="Samples of z per example.")

    @property
    def is_bound(self) -> bool:
        """Whether minus the loss, once schedules have ended, bounds log p(x) from below."""
        # Free bits, a floor, only lower the objective below the ELBO, as a weight above one does.
        return self.beta.final >= 1.0

    def build(self, statistics: Statistics | None = None) -> ELBO:
        return ELBO(self.beta, self.free_bits, self.num_samples, self.free_bits_per)
