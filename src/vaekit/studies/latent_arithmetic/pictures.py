"""The figures of latent arithmetic: walks to look at, and curves of what was measured."""

from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from vaekit.figures.style import CLASSES, styled
from vaekit.figures.walk import Walk, walk_sheet
from vaekit.studies.latent_arithmetic.attributes import ATTRIBUTES
from vaekit.studies.latent_arithmetic.directions import (
    STEPS,
    TRAINING_IMAGES,
    direction,
    first_of_each_class,
    walked,
)
from vaekit.studies.latent_arithmetic.interpolation import STEPS as BETWEEN
from vaekit.studies.latent_arithmetic.interpolation import WAYS
from vaekit.studies.latent_arithmetic.subject import Subject

_DIGITS: Final = (2, 4, 7)
_UNITS: Final = {"thickness": "pixels", "slant": "tangent of the angle"}


@styled
def walks(subject: Subject) -> Figure:
    """Three test digits moved along each attribute."""
    train = subject.shown("train", TRAINING_IMAGES)
    one = first_of_each_class(subject.shown("test", 1000), 1)
    rows, labels = [], []
    for name, read in ATTRIBUTES.items():
        along = direction(train, read(train.images))
        for digit in _DIGITS:
            codes = walked(one.codes[one.labels == digit], along)[0]
            rows.append(subject.decoded(codes)[0])
            labels.append(f"{name}, {digit}")
    headers = [f"{step:+g}" if step else "0" for step in STEPS]
    title = "Codes of test digits moved along the direction of an attribute, decoded"
    return walk_sheet(np.stack(rows)[:, :, None], Walk(labels, headers, title), 0.0, 1.0)


@styled
def between_walks(subject: Subject) -> Figure:
    """The same pairs of test digits along lines and arcs."""
    one = first_of_each_class(subject.shown("test", 1000), 1)
    rows, labels = [], []
    for first, second in ((0, 1), (3, 5), (4, 7)):
        for name, way in WAYS.items():
            codes = way(one.codes[[first]], one.codes[[second]], BETWEEN)[0]
            rows.append(subject.decoded(codes)[0])
            labels.append(f"{name}, {first} → {second}")
    headers = [f"{share:.1f}" for share in np.linspace(0, 1, BETWEEN)]
    title = "Between two test digits: straight lines and arcs, decoded"
    return walk_sheet(np.stack(rows)[:, :, None], Walk(labels, headers, title), 0.0, 1.0)


@styled
def curves(found: dict[str, Any]) -> Figure:
    """Attributes and kept classes over steps; confidence and distance between digits."""
    figure = Figure(figsize=(9, 5.4), layout="constrained")
    grid = figure.subplots(2, 3)
    for ax, (name, one) in zip(grid[0], found["moves"].items(), strict=False):
        part = one["direction"]
        for label, values in zip(part["labels"], part["values"], strict=True):
            ax.plot(STEPS, values, color=CLASSES[label % len(CLASSES)], label=str(label))
        ax.set(title=f"{name} of what is decoded", xlabel="step", ylabel=_UNITS[name])
    for name, one in found["moves"].items():
        for kind, line in (("direction", "-"), ("random", ":")):
            label = name if kind == "direction" else f"{name}, random direction"
            color = CLASSES[0] if name == "thickness" else CLASSES[2]
            grid[0, 2].plot(STEPS, one[kind]["kept"], line, color=color, label=label)
    grid[0, 2].set(title="share of classes kept", xlabel="step", ylim=(None, 1.02))
    grid[0, 2].legend(fontsize=7)
    grid[0, 0].legend(fontsize=7, ncols=2, title="digit", title_fontsize=7)
    shares = np.linspace(0, 1, BETWEEN)
    titles = {
        "confidence": "probability of the likeliest class",
        "distance": "distance to the nearest image",
        "length": "length of the code",
    }
    for ax, (number, title) in zip(grid[1], titles.items(), strict=True):
        for color, (name, seeds) in zip(CLASSES, found["between"].items(), strict=False):
            for index, one in enumerate(seeds):
                ax.plot(shares, one[number], color=color, label=None if index else name)
        ax.set(title=title, xlabel="share of the way")
        ax.legend(fontsize=7)
    return figure
