"""The article's claims, each with the statistic that decides it.

The criteria were set before the grid was run. What the article calls the quality of the decoder is
here the log-likelihood at the posterior mean, on held-out examples: the noise of z, whose variance
is the other side of the claim, has no part in it.

Reference:
    Hu (2025), Understanding the Dynamic Balance in Variational Autoencoders
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from vaekit.studies.dynamics.findings import Findings, Setting
from vaekit.studies.dynamics.results import Content
from vaekit.studies.dynamics.statistics import (
    Curve,
    change_over_last_doubling,
    correlation,
    curve,
    detrended,
    rank_correlation,
    rates,
    slope,
    turn,
)
from vaekit.studies.verdict import Claim

SOURCE: Final = "Hu 2025"
FACTOR: Final = 2.0
"""The gradient is judged where log variances are changed by at most this."""


def claims(findings: Findings, setting: Setting) -> list[Claim]:
    """Every claim, with what one grid says of it."""
    return [
        *_of_the_course(findings, setting),
        *_of_the_equilibrium(findings, setting),
        *_of_the_end(findings, setting),
    ]


def questions(findings: Findings) -> list[Claim]:
    """What the article asks of other variational methods: do they regulate themselves likewise?"""
    found: dict[str, list] = {}
    for content in findings.relatives:
        for name, values in _measures_of_spread(content):
            found.setdefault(name, []).append(turn(values))
    falls = {name: [one.fall for one in turns] for name, turns in found.items()}
    rises = {name: [one.rise for one in turns] for name, turns in found.items()}
    what = "log variance, or log of the entropy's share"
    return [
        Claim("Other methods: spread first shrinks", SOURCE, f"fall of {what}", falls, above=0.1),
        Claim("Other methods: spread then grows", SOURCE, f"rise of {what}", rises, above=0.1),
    ]


def _of_the_course(findings: Findings, setting: Setting) -> Iterator[Claim]:
    def over(measure: Callable[[Content], float]) -> dict[str, list[float]]:
        return by_beta(findings, setting, measure)

    yield Claim(
        "The variance first shrinks",
        SOURCE,
        "mean log variance at the start less its minimum",
        over(lambda cell: turn(curve(cell, "log_variance")).fall),
        above=0.1,
    )
    yield Claim(
        "The variance then grows",
        SOURCE,
        "mean log variance at the end less its minimum",
        over(lambda cell: turn(curve(cell, "log_variance")).rise),
        above=0.1,
    )
    yield Claim(
        "also beside the spread of the means",
        SOURCE,
        "log of v / (v + variance of the means), mean over dimensions, at the end less its minimum",
        over(lambda cell: turn(np.log(curve(cell, "share"))).rise),
        above=0.1,
    )
    yield Claim(
        "The variance is small while the decoder is poor",
        SOURCE,
        "rank correlation of log variance and decoder quality over training",
        over(
            lambda cell: rank_correlation(
                curve(cell, "log_likelihood_at_mean").tolist(), curve(cell, "log_variance").tolist()
            )
        ),
        above=0.0,
    )
    yield Claim(
        "The variance grows at the rate at which the decoder improves",
        SOURCE,
        "correlation of changes of log variance and of decoder quality after the first epoch",
        over(lambda cell: correlation(*changes(cell))),
        above=0.5,
    )
    yield Claim(
        "The same, without what both do in the long run",
        SOURCE,
        "the same correlation of changes less their straight lines",
        over(lambda cell: correlation(*map(detrended, changes(cell)))),
        above=0.5,
    )
    yield Claim(
        "The variance settles",
        SOURCE,
        "change of mean log variance in the second half of training, as an amount",
        over(
            lambda cell: abs(
                change_over_last_doubling(curve(cell, "step"), curve(cell, "log_variance"))
            )
        ),
        below=0.1,
    )


def _of_the_equilibrium(findings: Findings, setting: Setting) -> Iterator[Claim]:
    ranks: dict[str, list[float]] = {}
    for content in findings.frozen_of(setting):
        quality, log_variance = zip(*equilibria(content), strict=True)
        name = f"ages, beta {content['settings']['cell']['beta']:g}"
        ranks.setdefault(name, []).append(rank_correlation(quality, log_variance))
    for cells in findings.widths_of(setting).values():
        rank = rank_correlation(*zip(*map(at_the_end, cells), strict=True))
        ranks.setdefault("widths, beta 1", []).append(rank)
    yield Claim(
        "The best variance is larger under a better decoder",
        SOURCE,
        "rank correlation of equilibrium log variance and decoder quality, over frozen decoders "
        "of several ages and over decoders of several widths",
        measured(ranks),
        above=0.0,
    )
    yield Claim(
        "The reconstruction gradient grows with the variance",
        SOURCE,
        "slope of the log gradient by log variance, changed by up to e^2 at fixed weights",
        by_beta(
            findings,
            setting,
            lambda cell: slope(
                cell["widened"]["added"], cell["widened"]["reconstruction_half"], FACTOR
            ),
        ),
        above=0.0,
    )


def _of_the_end(findings: Findings, setting: Setting) -> Iterator[Claim]:
    at_zero = (0.0,)
    yield Claim(
        "Without KL term the KL reaches about 100 nats",
        SOURCE,
        "KL at the end, in nats",
        by_beta(findings, setting, lambda cell: cell["end"]["kl"], at_zero),
        above=80.0,
        below=120.0,
    )
    yield Claim(
        "and stays there",
        SOURCE,
        "change of the KL in the second half of training, in nats",
        by_beta(
            findings,
            setting,
            lambda cell: change_over_last_doubling(curve(cell, "step"), curve(cell, "kl")),
            at_zero,
        ),
        above=-5.0,
        below=5.0,
    )
    yield Claim(
        "Samples are sharper at beta 1 than at beta 0",
        SOURCE,
        "ratio of their sharpness (variance of the Laplace response)",
        measured({"beta 1 to beta 0": _ratios(findings, setting)}),
        above=1.0,
    )
    yield Claim(
        "At beta 1 codes have the scale of a unit Gaussian",
        SOURCE,
        "log scale of the aggregate posterior in the dimension farthest from 0, as an amount",
        by_beta(findings, setting, _scale, (1.0,)),
        below=0.1,
    )
    yield Claim(
        "and its shape",
        SOURCE,
        "KL of the aggregate posterior from the prior, in nats per dimension",
        by_beta(
            findings,
            setting,
            lambda cell: cell["end"]["aggregate_kl"] / setting.latent_dim,
            (1.0,),
        ),
        below=0.1,
    )


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


def _ratios(findings: Findings, setting: Setting) -> list[float]:
    def by_seed(beta: float) -> dict[int, float]:
        cells = findings.cells(setting, beta)
        return {c["settings"]["seed"]: c["end"]["sharpness_samples"] for c in cells}

    at_zero, at_one = by_seed(0.0), by_seed(1.0)
    return [at_one[seed] / at_zero[seed] for seed in sorted(at_zero.keys() & at_one.keys())]


def _scale(cell: Content) -> float:
    return float(abs(np.log(cell["end"]["farthest_scale"])))


def _measures_of_spread(content: Content) -> Iterator[tuple[str, Curve]]:
    """A curve for the entropies, or for every layer."""
    settings = content["settings"]
    pixels = settings["data"]
    if settings["family"] == "categorical":
        yield f"categorical, {pixels}", curve(content, "log_entropy_share")
        return
    layers = np.array(content["by_dimension"]["log_variance"], dtype=float)
    for name, values in zip(("top layer", "bottom layer"), layers.T, strict=True):
        yield f"{name}, {pixels}", values
