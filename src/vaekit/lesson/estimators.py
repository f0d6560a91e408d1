"""Two estimators of the same gradient, and how far each scatters.

For q = N(mu, sigma^2), z = mu + sigma epsilon, and any f,

    d/dmu E_q[f(z)] = E[f'(z)]                          reparameterisation
                    = E[f(z) epsilon / sigma]           score function (REINFORCE)
                    = E[(f(z) - b) epsilon / sigma]     with a baseline b, a constant

Here f is the reconstruction term of the lesson's VAE, a quadratic function of z, so that the mean
and the variance of each estimator are polynomials in sigma and can be set beside what was measured.
With f = a + b1 (z - mu) + c (z - mu)^2 / 2 write p = a - baseline, q = b1 sigma, r = c sigma^2 / 2:

    Var[f'(z)]                  = 4 r^2 / sigma^2
    Var[(f(z) - b) eps / sigma] = (p^2 + 2 q^2 + 15 r^2 + 6 p r) / sigma^2

References:
    Williams (1992), Simple Statistical Gradient-Following Algorithms for Connectionist
    Reinforcement Learning, https://doi.org/10.1007/BF00992696
    Mohamed, Rosca, Figurnov and Mnih (2020), Monte Carlo Gradient Estimation in Machine
    Learning, https://arxiv.org/abs/1906.10652
"""

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final

import numpy as np

from vaekit.lesson.model import Parameters, Setting, reconstruction

Estimator: TypeAlias = Literal["reparameterisation", "score function", "score function, baseline"]
ESTIMATORS: Final[tuple[Estimator, ...]] = (
    "reparameterisation",
    "score function",
    "score function, baseline",
)


@final
@dataclass(frozen=True)
class Quadratic:
    """f(z) = value + slope (z - mu) + curvature (z - mu)^2 / 2, in each of several dimensions.

    Args:
        value: f at mu, of one dimension.
        slope: Its derivative there, which is the exact gradient of E[f] in mu as well.
        curvature: Its second derivative.
        dimensions: How many independent dimensions are summed; the gradient is in the first.
    """

    value: float
    slope: float
    curvature: float
    dimensions: int = 1

    def mean(self, sigma: float) -> float:
        """E[f(z)] over all dimensions: the baseline."""
        return self.dimensions * (self.value + 0.5 * self.curvature * sigma**2)

    def exact_variance(self, estimator: Estimator, sigma: float) -> float:
        """Variance of one draw of an estimator, in closed form."""
        q, r = self.slope * sigma, 0.5 * self.curvature * sigma**2
        if estimator == "reparameterisation":
            return 4 * r**2 / sigma**2
        others = self.dimensions - 1
        p = self.value + others * (self.value + r)
        if estimator == "score function, baseline":
            p -= self.mean(sigma)
        own = p**2 + 2 * q**2 + 15 * r**2 + 6 * p * r
        return (own + others * (q**2 + 2 * r**2)) / sigma**2


def reconstruction_term(parameters: Parameters, setting: Setting, mu: float) -> Quadratic:
    """-log p(x | z) of the lesson's decoder, as a function of z around mu."""
    weight, tau = parameters.decoder_weight, setting.likelihood_scale
    error = setting.x - weight * mu - parameters.decoder_bias
    return Quadratic(
        value=reconstruction(error, tau),
        slope=-error * weight / tau**2,
        curvature=(weight / tau) ** 2,
    )


@final
@dataclass(frozen=True)
class Measurement:
    """What many draws of an estimator say."""

    mean: float
    standard_error: float
    variance: float
    variance_error: float
    """Standard error of the variance."""


def measure(f: Quadratic, estimator: Estimator, sigma: float, draws: int, seed: int) -> Measurement:
    """Draws an estimator many times; each draw uses one noise sample per dimension."""
    generator = np.random.default_rng(seed)
    epsilon = generator.standard_normal(draws)
    if estimator == "reparameterisation":
        return _summary(f.slope + f.curvature * sigma * epsilon)
    total = _value(f, sigma, epsilon)
    for _ in range(f.dimensions - 1):
        total += _value(f, sigma, generator.standard_normal(draws))
    baseline = f.mean(sigma) if estimator == "score function, baseline" else 0.0
    return _summary((total - baseline) * epsilon / sigma)


def _value(f: Quadratic, sigma: float, epsilon: np.ndarray) -> np.ndarray:
    shift = sigma * epsilon
    return f.value + f.slope * shift + 0.5 * f.curvature * shift**2


def measure_on_a_wave(frequency: float, draws: int, seed: int) -> dict[str, Measurement]:
    """The same two estimators for f(z) = sin(frequency z) and q = N(0, 1), where f' is large."""
    epsilon = np.random.default_rng(seed).standard_normal(draws)
    return {
        "reparameterisation": _summary(frequency * np.cos(frequency * epsilon)),
        "score function": _summary(np.sin(frequency * epsilon) * epsilon),
    }


def _summary(values: np.ndarray) -> Measurement:
    deviations = values - values.mean()
    variance = float(np.square(deviations).mean())
    fourth = float(np.square(np.square(deviations)).mean())
    return Measurement(
        mean=float(values.mean()),
        standard_error=math.sqrt(variance / len(values)),
        variance=variance,
        variance_error=math.sqrt(max(fourth - variance**2, 0.0) / len(values)),
    )
