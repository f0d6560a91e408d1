"""What one noise sample only estimates, exactly: everything here is linear and Gaussian.

The loss is a quadratic function of epsilon, a + b epsilon + c epsilon^2, so that over
epsilon ~ N(0, 1) it has the mean a + c and the variance b^2 + 2 c^2. And x is normal as well:

    p(x) = N(b_m, w_m^2 + tau^2)
    p(z | x) = N(w_m (x - b_m) / (w_m^2 + tau^2), tau^2 / (w_m^2 + tau^2))
    log p(x) - ELBO = KL(q(z | x) || p(z | x))

Reference:
    Tipping and Bishop (1999), Probabilistic Principal Component Analysis, section 3,
    https://doi.org/10.1111/1467-9868.00196
"""

import math
from dataclasses import dataclass, replace
from typing import final

from vaekit.lesson.divergence import Divergence
from vaekit.lesson.model import Parameters, Setting, encode, forward, reconstruction


@final
@dataclass(frozen=True)
class OverNoise:
    """The loss over all noise samples, in nats."""

    mean: float
    deviation: float


def loss_over_noise(parameters: Parameters, setting: Setting) -> OverNoise:
    """Mean and standard deviation of the loss over epsilon ~ N(0, 1)."""
    still = forward(parameters, replace(setting, epsilon=0.0))
    error = setting.x - still.decoded
    reach = parameters.decoder_weight * still.sigma
    linear = -error * reach / setting.likelihood_scale**2
    square = 0.5 * (reach / setting.likelihood_scale) ** 2
    return OverNoise(still.loss + square, math.sqrt(linear**2 + 2 * square**2))


@final
@dataclass(frozen=True)
class Truth:
    """The exact posterior and likelihood, and what q loses against them, in nats."""

    posterior_mean: float
    posterior_deviation: float
    log_likelihood: float
    """log p(x)"""
    elbo: float
    gap: float
    """KL(q(z | x) || p(z | x))"""


def truth(parameters: Parameters, setting: Setting) -> Truth:
    """What an all-knowing encoder would answer, and how far this one is from it."""
    weight, noise = parameters.decoder_weight, setting.likelihood_scale
    spread = math.hypot(weight, noise)
    shift = setting.x - parameters.decoder_bias
    mean, deviation = weight * shift / spread**2, noise / spread
    mu, log_variance = encode(parameters, setting.x)
    # Standardising z by the posterior turns it into N(0, 1), and KL does not notice.
    gap = Divergence((mu - mean) / deviation, log_variance - 2 * math.log(deviation)).nats
    return Truth(
        posterior_mean=mean,
        posterior_deviation=deviation,
        log_likelihood=-reconstruction(shift, spread),
        elbo=-loss_over_noise(parameters, replace(setting, beta=1.0)).mean,
        gap=gap,
    )
