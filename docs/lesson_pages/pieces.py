"""pieces.md: what R and the KL want of sigma, and why networks give log variances."""

import math
from dataclasses import replace
from typing import Any

from lesson_pages.example import PARAMETERS, SETTING
from vaekit.lesson import (
    SKETCH,
    Divergence,
    Grid,
    Parameters,
    forward,
    loss_over_noise,
    markdown_grid,
    result,
    truth,
)
from vaekit.posteriors import DiagonalGaussianSpec


def numbers() -> dict[str, Any]:
    """The tug of war over sigma, and a leap in it."""
    mu = forward(PARAMETERS, SETTING).mu
    exact = truth(PARAMETERS, SETTING)
    at_posterior = replace(
        _with_sigma(exact.posterior_deviation), mu_weight=0.0, mu_bias=exact.posterior_mean
    )
    spec = DiagonalGaussianSpec()
    return {
        "sketch": SKETCH,
        "setting": SETTING,
        "mu": mu,
        "best_sigma": result(exact.posterior_deviation),
        "posterior_mean": result(exact.posterior_mean),
        "least": result(loss_over_noise(at_posterior, SETTING).mean),
        "tug_of_war": markdown_grid(_tug_of_war(mu, exact.posterior_deviation)),
        "slopes": markdown_grid(_slopes()),
        "leap": _leap(3.0, 0.5),
        "far": f"{math.exp(100):.1e}",
        "low": f"{spec.min_log_scale:g}",
        "high": f"{spec.max_log_scale:g}",
    }


def _with_sigma(sigma: float) -> Parameters:
    """The lesson's parameters, but for an s that x does not change."""
    return replace(PARAMETERS, log_variance_weight=0.0, log_variance_bias=2 * math.log(sigma))


def _tug_of_war(mu: float, best: float) -> Grid:
    """The two terms of the loss by sigma, which pull at it from both sides."""
    rows = []
    for sigma in (2.0, 1.0, forward(PARAMETERS, SETTING).sigma, best, 0.3, 0.1, 0.01):
        loss = loss_over_noise(_with_sigma(sigma), SETTING).mean
        kl = Divergence.of(mu, sigma).nats
        rows.append(tuple(map(result, (sigma, loss - SETTING.beta * kl, kl, loss))))
    return Grid(("σ", "mean of R", "KL", "mean of L"), tuple(rows), 0)


def _slopes() -> Grid:
    """Those of the KL in sigma, which explode, and in s, which do not."""
    rows = tuple(
        (
            f"{d.sigma:g}",
            result(d.log_variance),
            f"{d.slope_in_sigma:.4f}",
            f"{d.slope_in_log_variance:.6f}",
        )
        for d in (Divergence.of(0.0, sigma) for sigma in (2.0, 1.0, 0.5, 0.1, 0.01, 0.001))
    )
    return Grid(("σ", "s = log σ²", "dKL/dσ", "dKL/ds"), rows, 0)


def _leap(sigma: float, rate: float) -> dict[str, Any]:
    """One long step in sigma, and the same in s."""
    slope = _mean_slope_in_sigma(sigma)
    slope_s, s = slope * sigma / 2, 2 * math.log(sigma)
    new_sigma, new_s = sigma - rate * slope, s - rate * slope_s
    return {
        "sigma": sigma,
        "rate": rate,
        "slope_sigma": result(slope),
        "new_sigma": result(new_sigma),
        "verdict": "no distribution has this σ" if new_sigma <= 0 else "still a distribution",
        "slope_s": result(slope_s),
        "s": result(s),
        "new_s": result(new_s),
        "sigma_of_s": result(math.exp(new_s / 2)),
    }


def _mean_slope_in_sigma(sigma: float) -> float:
    """Of the loss over all noise: w_m^2 sigma / tau^2 from R, sigma - 1/sigma from the KL."""
    reach = PARAMETERS.decoder_weight / SETTING.likelihood_scale
    return reach**2 * sigma + SETTING.beta * Divergence.of(0.0, sigma).slope_in_sigma
