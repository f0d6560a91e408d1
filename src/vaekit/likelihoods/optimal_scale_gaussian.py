"""A Gaussian whose one scale is always the best for the batch at hand.

    p(x | z) = N(x; loc(z), scale^2),    scale^2 = mean of (x - loc(z))^2

The mean is over values, examples and samples: where log p(x | z) of the batch is largest in the
scale. The negative log-likelihood of a batch is then half its number of values times the logarithm
of its squared error, and nothing weighs reconstruction against KL by hand. A scale of the batch is
no scale of a model: outside training the average over recent batches takes its place.

Reference:
    Rybkin, Daniilidis and Levine (2021), Simple and Effective VAE Training with Calibrated
    Decoders, section 4.2 (optimal sigma-VAE), https://arxiv.org/abs/2006.13202
"""

from collections.abc import Callable
from typing import Any, ClassVar, Final, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.distributions import Distribution, Independent

from vaekit.distributions import Gaussian
from vaekit.likelihoods.likelihood import Likelihood, ValueRange

LEAST_SHARE: Final = 0.01
"""Of one batch in the average: about a hundred are remembered."""


@final
class OptimalScaleGaussianLikelihood(Likelihood):
    """p(x | z) = N(loc(z), scale^2), with the optimal scale (sigma-VAE).

    Args:
        event_shape: Shape of one example.
        min_scale: Smallest scale, in data units.
    """

    params_per_value = 1
    values = ValueRange()
    uses_batch_statistics = True
    mean_square: Tensor
    batches: Tensor
    follows: bool
    """Whether the average follows batches; not while it is frozen."""

    def __init__(self, event_shape: tuple[int, ...], min_scale: float) -> None:
        super().__init__(event_shape)
        self.min_scale, self.follows = min_scale, True
        self.register_buffer("mean_square", torch.ones(()))
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, parameters: Float[Tensor, "..."]) -> Independent:
        (loc,) = self._per_value(parameters)
        if self.training:
            return self._independent(ScaledByBatch(loc, self._log_scale, self._take_in))
        log_scale = self._log_scale(self.mean_square).to(loc.dtype)
        return self._independent(Gaussian(loc, log_scale.expand(loc.shape)))

    def initial_parameters(
        self, mean: Float[Tensor, "*event"], std: Float[Tensor, "*event"]
    ) -> Float[Tensor, "1 *event"]:
        self.mean_square.copy_(std.square().mean())
        return mean.unsqueeze(0)

    def _log_scale(self, mean_square: Float[Tensor, ""]) -> Float[Tensor, ""]:
        return 0.5 * mean_square.clamp_min(self.min_scale**2).log()

    @torch.no_grad()
    def _take_in(self, mean_square: Float[Tensor, ""]) -> None:
        """Follows a batch; one that is not finite changes nothing."""
        if not self.follows:
            return
        share = (1 / (self.batches + 1)).clamp_min(LEAST_SHARE)
        moved = self.mean_square.lerp(mean_square.to(self.mean_square.dtype), share)
        self.mean_square.copy_(torch.where(moved.isfinite(), moved, self.mean_square))
        self.batches += 1


@final
class ScaledByBatch(Distribution):
    """Normals around `loc`, with the scale that suits the values they are asked about.

    Args:
        loc: Means.
        log_scale: What a mean square makes of the scale.
        told: Is told the mean square.
        observed: Which values count; all if absent.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}  # pyright: ignore[reportIncompatibleMethodOverride]

    def __init__(
        self,
        loc: Float[Tensor, "*shape"],
        log_scale: Callable[[Tensor], Tensor],
        told: Callable[[Tensor], None],
        observed: Bool[Tensor, "..."] | None = None,
    ) -> None:
        self.loc, self._log_scale, self._told, self._observed = loc, log_scale, told, observed
        super().__init__(batch_shape=loc.shape, validate_args=False)

    @property
    def mean(self) -> Tensor:
        return self.loc

    def where_observed(self, mask: Bool[Tensor, "..."]) -> "ScaledByBatch":
        """The same, with a scale of the values that were observed."""
        return ScaledByBatch(self.loc, self._log_scale, self._told, mask)

    def log_prob(self, value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Log-density of each value, in nats; `value` broadcasts against `loc`."""
        mean_square = self._mean((value - self.loc).square())
        self._told(mean_square.detach())
        log_scale = self._log_scale(mean_square)
        return Gaussian(self.loc, log_scale.expand(self.loc.shape)).log_prob(value)

    def _mean(self, squares: Tensor) -> Tensor:
        if self._observed is None:
            return squares.mean()
        counts = self._observed.expand(squares.shape)
        return torch.where(counts, squares, 0.0).sum() / counts.sum().clamp_min(1)
