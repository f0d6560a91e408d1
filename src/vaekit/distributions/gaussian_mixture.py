"""Mixtures of diagonal Gaussians over one latent layer.

    p(z) = sum_k w_k N(z; loc_k, diag(scale_k^2)),    w = softmax(logits)

Written out, log N is linear in (z^2, z), so that the densities of many z under many components
are one matrix product. That is in float64: for a narrow component far from zero the terms are
large and cancel. What they come to is small, and goes on in the precision of z.
"""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.special import ndtr
from torch.types import _size

from vaekit.distributions.gaussian import HALF_LOG_TWO_PI


@final
class GaussianMixture(Distribution):
    """One mixture of diagonal Gaussians.

    Args:
        logits: Logarithms of the weights, up to a constant.
        loc: Means of the components.
        log_scale: Natural logarithms of their standard deviations.

    Example:
        >>> one = GaussianMixture(torch.zeros(1), torch.zeros(1, 2), torch.zeros(1, 2))
        >>> round(one.log_prob(torch.zeros(2)).item(), 6)
        -1.837877
    """

    arg_constraints = {  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
        "logits": constraints.real_vector,
        "loc": constraints.real,
        "log_scale": constraints.real,
    }

    def __init__(
        self,
        logits: Float[Tensor, " components"],
        loc: Float[Tensor, "components latent"],
        log_scale: Float[Tensor, "components latent"],
    ) -> None:
        self.logits, self.loc, self.log_scale = logits, loc, log_scale
        super().__init__(event_shape=loc.shape[-1:], validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return constraints.real_vector

    @property
    def noise_size(self) -> int:
        """The latent dimensions, and one number that chooses the component."""
        return self.loc.shape[-1] + 1

    @property
    def weights(self) -> Float[Tensor, " components"]:
        return self.logits.softmax(-1)

    @property
    def mean(self) -> Tensor:
        return (self.weights.unsqueeze(-1) * self.loc).sum(0)

    @property
    def variance(self) -> Tensor:
        spread = (2 * self.log_scale).exp() + (self.loc - self.mean).square()
        return (self.weights.unsqueeze(-1) * spread).sum(0)

    def from_noise(self, noise: Float[Tensor, "*lead more"]) -> Float[Tensor, "*lead latent"]:
        """The sample that standard normal `noise` becomes.

        The last number chooses the component, by where its probability falls among the
        cumulated weights; no gradient reaches the weights.
        """
        share = ndtr(noise[..., -1:])
        # A binary search (torch.searchsorted) finds the same, but no ONNX operator does one.
        chosen = (self.weights.detach().cumsum(0) < share).sum(-1)
        chosen = chosen.clamp_max(len(self.logits) - 1)  # the weights may add up to less than 1
        return self.loc[chosen] + self.log_scale[chosen].exp() * noise[..., :-1]

    def sample(self, sample_shape: _size = ()) -> Tensor:
        shape = (*sample_shape, self.noise_size)
        with torch.no_grad():
            like = self.loc
            return self.from_noise(torch.randn(shape, dtype=like.dtype, device=like.device))

    def log_prob(self, value: Float[Tensor, "*lead latent"]) -> Float[Tensor, "*lead"]:
        """Log-density of each vector, in nats."""
        z, loc, log_scale = value.double(), self.loc.double(), self.log_scale.double()
        precision = torch.exp(-2 * log_scale)
        slopes = torch.cat([-0.5 * precision, loc * precision], dim=-1)
        constant = -0.5 * loc.square() * precision - log_scale - HALF_LOG_TWO_PI
        offset = self.logits.double().log_softmax(-1) + constant.sum(-1)
        log_joint = torch.cat([z.square(), z], dim=-1) @ slopes.T + offset
        return log_joint.to(value.dtype).logsumexp(-1)
