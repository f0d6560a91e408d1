"""The pictures of the lesson's pages."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from vaekit.figures import CLASSES, MUTED, styled
from vaekit.lesson.divergence import Divergence
from vaekit.lesson.estimators import ESTIMATORS, Measurement, Quadratic

Measured = Mapping[str, Sequence[Measurement]]
"""For each estimator, what was measured at every place of an axis."""
_COLORS = dict(zip(ESTIMATORS, CLASSES, strict=False))


@styled
def estimator_variances(
    f: Quadratic, sigmas: Sequence[float], by_sigma: Measured,
    dimensions: Sequence[int], by_dimension: Measured, sigma: float,
) -> Figure:  # fmt: skip
    """Variance of the estimators against sigma, and against the number of dimensions.

    Args:
        f: The function whose gradient is estimated, in one dimension.
        sigmas: Where on the first axis it was measured.
        by_sigma: What was measured there.
        dimensions: Where on the second axis it was measured.
        by_dimension: What was measured there.
        sigma: Of q, on the second axis.
    """
    figure = Figure(figsize=(8.4, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    fine = np.geomspace(min(sigmas), max(sigmas), 100)
    for name in ESTIMATORS:
        exact = [f.exact_variance(name, s) for s in fine]
        left.plot(fine, exact, color=_COLORS[name], label=name)
        _points(left, sigmas, by_sigma[name], _COLORS[name])
        wide = [Quadratic(f.value, f.slope, f.curvature, d) for d in dimensions]
        right.plot(dimensions, [g.exact_variance(name, sigma) for g in wide], color=_COLORS[name])
        _points(right, dimensions, by_dimension[name], _COLORS[name])
    for ax, places in ((left, sigmas), (right, dimensions)):
        ax.set(xscale="log", yscale="log")
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xticks(list(places), [f"{place:g}" for place in places])
    left.set(title="against the width of q", xlabel="σ", ylabel="variance of one draw of d/dμ")
    right.set(title=f"against dimensions, at σ = {sigma:g}", xlabel="dimensions of z")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3)
    return figure


def _points(ax: Axes, places: Sequence[float], measured: Sequence[Measurement], color: str) -> None:
    ax.plot(places, [m.variance for m in measured], "o", color=color, markersize=4.5)


@styled
def divergences(settings: Mapping[str, Divergence]) -> Figure:
    """The densities of some q beside the prior, and their KL on a map of mu and sigma."""
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    z = np.linspace(-3.5, 4.5, 1601)
    left.plot(z, _density(z, 0.0, 1.0), color=MUTED, linewidth=4, alpha=0.35, label="prior N(0, 1)")
    mu, log_sigma = np.meshgrid(np.linspace(-1, 4.4, 217), np.log(np.geomspace(0.01, 3, 201)))
    kl = 0.5 * (mu**2 + np.exp(2 * log_sigma) - 1 - 2 * log_sigma)
    sigma = np.exp(log_sigma)
    lines = right.contour(mu, sigma, kl, levels=range(1, 9), colors=MUTED, linewidths=0.8)
    below = [(-0.6, np.exp(0.18 - level - 0.5)) for level in range(1, 5)]
    beside = [(np.sqrt(2 * level), 1.0) for level in range(5, 9)]
    right.clabel(lines, fmt="%g", fontsize=7, manual=below + beside)
    for color, (name, d) in zip(CLASSES, settings.items(), strict=False):
        left.plot(z, _density(z, d.mu, d.sigma), color=color, label=name)
        right.plot([d.mu], [d.sigma], "o", color=color)
        right.annotate(
            f"{d.nats:.2f}",
            (d.mu, d.sigma),
            (7, 5),
            textcoords="offset points",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )
    right.set(yscale="log", title="KL from the prior, in nats", xlabel="μ", ylabel="σ")
    ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]
    right.yaxis.set_minor_locator(NullLocator())
    right.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    right.grid(visible=False)
    left.set(title="densities", xlabel="z", ylim=(0, None))
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=5)
    return figure


def _density(z: np.ndarray, mu: float, sigma: float) -> np.ndarray:
    return np.exp(-0.5 * ((z - mu) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
