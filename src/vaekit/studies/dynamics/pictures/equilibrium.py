"""Where the variance settles under decoders that are held fixed."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaekit.figures.style import CLASSES, INK, MINUS, styled
from vaekit.studies.dynamics.findings import Findings, Setting
from vaekit.studies.dynamics.measures import at_the_end, equilibria
from vaekit.studies.dynamics.results import Content


@styled
def equilibrium(findings: Findings, setting: Setting) -> Figure:
    """Left: encoders on their way, from above and from below. Right: where they end."""
    frozen, widths = findings.frozen_of(setting), findings.widths_of(setting)
    figure = Figure(figsize=(8.8, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _ways(left, frozen[0])
    _ends(right, frozen, list(widths.values()))
    right.set(
        title="variance at the end",
        yscale="log",
        xlabel=f"{MINUS}log p(x | mean of z), nats (better to the right)",
    )
    right.invert_xaxis()
    right.legend()
    return figure


def _ends(ax: Axes, frozen: list[Content], widths: list[list[Content]]) -> None:
    for content in frozen:
        first = content is frozen[0]
        quality, log_variance = zip(*equilibria(content), strict=True)
        ax.plot(
            -np.array(quality),
            np.exp(log_variance),
            "o-",
            color=CLASSES[0],
            label="decoders of several ages, held fixed" if first else None,
        )
        ax.plot(
            -np.array(quality),
            predicted(content),
            "x",
            color=INK,
            label=r"$\beta\,/\,(\beta + J'FJ)$ there" if first else None,
        )
    for number, cells in enumerate(widths):
        quality, log_variance = zip(*map(at_the_end, cells), strict=True)
        label = "decoders of several widths" if number == 0 else None
        ax.plot(-np.array(quality), np.exp(log_variance), "s--", color=CLASSES[2], label=label)


def predicted(frozen: Content) -> list[float]:
    """The linear model's equilibrium with the local curvature, for each decoder."""
    beta = frozen["settings"]["cell"]["beta"]
    curvatures: dict[int, list[float]] = {}
    for one in frozen["decoders"]:
        curvatures.setdefault(one["step"], []).append(one["curvature"][-1])
    return [beta / (beta + sum(found) / len(found)) for found in curvatures.values()]


def _ways(ax: Axes, frozen: Content) -> None:
    decoders = frozen["decoders"]
    ages = list(dict.fromkeys(one["step"] for one in decoders))
    for one in decoders:
        color = CLASSES[ages.index(one["step"]) % len(CLASSES)]
        epoch = one["step"] / frozen["steps_per_epoch"]
        steps = np.maximum(np.array(one["steps"], dtype=float), 0.7)
        label = f"epoch {float(f'{epoch:.1g}'):g}" if one["shift"] > 0 else None
        variance = np.exp(np.array(one["log_variance"], dtype=float))
        ax.plot(steps, variance, "-" if one["shift"] > 0 else "--", color=color, label=label)
    lowest = min(math.exp(min(one["log_variance"])) for one in decoders)
    ax.set(
        title=r"$\sigma^2$ from above (solid) and below, by the decoder's age",
        xscale="log",
        yscale="log",
        xlabel="step of the encoder",
        ylim=(lowest / 2, 8.0),
    )
    ax.legend(ncols=2, loc="upper right")
