"""The two halves of the gradient by log variance: in balance, and how one depends on variance."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaekit.figures.style import INK, MINUS, styled
from vaekit.studies.dynamics.findings import Findings, Setting
from vaekit.studies.dynamics.pictures.lines import color_of, column, draw
from vaekit.studies.dynamics.statistics import curve, running_median


@styled
def gradients(findings: Findings, setting: Setting) -> Figure:
    """Left: both halves over epochs. Right: the reconstruction half by the variance alone."""
    figure = Figure(figsize=(8.6, 3.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    _halves(left, findings, setting)
    _by_variance(right, findings, setting)
    handles, labels = right.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(8, len(labels)))
    return figure


def _halves(ax: Axes, findings: Findings, setting: Setting) -> None:
    betas = findings.betas(setting)
    for beta, cells in findings.by_beta(setting):
        color = color_of(betas, beta)
        draw(
            ax,
            cells,
            lambda cell: running_median(curve(cell, "reconstruction_half")),
            color,
            f"$\\beta$ = {beta:g}",
        )
        if beta > 0:
            time = curve(cells[0], "step") / cells[0]["steps_per_epoch"]
            pull = np.mean([column("kl_half", -1.0)(cell) for cell in cells], axis=0)
            ax.plot(time[1:], pull[1:], ":", color=color)
    ax.set(
        title=f"reconstruction half, and {MINUS}KL half (dotted), nats",
        xscale="log",
        yscale="log",
        xlabel="epoch",
    )


def _by_variance(ax: Axes, findings: Findings, setting: Setting) -> None:
    betas = findings.betas(setting)
    for beta, cells in findings.by_beta(setting):
        added = np.array(cells[0]["widened"]["added"])
        halves = [np.array(c["widened"]["reconstruction_half"], dtype=float) for c in cells]
        mean = np.mean([half / half[added == 0] for half in halves], axis=0)
        shown = mean > 0
        ax.plot(
            np.exp(added[shown]),
            mean[shown],
            color=color_of(betas, beta),
            label=f"$\\beta$ = {beta:g}",
        )
    factors = np.exp(np.array([-4.0, 4.0]))
    ax.plot(factors, factors, "--", color=INK, linewidth=0.9, label="linear decoder")
    ax.set(
        title="reconstruction half when variances alone change",
        xscale="log",
        yscale="log",
        xlabel=r"factor on $\sigma^2$",
        ylabel="factor on the gradient",
    )
