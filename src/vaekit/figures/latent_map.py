"""A map of the codes: where examples lie in the latent space.

Two latent dimensions are drawn as they are, over the circles at one and two standard
deviations of the standard normal prior; one is drawn as a histogram, with the density of
the prior; more are projected onto their two principal directions, the first right singular
vectors of the centred codes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Patch

from vaekit.errors import DataError
from vaekit.figures.style import CLASSES, INK, MODEL, dimension_name, round_ticks, styled

_MARKERS = "o^sD"  # a fresh shape once the colours are used up
_OBLONG = 5.0  # a unit of both axes has one length, unless a thin line would be left to see
_MOST_CLASSES = len(_MARKERS) * len(CLASSES)


class Groups(NamedTuple):
    """Which class each code is drawn as."""

    members: Integer[np.ndarray, " n"]
    names: list[str]


@styled
def latent_map(
    codes: np.ndarray,
    labels: np.ndarray | None = None,
    class_names: Sequence[str] | None = None,
    prior: bool = True,
) -> Figure:
    """Draws codes as points (one dimension: as a histogram), coloured by label.

    Args:
        codes: Embeddings (n, latent_dim).
        labels: Class of each code (n,), numbers or words; without, one colour shows density.
        class_names: Names of the labels 0, 1, ...
        prior: Whether to draw the standard normal prior of one or two dimensions.

    Raises:
        DataError: The codes or labels make no map.
    """
    _check(codes, labels, class_names)
    figure = Figure(figsize=(6.6, 3.4 if codes.shape[1] == 1 else 5.0), layout="constrained")
    ax = figure.add_subplot()
    groups = _groups(labels, class_names, len(codes))
    draw = _histogram if codes.shape[1] == 1 else _scatter
    handles = draw(ax, codes.astype(float), groups, prior)
    if handles:
        columns = 1 + len(handles) // 18
        figure.legend(handles=handles, loc="outside right upper", ncols=columns, handlelength=1.2)
    ax.xaxis.set_major_locator(round_ticks(8))
    ax.yaxis.set_major_locator(round_ticks(8))
    return figure


def _check(codes: np.ndarray, labels: np.ndarray | None, class_names: Sequence[str] | None) -> None:
    if codes.ndim != 2 or codes.shape[0] < 2 or codes.shape[1] < 1:
        raise DataError(
            "These codes cannot be mapped.",
            expected="shape (n, latent_dim) with n of at least 2",
            found=f"shape {codes.shape}",
            remedy="flatten the latent dimensions of an example into one",
        )
    if not np.isfinite(codes).all():
        raise DataError(
            "Some codes are not finite numbers.",
            found=f"{(~np.isfinite(codes).all(axis=1)).sum()} of {len(codes)} examples",
            remedy="leave them out, and look for what makes the encoder overflow",
        )
    if labels is None:
        return
    if labels.shape != codes.shape[:1]:
        raise DataError(
            "Labels do not fit the codes.",
            expected=f"shape {codes.shape[:1]}",
            found=f"shape {labels.shape}",
            remedy="pass one label per code",
        )
    if class_names is not None and not set(labels.tolist()) <= set(range(len(class_names))):
        raise DataError(
            "Labels do not fit their names.",
            expected=f"whole numbers from 0 to {len(class_names) - 1}",
            found=f"labels from {labels.min()} to {labels.max()}",
            remedy="give one name per label, or none",
        )


def _groups(labels: np.ndarray | None, class_names: Sequence[str] | None, n: int) -> Groups:
    """The classes in their own order; more than can be told apart become one."""
    if labels is None:
        return Groups(np.zeros(n, int), [""])
    values, index = np.unique(labels, return_inverse=True)
    if len(values) > _MOST_CLASSES:
        return Groups(np.zeros(n, int), [f"{len(values)} classes, one colour"])
    names = [str(v) if class_names is None else class_names[int(v)] for v in values.tolist()]
    return Groups(index, names)


def _color(groups: Groups, group: int) -> str:
    return MODEL if len(groups.names) == 1 else CLASSES[group % len(CLASSES)]


# -- two dimensions and more -------------------------------------------------------------------


def _scatter(
    ax: Axes, codes: Float[np.ndarray, "n latent"], groups: Groups, prior: bool
) -> list[Artist]:
    is_plane = codes.shape[1] == 2
    points, names = (
        (codes, (dimension_name(0), dimension_name(1))) if is_plane else principal_components(codes)
    )
    _draw_points(ax, points, groups)
    ax.set(xlabel=names[0], ylabel=names[1])
    handles = _point_handles(groups)
    extent = np.ptp(points, axis=0)
    if (is_plane and prior) or extent.max() < _OBLONG * extent.min():
        ax.set_aspect("equal", adjustable="datalim")
    if is_plane and prior:
        for radius in (1, 2):
            ax.add_patch(Circle((0, 0), radius, fill=False, edgecolor=INK, linewidth=0.9, zorder=3))
        handles.append(
            Line2D([], [], color=INK, linewidth=0.9, label=r"p(z): $1\sigma$, $2\sigma$")
        )
    return handles


def principal_components(
    codes: Float[np.ndarray, "n latent"],
) -> tuple[Float[np.ndarray, "n 2"], tuple[str, str]]:
    """Codes along their two directions of largest variance, and what the axes are called."""
    centred = codes - codes.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    # A singular vector and its mirror image are equally right: the largest entry decides.
    largest = np.abs(directions).argmax(axis=1)
    directions *= np.sign(directions[np.arange(len(largest)), largest])[:, None]
    shares = 100 * singular**2 / max(np.sum(singular**2), np.finfo(float).tiny)
    first, second = (f"PC {i + 1} ({shares[i]:.0f} % of variance)" for i in range(2))
    return centred @ directions[:2].T, (first, second)


def _draw_points(ax: Axes, points: Float[np.ndarray, "n 2"], groups: Groups) -> None:
    """In a shuffled order, so that no class hides the others."""
    order = np.random.default_rng(0).permutation(len(points))
    colors = np.array([_color(groups, i) for i in range(len(groups.names))])
    crowd = max(1.0, len(points) / 200)
    size, alpha = 16 * crowd**-0.3, 0.9 * crowd ** (-0.4 if len(groups.names) == 1 else -0.15)
    for shape in range(-(-len(groups.names) // len(CLASSES))):
        chosen = order[groups.members[order] // len(CLASSES) == shape]
        ax.scatter(
            *points[chosen].T,
            c=colors[groups.members[chosen]],
            s=size,
            alpha=alpha,
            marker=_MARKERS[shape],
            linewidths=0,
            rasterized=True,  # thousands of points would make a heavy SVG
        )


def _point_handles(groups: Groups) -> list[Artist]:
    return [
        Line2D(
            [],
            [],
            linestyle="",
            marker=_MARKERS[i // len(CLASSES)],
            markersize=5.5,
            markeredgewidth=0,
            color=_color(groups, i),
            label=name,
        )
        for i, name in enumerate(groups.names)
        if name
    ]


# -- one dimension -----------------------------------------------------------------------------


def _histogram(
    ax: Axes, codes: Float[np.ndarray, "n 1"], groups: Groups, prior: bool
) -> list[Artist]:
    values = codes[:, 0]
    classes = range(len(groups.names))
    ax.hist(
        [values[groups.members == i] for i in classes],
        bins=min(80, max(10, round(len(values) ** 0.5))),
        density=True,
        stacked=True,
        color=[_color(groups, i) for i in classes],
    )
    ax.set(xlabel="z", ylabel="density")
    ax.grid(axis="x", visible=False)
    handles: list[Artist] = [
        Patch(color=_color(groups, i), label=name) for i, name in enumerate(groups.names) if name
    ]
    if prior:
        z = np.linspace(min(-3.0, values.min()), max(3.0, values.max()), 400)
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        handles += ax.plot(z, density, color=INK, linewidth=1.2, label="p(z)")
    return handles
