"""beta-TC-VAE: the KL term taken apart, with a weight on each part.

    loss = -E_q[log p(x | z)] + alpha MI + beta TC + gamma DWKL

    MI   = E[log q(z | x) - log q(z)]          what a code tells of its example
    TC   = E[log q(z) - sum_j log q(z_j)]      total correlation: how dependent dimensions are
    DWKL = E[sum_j log q(z_j) - log p(z)]      how far each dimension is from the prior

Their sum is E[log q(z | x) - log p(z)], the KL term, however well q(z) is known: with all weights
at one the loss is that of the ELBO. q(z), the average of q(z | x) over N examples, is estimated
from the M examples of a batch:

    q(z_i) = 1/N q(z_i | x_i) + (1 - 1/N) 1/(M - 1) sum_{k != i} q(z_i | x_k)

which is unbiased (its logarithm is not), and exact where the batch is the whole data set. It is
the minibatch stratified sampling of the paper, averaged over which of the others is counted apart.
With weights other than one the estimate of TC may err to either side, and nothing is a bound.

Reference:
    Chen, Li, Grosse and Duvenaud (2018), Isolating Sources of Disentanglement in Variational
    Autoencoders, eq. 4 and appendix C.2, https://arxiv.org/abs/1802.04942
"""

import math
from typing import ClassVar, Literal, NamedTuple, final

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import Tensor
from torch.distributions import Independent

from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.models import Inference, Model, Noise
from vaekit.objectives.elbo import reported_elbo
from vaekit.objectives.objective import Needs, Objective, Schedule, Terms
from vaekit.spec import Spec


@final
class BetaTCVAE(Objective):
    """The reconstruction, with weights on the parts of the KL term.

    Args:
        spec: Weights.
        examples: Size N of the training split; None where every batch is all there is.
    """

    needs = Needs(
        density=True,
        separate_layers=True,
        independent_dimensions=True,
        continuous_latent=True,
    )
    monitored = "elbo_nats"

    def __init__(self, spec: "BetaTCVAESpec", examples: int | None) -> None:
        super().__init__()
        self.spec, self.examples, self.num_samples = spec, examples, spec.num_samples

    def forward(
        self,
        model: Model,
        observation: Observation,
        schedule: Schedule,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Terms:
        spec = self.spec
        inference = model.infer(observation, self.num_samples, noise, generator)
        fit = inference.log_likelihood().mean()
        parts = kl_parts(inference, self.examples or len(observation))
        information, correlation, apart = (part.mean() for part in parts)
        weighted = spec.alpha * information + spec.beta * correlation + spec.gamma * apart
        reported = {
            **reported_elbo(fit, information + correlation + apart),
            "mutual_information_nats": information.detach(),
            "total_correlation_nats": correlation.detach(),
            "dimension_wise_kl_nats": apart.detach(),
        }
        return Terms({"model": weighted - fit}, reported)


class KLParts(NamedTuple):
    """What the KL term consists of, in nats; its averages are MI, TC and DWKL."""

    mutual_information: Float[Tensor, "samples batch"]
    total_correlation: Float[Tensor, "samples batch"]
    dimension_wise_kl: Float[Tensor, "samples batch"]


def kl_parts(inference: Inference, examples: int) -> KLParts:
    """Takes the KL term apart.

    Args:
        inference: Of a batch.
        examples: Size N of the data set that the batch was drawn from.
    """
    pairs = _log_q_of_pairs(inference)  # of code i under the posterior of example k
    log_shares = _log_shares(pairs, examples)
    joint = torch.logsumexp(pairs.sum(-1) + log_shares, dim=2)
    marginals = torch.logsumexp(pairs + log_shares.unsqueeze(-1), dim=2).sum(-1)
    return KLParts(
        inference.log_q() - joint,
        joint - marginals,
        marginals - inference.log_prior(),
    )


def _log_q_of_pairs(inference: Inference) -> Float[Tensor, "samples batch batch dimensions"]:
    layers = []
    for q, z in zip(inference.posterior, inference.z, strict=True):
        if not isinstance(q, Independent):
            raise SpecError(
                "Total correlation needs a q(z | x) that splits over the dimensions of z.",
                where="model.posterior",
                found=type(q).__name__,
                remedy="choose model.posterior.kind = 'diagonal_gaussian'",
            )
        layers.append(q.base_dist.log_prob(z.unsqueeze(2)).flatten(3))
    return torch.cat(layers, dim=-1)


def _log_shares(pairs: Tensor, examples: int) -> Float[Tensor, "batch batch"]:
    """Logarithm of the share of q(z | x_k) in the estimate of q(z_i): row i, column k."""
    batch = pairs.shape[1]
    if batch < 2:  # no others to take a share
        return pairs.new_zeros(batch, batch)
    own = 1 / max(batch, examples)
    log_other = math.log((1 - own) / (batch - 1))
    return pairs.new_full((batch, batch), log_other).fill_diagonal_(math.log(own))


class BetaTCVAESpec(Spec):
    """Choices of the beta-TC-VAE."""

    needs: ClassVar[Needs] = BetaTCVAE.needs

    kind: Literal["beta_tcvae"] = "beta_tcvae"
    alpha: NonNegativeFloat = Field(default=1.0, description="Weight of the mutual information.")
    beta: NonNegativeFloat = Field(default=6.0, description="Weight of the total correlation.")
    gamma: NonNegativeFloat = Field(default=1.0, description="Weight of the dimension-wise KL.")
    num_samples: PositiveInt = Field(default=1, description="Samples of z per example.")

    @property
    def is_bound(self) -> bool:
        """Whether minus the loss, once schedules have ended, bounds log p(x) from below."""
        return self.alpha == self.beta == self.gamma == 1.0

    def build(self, statistics: Statistics | None = None) -> BetaTCVAE:
        return BetaTCVAE(self, None if statistics is None else statistics.num_examples)
