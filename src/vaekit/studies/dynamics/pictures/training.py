"""What training does, by beta: figure 1 of the article, on a logarithmic time axis."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaekit.figures.style import CLASSES, MINUS, styled
from vaekit.studies.dynamics.findings import Findings, Setting
from vaekit.studies.dynamics.pictures.lines import (
    Shown,
    color_of,
    column,
    draw,
    epochs,
    plain_log_ticks,
)
from vaekit.studies.dynamics.results import Content


@styled
def training(findings: Findings, setting: Setting) -> Figure:
    """Reconstruction, KL, variance and distance of the codes from the origin, over epochs."""
    panels: list[tuple[str, Shown]] = [
        (f"{MINUS}E[log p(x|z)], nats", column("expected_log_likelihood", -1.0)),
        ("KL, nats", column("kl")),
        (
            r"posterior variance $\sigma^2$ (geometric mean)",
            lambda cell: np.exp(column("log_variance")(cell)),
        ),
        (r"$|\mu|$, mean length of the posterior mean", column("distance")),
    ]
    figure = Figure(figsize=(8.6, 6.0), layout="constrained")
    betas = findings.betas(setting)
    for ax, (title, shown) in zip(figure.subplots(2, 2).flat, panels, strict=True):
        for beta, cells in findings.by_beta(setting):
            draw(ax, cells, shown, color_of(betas, beta), f"$\\beta$ = {beta:g}")
        ax.set(title=title, xscale="log", yscale="log", xlabel="epoch")
        low, high = ax.get_ylim()
        if high < 200 * low:
            plain_log_ticks(ax)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


@styled
def relatives(contents: Sequence[Content]) -> Figure:
    """Entropy of discrete codes, and variances of two layers, over epochs."""
    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for content in contents:
        style = "-" if content["settings"]["data"] == "grey" else "--"
        if content["settings"]["family"] == "categorical":
            _entropy(left, content, style)
        else:
            _layers(right, content, style)
    left.set(title="entropy of the codes, as a share of log K", xscale="log", xlabel="epoch")
    right.set(
        title=r"$\sigma^2$ of two layers (geometric mean)",
        xscale="log",
        yscale="log",
        xlabel="epoch",
    )
    for ax in (left, right):
        handles, labels = ax.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        if unique:
            ax.legend(unique.values(), unique.keys())
    return figure


def _entropy(ax: Axes, content: Content, style: str) -> None:
    time, share = epochs(content), column("entropy_share")(content)
    label = f"{content['settings']['data']} pixels"
    ax.plot(time[time > 0], share[time > 0], style, color=CLASSES[0], label=label)


def _layers(ax: Axes, content: Content, style: str) -> None:
    by_layer = content["by_dimension"]
    time = np.array(by_layer["step"]) / content["steps_per_epoch"]
    variances = np.exp(np.array(by_layer["log_variance"], dtype=float))
    for name, values, color in zip(("top", "bottom"), variances.T, CLASSES, strict=False):
        label = f"{name} layer, {content['settings']['data']} pixels"
        ax.plot(time[time > 0], values[time > 0], style, color=color, label=label)
