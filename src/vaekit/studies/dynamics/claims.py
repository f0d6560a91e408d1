"""The article's claims, each with the statistic that decides it.

The criteria were set before the grid was run, but for one: that changes are proportional was to be
decided by their correlation, which does not see that one falls while the other rises; after two
cells the cosine took its place.

What the article calls the quality of the decoder is here the log-likelihood at the posterior mean,
on held-out examples: the noise of z, whose variance is the other side of the claim, has no part in
it.

Reference:
    Hu (2025), Understanding the Dynamic Balance in Variational Autoencoders
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from vaekit.studies.dynamics import measures
from vaekit.studies.dynamics.findings import Findings, Setting
from vaekit.studies.dynamics.measures import by_beta, measured
from vaekit.studies.dynamics.results import Content
from vaekit.studies.dynamics.statistics import turn
from vaekit.studies.verdict import Claim

SOURCE: Final = "Hu 2025"
FELT: Final = 0.1
"""A change of a log variance that counts: the variance by a tenth."""


def claims(findings: Findings, setting: Setting) -> list[Claim]:
    """Every claim, with what one grid says of it."""

    def over(
        measure: Callable[[Content], float], only: tuple[float, ...] | None = None
    ) -> dict[str, list[float]]:
        return by_beta(findings, setting, measure, only)

    equilibria = measures.ranks_of_equilibria(findings, setting)
    ratios = measured({"beta 1 to beta 0": measures.sharpness_ratios(findings, setting)})
    return [
        *_of_the_turn(over),
        *_of_the_pace(over),
        _claim(
            "The best variance is larger under a better decoder",
            "rank correlation of equilibrium log variance and decoder quality, over frozen "
            "decoders of several ages and over decoders of several widths",
            equilibria,
            above=0.0,
        ),
        *_of_the_gradient_and_kl(over),
        _claim(
            "Samples are sharper at beta 1 than at beta 0",
            "ratio of their sharpness (variance of the Laplace response)",
            ratios,
            above=1.0,
        ),
        *_of_the_codes(over, setting.latent_dim),
    ]


_Over = Callable[..., dict[str, list[float]]]


def _of_the_turn(over: _Over) -> list[Claim]:
    return [
        _claim(
            "The variance first shrinks",
            "mean log variance at the start less its minimum",
            over(measures.fall),
            above=FELT,
        ),
        _claim(
            "The variance then grows",
            "mean log variance at the end less its minimum",
            over(measures.rise),
            above=FELT,
        ),
        _claim(
            "also beside the spread of the means",
            "log of v / (v + variance of the means), mean over dimensions, at the end less its "
            "minimum",
            over(measures.rise_of_share),
            above=FELT,
        ),
        _claim(
            "The variance settles",
            "change of mean log variance in the second half of training, as an amount",
            over(lambda cell: abs(measures.late_change(cell))),
            below=FELT,
        ),
    ]


def _of_the_pace(over: _Over) -> list[Claim]:
    return [
        _claim(
            "The variance is small while the decoder is poor",
            "rank correlation of log variance and decoder quality over training",
            over(measures.rank_with_quality),
            above=0.0,
        ),
        _claim(
            "The variance grows at the rate at which the decoder improves",
            "cosine of the changes of log variance and of decoder quality after the first epoch",
            over(measures.pace),
            above=0.5,
        ),
        _claim(
            "The same, without what both do in the long run",
            "correlation of the same changes less their straight lines",
            over(measures.pace_without_trend),
            above=0.5,
        ),
    ]


def _of_the_gradient_and_kl(over: _Over) -> list[Claim]:
    return [
        _claim(
            "The reconstruction gradient grows with the variance",
            "slope of the log gradient by log variance, changed by up to e^2 at fixed weights",
            over(measures.gradient_slope),
            above=0.0,
        ),
        _claim(
            "Without KL term the KL reaches about 100 nats",
            "KL at the end, in nats",
            over(lambda cell: cell["end"]["kl"], (0.0,)),
            above=80.0,
            below=120.0,
        ),
        _claim(
            "and stays there",
            "change of the KL in the second half of training, in nats",
            over(lambda cell: measures.late_change(cell, "kl"), (0.0,)),
            above=-5.0,
            below=5.0,
        ),
    ]


def _of_the_codes(over: _Over, latent_dim: int) -> list[Claim]:
    return [
        _claim(
            "At beta 1 codes have the scale of a unit Gaussian",
            "log scale of the aggregate posterior in the dimension farthest from 0, as an amount",
            over(measures.log_scale, (1.0,)),
            below=0.1,
        ),
        _claim(
            "and its shape",
            "KL of the aggregate posterior from the prior, in nats per dimension",
            over(lambda cell: cell["end"]["aggregate_kl"] / latent_dim, (1.0,)),
            below=0.1,
        ),
    ]


def questions(findings: Findings) -> list[Claim]:
    """What the article asks of other variational methods: do they regulate themselves likewise?"""
    falls: dict[str, list[float]] = {}
    rises: dict[str, list[float]] = {}
    for content in findings.relatives:
        for name, values in measures.spreads(content):
            found = turn(values)
            falls.setdefault(name, []).append(found.fall)
            rises.setdefault(name, []).append(found.rise)
    what = "log variance, or log of the entropy's share of log K"
    return [
        _claim(
            "Other methods: spread first shrinks",
            f"{what}, at the start less its minimum",
            falls,
            above=FELT,
        ),
        _claim(
            "Other methods: spread then grows",
            f"{what}, at the end less its minimum",
            rises,
            above=FELT,
        ),
    ]


def _claim(
    text: str,
    statistic: str,
    values: Mapping[str, Sequence[float]],
    above: float = -float("inf"),
    below: float = float("inf"),
) -> Claim:
    return Claim(text, SOURCE, statistic, values, above, below)
