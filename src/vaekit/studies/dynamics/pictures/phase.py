"""Decoder quality against posterior variance: the course of every beta in one plane."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaekit.figures.style import MINUS, MUTED, styled
from vaekit.studies.dynamics.findings import Findings, Setting
from vaekit.studies.dynamics.pictures.lines import color_of, epochs
from vaekit.studies.dynamics.results import Content
from vaekit.studies.dynamics.statistics import curve

MARKS = {0.1: "o", 1.0: "s", 10.0: "^", 100.0: "D"}
"""Symbols at some epochs."""


@styled
def phase(findings: Findings, setting: Setting) -> Figure:
    """A line for each cell, better decoders to the right; symbols say when."""
    figure = Figure(figsize=(7.6, 4.8), layout="constrained")
    ax, betas = figure.subplots(), findings.betas(setting)
    for beta, cells in findings.by_beta(setting):
        for cell in cells:
            label = f"$\\beta$ = {beta:g}" if cell is cells[0] else None
            _course(ax, cell, color_of(betas, beta), label)
    for epoch, marker in MARKS.items():
        ax.plot([], [], marker, color=MUTED, markersize=5, label=f"epoch {epoch:g}")
    ax.set(
        xscale="log",
        yscale="log",
        xlabel=f"{MINUS}log p(x | mean of z), held out, nats (better to the right)",
        ylabel=r"posterior variance $\sigma^2$ (geometric mean)",
    )
    low, high = ax.get_xlim()
    ticks = [tick for tick in (60, 80, 100, 120, 140, 160, 200, 300, 400, 500) if low < tick < high]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.invert_xaxis()
    figure.legend(loc="outside right upper")
    return figure


def _course(ax: Axes, cell: Content, color: str, label: str | None) -> None:
    error, variance = -curve(cell, "log_likelihood_at_mean"), np.exp(curve(cell, "log_variance"))
    ax.plot(error, variance, color=color, label=label, linewidth=1.1)
    time = epochs(cell)
    for epoch, marker in MARKS.items():
        if epoch <= time[-1]:
            at = int(np.abs(time - epoch).argmin())
            ax.plot(error[at], variance[at], marker, color=color, markersize=5)
