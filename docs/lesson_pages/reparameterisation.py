"""reparameterisation.md: how much estimators of one gradient scatter, measured and exact."""

from dataclasses import replace
from functools import cache
from typing import Any, Final

from matplotlib.figure import Figure

from lesson_pages.example import PARAMETERS, SETTING
from vaekit.lesson import Grid, forward, markdown_grid
from vaekit.lesson.estimators import ESTIMATORS, measure, measure_on_a_wave, reconstruction_term
from vaekit.lesson.pictures import estimator_variances

DRAWS: Final = 400_000
DRAWS_OF_MANY: Final = 100_000
SIGMAS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
SHOWN: Final = SIGMAS.index(0.5)
DIMENSIONS: Final = (1, 2, 4, 8, 16, 32, 64)
SIGMA_OF_DIMENSIONS: Final = 0.5
FREQUENCY: Final = 10.0


@cache
def _measured() -> tuple[Any, Any, Any]:
    """The function, and what the estimators gave by sigma and by number of dimensions."""
    f = reconstruction_term(PARAMETERS, SETTING, forward(PARAMETERS, SETTING).mu)
    by_sigma = {
        e: [measure(f, e, s, DRAWS, seed) for seed, s in enumerate(SIGMAS)] for e in ESTIMATORS
    }
    wide = [replace(f, dimensions=d) for d in DIMENSIONS]
    by_dimension = {
        e: [measure(g, e, SIGMA_OF_DIMENSIONS, DRAWS_OF_MANY, g.dimensions) for g in wide]
        for e in ESTIMATORS
    }
    return f, by_sigma, by_dimension


def numbers() -> dict[str, Any]:
    """Means and variances of the estimators."""
    f, _, _ = _measured()
    means, small = _means(), SIGMAS[0]
    exact = {e: f.exact_variance(e, small) for e in ESTIMATORS}
    plain, _, baseline = ESTIMATORS
    return {
        "mu": forward(PARAMETERS, SETTING).mu,
        "slope": f"{f.slope:.4f}",
        "curvature": f"{f.curvature:.4g}",
        "floor": f"{2 * f.slope**2:.4g}",
        "draws": f"{DRAWS:,}",
        "shown_sigma": SIGMAS[SHOWN],
        "small_sigma": small,
        "wide_sigma": SIGMA_OF_DIMENSIONS,
        "furthest": max((row[-1].lstrip("+-") for row in means.rows), key=float),
        "means": markdown_grid(means),
        "variances": markdown_grid(_variances()),
        "ratio_small": f"{exact['score function'] / exact[plain]:,.0f}",
        "ratio_baseline": f"{exact[baseline] / exact[plain]:,.0f}",
        "many": DIMENSIONS[-1],
        "ratio_many": _ratio(replace(f, dimensions=DIMENSIONS[-1])),
        "ratio_one": _ratio(f),
        "frequency": f"{FREQUENCY:g}",
        "wave": markdown_grid(_wave()),
    }


def figure() -> Figure:
    """Variances by sigma and by number of dimensions."""
    f, by_sigma, by_dimension = _measured()
    return estimator_variances(f, SIGMAS, by_sigma, DIMENSIONS, by_dimension, SIGMA_OF_DIMENSIONS)


def _means() -> Grid:
    """That no estimator is biased."""
    f, by_sigma, _ = _measured()
    rows = []
    for e in ESTIMATORS:
        m = by_sigma[e][SHOWN]
        off = f"{(m.mean - f.slope) / m.standard_error:+.1f}"
        rows.append((e, f"{m.mean:.4f}", f"{m.standard_error:.4f}", off))
    return Grid(("estimator", "mean", "standard error", "off by"), tuple(rows))


def _variances() -> Grid:
    f, by_sigma, _ = _measured()
    rows = []
    for i, sigma in enumerate(SIGMAS):
        pairs = [(by_sigma[e][i].variance, f.exact_variance(e, sigma)) for e in ESTIMATORS]
        rows.append((f"{sigma:g}", *(f"{value:.4g}" for pair in pairs for value in pair)))
    headings = ("σ", *(heading for e in ESTIMATORS for heading in (e, "exact")))
    return Grid(headings, tuple(rows), 0)


def _ratio(f: Any) -> str:
    """How much more the score function with its baseline scatters."""
    plain, _, baseline = ESTIMATORS
    ours, theirs = (f.exact_variance(e, SIGMA_OF_DIMENSIONS) for e in (plain, baseline))
    return f"{theirs / ours:.0f}"


def _wave() -> Grid:
    """A function with steep slopes and small values, where the order is the other way round."""
    waves = measure_on_a_wave(FREQUENCY, DRAWS, seed=3)
    rows = tuple((e, f"{m.mean:.3f}", f"{m.variance:.3g}") for e, m in waves.items())
    return Grid(("estimator", "mean", "variance of one draw"), rows)
