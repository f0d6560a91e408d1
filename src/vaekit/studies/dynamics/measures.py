"""What decides a claim, measured on one training or on the decoders that it left."""

from collections.abc import Callable, Iterator

import numpy as np

from vaekit.studies.dynamics.findings import Findings, Setting
from vaekit.studies.dynamics.results import Content
from vaekit.studies.dynamics.statistics import (
    Curve,
    change_over_last_doubling,
    correlation,
    curve,
    detrended,
    proportionality,
    rank_correlation,
    rates,
    slope,
    turn,
)

FACTOR = 2.0
"""The gradient is judged where log variances are changed by at most this."""


def fall(cell: Content) -> float:
    """Of log variance, from the start to the minimum."""
    return turn(curve(cell, "log_variance")).fall


def rise(cell: Content) -> float:
    """Of log variance, from the minimum to the end."""
    return turn(curve(cell, "log_variance")).rise


def rise_of_share(cell: Content) -> float:
    """Of the log of the share that variances have in the spread of the codes."""
    return turn(np.log(curve(cell, "share"))).rise


def rank_with_quality(cell: Content) -> float:
    """Of log variance and decoder quality over the whole training."""
    quality, log_variance = curve(cell, "log_likelihood_at_mean"), curve(cell, "log_variance")
    return rank_correlation(quality.tolist(), log_variance.tolist())


def pace(cell: Content) -> float:
    """Whether changes of log variance are proportional to those of decoder quality."""
    return proportionality(*changes(cell))


def pace_without_trend(cell: Content) -> float:
    """Correlation of what straight lines leave of both changes."""
    quality, log_variance = changes(cell)
    return correlation(detrended(quality), detrended(log_variance))


def late_change(cell: Content, column: str = "log_variance") -> float:
    """Over the second half of training."""
    return change_over_last_doubling(curve(cell, "step"), curve(cell, column))


def gradient_slope(cell: Content) -> float:
    """Of the log of the reconstruction half by log variance, at fixed weights."""
    return slope(cell["widened"]["added"], cell["widened"]["reconstruction_half"], FACTOR)


def by_beta(
    findings: Findings,
    setting: Setting,
    measure: Callable[[Content], float],
    only: tuple[float, ...] | None = None,
) -> dict[str, list[float]]:
    """A statistic for each beta, one number for each seed."""
    found = {
        f"beta {beta:g}": [measure(cell) for cell in cells]
        for beta, cells in findings.by_beta(setting)
        if only is None or beta in only
    }
    return measured(found)


def measured(values: dict[str, list[float]]) -> dict[str, list[float]]:
    """Without what is not defined, as a correlation of too few changes."""
    kept = {name: [v for v in found if np.isfinite(v)] for name, found in values.items()}
    return {name: found for name, found in kept.items() if found}


def changes(cell: Content) -> tuple[Curve, Curve]:
    """Rates of decoder quality and of log variance after the first epoch."""
    after = curve(cell, "step") >= cell["steps_per_epoch"]
    quality, log_variance = (
        rates(curve(cell, name)[after]) for name in ("log_likelihood_at_mean", "log_variance")
    )
    return quality, log_variance


def equilibria(frozen: Content) -> list[tuple[float, float]]:
    """Quality and log variance of each decoder, averaged over where the encoder came from."""
    pairs: dict[int, list[tuple[float, float]]] = {}
    for one in frozen["decoders"]:
        end = (one["log_likelihood_at_mean"][-1], one["log_variance"][-1])
        pairs.setdefault(one["step"], []).append(end)
    means = [np.mean(ends, axis=0).tolist() for ends in pairs.values()]
    return [(quality, log_variance) for quality, log_variance in means]


def at_the_end(cell: Content) -> tuple[float, float]:
    """Decoder quality and log variance of a trained cell."""
    quality, log_variance = (
        float(np.median(curve(cell, name)[-3:]))
        for name in ("log_likelihood_at_mean", "log_variance")
    )
    return quality, log_variance


def sharpness_ratios(findings: Findings, setting: Setting) -> list[float]:
    """Sharpness of samples at beta 1 to that at beta 0, for each seed that has both."""

    def by_seed(beta: float) -> dict[int, float]:
        cells = findings.cells(setting, beta)
        return {c["settings"]["seed"]: c["end"]["sharpness_samples"] for c in cells}

    at_zero, at_one = by_seed(0.0), by_seed(1.0)
    return [at_one[seed] / at_zero[seed] for seed in sorted(at_zero.keys() & at_one.keys())]


def log_scale(cell: Content) -> float:
    """Of the aggregate posterior, in the dimension where it is farthest from 0."""
    return float(abs(np.log(cell["end"]["farthest_scale"])))


def spreads(content: Content) -> Iterator[tuple[str, Curve]]:
    """A curve for the entropies, or for every layer."""
    settings = content["settings"]
    pixels = settings["data"]
    if settings["family"] == "categorical":
        yield f"categorical, {pixels}", curve(content, "log_entropy_share")
        return
    layers = np.array(content["by_dimension"]["log_variance"], dtype=float)
    for name, values in zip(("top layer", "bottom layer"), layers.T, strict=True):
        yield f"{name}, {pixels}", values


def ranks_of_equilibria(findings: Findings, setting: Setting) -> dict[str, list[float]]:
    """Rank correlation of quality and equilibrium log variance, by what made decoders differ."""
    ranks: dict[str, list[float]] = {}
    for content in findings.frozen_of(setting):
        quality, log_variance = zip(*equilibria(content), strict=True)
        name = f"ages, beta {content['settings']['cell']['beta']:g}"
        ranks.setdefault(name, []).append(rank_correlation(quality, log_variance))
    for cells in findings.widths_of(setting).values():
        rank = rank_correlation(*zip(*map(at_the_end, cells), strict=True))
        ranks.setdefault("widths, beta 1", []).append(rank)
    return measured(ranks)
