"""The linear VAE beside its closed form."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaekit.figures.style import CLASSES, INK, styled
from vaekit.studies.dynamics.linear import logistic
from vaekit.studies.dynamics.results import Content


@styled
def linear(content: Content) -> Figure:
    """Left: trajectories of log variance. Right: the reconstruction half by the variance."""
    figure = Figure(figsize=(8.6, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    _trajectories(left, content)
    _gradient(right, content)
    return figure


def _trajectories(ax: Axes, content: Content) -> None:
    shown = [c for c in content["curves"] if c["parameter"] == "log variance"]
    betas = list(dict.fromkeys(course["beta"] for course in shown))
    for course in shown:
        time, beta, start = np.array(course["time"]), course["beta"], course["start"]
        dense = np.linspace(0, time[-1], 300)
        color = CLASSES[betas.index(beta)]
        for width, measured in zip(content["widths"], np.array(course["log_v"]).T, strict=True):
            ax.plot(time[::2], measured[::2], ".", color=color, markersize=3.5)
            ax.plot(dense, logistic(dense, width, beta, start), color=INK, linewidth=0.6)
    for beta, color in zip(betas, CLASSES, strict=False):
        ax.plot([], [], "o", color=color, markersize=4, label=f"$\\beta$ = {beta:g}")
    ax.set(title=r"log $\sigma^2$, measured (dots) and exact (lines)", xlabel="time")
    ax.figure.legend(loc="outside upper left", ncols=len(betas))


def _gradient(ax: Axes, content: Content) -> None:
    rows = content["gradient"]["rows"]
    variance = np.exp([row["log_v"] for row in rows])
    for index, width in enumerate(content["widths"]):
        measured = [row["measured"][index] for row in rows]
        exact = [row["exact"][index] for row in rows]
        ax.plot(variance, measured, "o", color=CLASSES[index], label=f"w = {width:g}", markersize=4)
        ax.plot(variance, exact, color=INK, linewidth=0.7)
    ax.set(
        title=r"reconstruction half, and $w^2\sigma^2 / 2\sigma_x^2$ (lines)",
        xscale="log",
        yscale="log",
        xlabel=r"$\sigma^2$",
    )
    ax.legend()
