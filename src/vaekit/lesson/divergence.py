"""The Kullback-Leibler divergence of a normal distribution from the standard normal, in pieces.

    KL(N(mu, sigma^2) || N(0, 1)) = mu^2 / 2 + (sigma^2 - 1 - log sigma^2) / 2

The first piece is the price of being away from the prior's mean, the second the price of having
another width. Both are zero at mu = 0, sigma = 1 and positive everywhere else.

Reference:
    Kingma and Welling (2013), Auto-Encoding Variational Bayes, appendix B,
    https://arxiv.org/abs/1312.6114
"""

import math
from dataclasses import dataclass
from typing import Self, final


@final
@dataclass(frozen=True)
class Divergence:
    """KL(N(mu, exp(log_variance)) || N(0, 1)).

    Args:
        mu: Mean of q.
        log_variance: log sigma^2 of q.

    Example:
        >>> round(Divergence.of(2.0, 0.5).nats, 10)
        2.3181471806
    """

    mu: float
    log_variance: float

    @classmethod
    def of(cls, mu: float, sigma: float) -> Self:
        """Of N(mu, sigma^2)."""
        return cls(mu, 2 * math.log(sigma))

    @property
    def sigma(self) -> float:
        return math.exp(self.log_variance / 2)

    @property
    def from_mean(self) -> float:
        """mu^2 / 2, in nats."""
        return 0.5 * self.mu**2

    @property
    def from_width(self) -> float:
        """(sigma^2 - 1 - log sigma^2) / 2, in nats."""
        return 0.5 * (math.expm1(self.log_variance) - self.log_variance)

    @property
    def nats(self) -> float:
        """The divergence itself."""
        return self.from_mean + self.from_width

    @property
    def slope_in_mu(self) -> float:
        """dKL / dmu."""
        return self.mu

    @property
    def slope_in_log_variance(self) -> float:
        """dKL / d log sigma^2: never below -1/2, however narrow q is."""
        return 0.5 * math.expm1(self.log_variance)

    @property
    def slope_in_sigma(self) -> float:
        """dKL / dsigma: without bound as q becomes narrow."""
        return self.sigma - 1 / self.sigma


def by_quadrature(mu: float, sigma: float) -> float:
    """The same divergence as an integral of q (log q - log p), without the closed form.

    The densities come from scipy, and the integral, by 200 Gauss-Legendre points, runs over twelve
    standard deviations of q to either side; what lies outside is below 1e-30.
    """
    import numpy as np
    from scipy.integrate import fixed_quad
    from scipy.stats import norm

    def integrand(z: np.ndarray) -> np.ndarray:
        log_q = norm.logpdf(z, mu, sigma)
        return np.exp(log_q) * (log_q - norm.logpdf(z, 0.0, 1.0))

    return float(fixed_quad(integrand, mu - 12 * sigma, mu + 12 * sigma, n=200)[0])
