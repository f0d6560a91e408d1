"""Gaussian likelihood, with a fixed, a learned, an optimal or a predicted scale.

    p(x | z) = N(x; loc(z), scale^2)

A fixed scale sets the balance of reconstruction and KL by hand: scale^2 = beta / 2 makes the
negative ELBO the sum of squared errors plus beta KL, up to a factor and a constant. Learning
one scale for all values finds that balance by maximum likelihood and is the calibrated
default; the optimal scale (of optimal_scale_gaussian.py) jumps to where a learned one goes;
predicting one per value lets the decoder say where it is unsure.

Of values between 0 and 1 the mean may be kept there too, by a sigmoid, as the decoder of AEVB does
(its appendix C.2).

Reference:
    Rybkin, Daniilidis and Levine (2021), Simple and Effective VAE Training with Calibrated
    Decoders, https://arxiv.org/abs/2006.13202
    Kingma and Welling (2013), Auto-Encoding Variational Bayes, https://arxiv.org/abs/1312.6114
"""

import math
from typing import Annotated, Literal, TypeAlias, final

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.distributions import Independent

from vaekit.distributions import Gaussian
from vaekit.likelihoods.likelihood import Likelihood, ValueRange
from vaekit.likelihoods.optimal_scale_gaussian import OptimalScaleGaussianLikelihood
from vaekit.numerics import inverse_smooth_floor, smooth_floor
from vaekit.spec import Spec

# A density whose scale may vanish has no maximum likelihood; below 1e-12 its log-probabilities
# leave float32.
_Scale: TypeAlias = Annotated[float, Field(ge=1e-12)]


@final
class FixedScaleGaussianLikelihood(Likelihood):
    """p(x | z) = N(loc(z), scale^2) with a scale chosen beforehand, in data units."""

    params_per_value = 1
    values = ValueRange()

    def __init__(self, event_shape: tuple[int, ...], scale: float) -> None:
        super().__init__(event_shape)
        self.log_scale = math.log(scale)

    def forward(self, parameters: Float[Tensor, "..."]) -> Independent:
        (loc,) = self._per_value(parameters)
        return self._independent(Gaussian(loc, torch.full_like(loc, self.log_scale)))

    def initial_parameters(
        self, mean: Float[Tensor, "*event"], std: Float[Tensor, "*event"]
    ) -> Float[Tensor, "1 *event"]:
        return mean.unsqueeze(0)


@final
class LearnedScaleGaussianLikelihood(Likelihood):
    """p(x | z) = N(loc(z), scale^2) with one scale for all values, learned (sigma-VAE)."""

    params_per_value = 1
    values = ValueRange()

    def __init__(self, event_shape: tuple[int, ...], min_scale: float) -> None:
        super().__init__(event_shape)
        self.floor = math.log(min_scale)
        self.raw_log_scale = nn.Parameter(torch.zeros(()))

    @property
    def log_scale(self) -> Float[Tensor, ""]:
        return smooth_floor(self.raw_log_scale, self.floor)

    def forward(self, parameters: Float[Tensor, "..."]) -> Independent:
        (loc,) = self._per_value(parameters)
        return self._independent(Gaussian(loc, self.log_scale.expand(loc.shape)))

    def initial_parameters(
        self, mean: Float[Tensor, "*event"], std: Float[Tensor, "*event"]
    ) -> Float[Tensor, "1 *event"]:
        with torch.no_grad():
            overall = std.square().mean().sqrt().log()
            self.raw_log_scale.copy_(inverse_smooth_floor(overall, self.floor))
        return mean.unsqueeze(0)


@final
class PredictedScaleGaussianLikelihood(Likelihood):
    """p(x | z) = N(loc(z), scale(z)^2), both from the decoder, per value."""

    params_per_value = 2
    values = ValueRange()

    def __init__(self, event_shape: tuple[int, ...], min_scale: float) -> None:
        super().__init__(event_shape)
        self.floor = math.log(min_scale)

    def forward(self, parameters: Float[Tensor, "..."]) -> Independent:
        loc, raw_log_scale = self._per_value(parameters)
        return self._independent(Gaussian(loc, smooth_floor(raw_log_scale, self.floor)))

    def initial_parameters(
        self, mean: Float[Tensor, "*event"], std: Float[Tensor, "*event"]
    ) -> Float[Tensor, "2 *event"]:
        # A value that never varies starts at a tenth of the overall scale, not at the floor.
        overall = std.square().mean().sqrt()
        start = torch.maximum(std, 0.1 * overall).clamp_min(math.exp(self.floor)).log()
        return torch.stack([mean, inverse_smooth_floor(start, self.floor)])


@final
class UnitMean(Likelihood):
    """A Gaussian likelihood whose mean is the sigmoid of what the decoder says.

    Args:
        gaussian: Has the scale.
    """

    values = ValueRange()

    def __init__(self, gaussian: Likelihood) -> None:
        super().__init__(gaussian.event_shape)
        self.gaussian, self.params_per_value = gaussian, gaussian.params_per_value

    def forward(self, parameters: Float[Tensor, "..."]) -> Independent:
        raw_loc, *others = self._per_value(parameters)
        at = -len(self.event_shape) - 1
        return self.gaussian(torch.stack([raw_loc.sigmoid(), *others], dim=at))

    def initial_parameters(
        self, mean: Float[Tensor, "*event"], std: Float[Tensor, "*event"]
    ) -> Float[Tensor, "params *event"]:
        loc, *others = self.gaussian.initial_parameters(mean, std)
        return torch.stack([torch.logit(loc, eps=1e-3), *others])


class GaussianSpec(Spec):
    """Choices of a Gaussian likelihood."""

    kind: Literal["gaussian"] = "gaussian"
    scale: _Scale | Literal["learned", "optimal", "per_value"] = Field(
        default="learned",
        description="A number fixes it (data units); 'learned' fits one; 'optimal' takes the root "
        "mean squared error of each batch; 'per_value' predicts it.",
    )
    min_scale: _Scale = Field(
        default=1e-3, description="Floor of a scale that is not fixed, in data units."
    )
    unit_mean: bool = Field(
        default=False, description="Keep the mean between 0 and 1, by a sigmoid."
    )

    @property
    def uses_batch_statistics(self) -> bool:
        return self.scale == "optimal"

    @property
    def mean_is_all(self) -> bool:
        """Whether gradients have nothing to train but the mean: an optimal scale follows it."""
        return self.scale not in ("learned", "per_value")

    def build(self, event_shape: tuple[int, ...]) -> Likelihood:
        gaussian = self._gaussian(event_shape)
        return UnitMean(gaussian) if self.unit_mean else gaussian

    def _gaussian(self, event_shape: tuple[int, ...]) -> Likelihood:
        if self.scale == "learned":
            return LearnedScaleGaussianLikelihood(event_shape, self.min_scale)
        if self.scale == "optimal":
            return OptimalScaleGaussianLikelihood(event_shape, self.min_scale)
        if self.scale == "per_value":
            return PredictedScaleGaussianLikelihood(event_shape, self.min_scale)
        return FixedScaleGaussianLikelihood(event_shape, self.scale)
