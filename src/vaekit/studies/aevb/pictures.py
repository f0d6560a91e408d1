"""The figures of the study: cells in, matplotlib figures out."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vaekit.figures.style import CLASSES, MUTED, round_ticks, styled
from vaekit.studies.aevb.cells import Data
from vaekit.studies.aevb.findings import DATA_NAMES, Findings, Numbers
from vaekit.studies.aevb.tables import NAMES

COLORS: Final = {"aevb": CLASSES[0], "wake_sleep": CLASSES[2], "mcem": "#3a8f4a"}
_LINES: Final[dict[str, Any]] = {"train": "-", "test": (0, (3, 1.5))}
_MARGIN, _LATE = 0.1, 0.1
QUICK_WORDS: Final = "QUICK RUN: too short to judge. "


@styled
def bound_curves(found: Findings, quick: bool) -> Figure:
    """The second figure: bounds over training samples, a panel for each latent size."""
    panels: dict[Data, list[int]] = {
        data: [
            latent
            for latent in found.latents(data)
            if found.cell(data, latent, "wake_sleep", "adagrad")
        ]
        for data in DATA_NAMES
    }
    rows: dict[Data, list[int]] = {data: latents for data, latents in panels.items() if latents}
    columns = max(map(len, rows.values()))
    figure = Figure(figsize=(9, 2.5 * len(rows) + 0.6), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for row, (data, latents) in zip(grid, rows.items(), strict=True):
        for ax, latent in zip(row, latents, strict=False):
            cells = found.of(lambda c, d=data, z=latent: (c["data"], c["latent"]) == (d, z))
            _draw(ax, cells)
            ax.set_title(f"{DATA_NAMES[data]}, {latent} latent")
        for ax in row[len(latents) :]:
            ax.set_axis_off()
        row[0].set_ylabel("bound, nats per image")
    figure.supxlabel("training samples evaluated", fontsize=9, color=MUTED)
    methods = sorted({c["method"] for c in found.of()})
    _legend(figure, ("aevb", "wake_sleep"), quick, "adam" in methods)
    return figure


@styled
def likelihood_curves(found: Findings, quick: bool) -> Figure:
    """The third figure: estimated marginal likelihoods."""
    cells = found.of(likelihood=True)
    sizes = sorted({cell["images"] for cell in cells})
    figure = Figure(figsize=(max(4.4 * len(sizes), 6.0), 3.6), layout="constrained")
    grid = figure.subplots(1, len(sizes), squeeze=False)[0]
    for ax, images in zip(grid, sizes, strict=True):
        _draw(ax, [cell for cell in cells if cell["images"] == images])
        ax.set_title(f"{images:,} training images")
        ax.set_xlabel("training samples evaluated")
    grid[0].set_ylabel("log p(x), nats per image")
    there = [name for name in NAMES if any(c["algorithm"] == name for c in cells)]
    _legend(figure, there, quick, False)
    return figure


@styled
def mosaics(
    sheets: Mapping[str, tuple[np.ndarray, int]], title: str, columns: int, quick: bool
) -> Figure:
    """Sheets of images without gaps, side by side.

    Args:
        sheets: Images (n, channels, height, width) in [0, 1] and how many stand in a row, by
            what is written above them.
        title: Above all of them.
        columns: Sheets in a row.
        quick: Whether the models were hardly trained.
    """
    rows = -(-len(sheets) // columns)
    shapes = [_mosaic(images, across).shape for images, across in sheets.values()]
    tallest = max(height / width for height, width in shapes)
    width = 9 / columns
    figure = Figure(figsize=(9, rows * (width * tallest + 0.3) + 0.35), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for ax, (name, (images, across)) in zip(grid, sheets.items(), strict=False):
        ax.imshow(_mosaic(images, across), "gray", vmin=0, vmax=1, interpolation="antialiased")
        ax.set_title(name)
        ax.set_anchor("N")
    for ax in grid:
        ax.set_axis_off()
    for ax in figure.axes:
        ax.set_axis_off()
    figure.suptitle((QUICK_WORDS if quick else "") + title, x=0.012, ha="left", fontsize=9.5)
    return figure


def _mosaic(images: np.ndarray, across: int) -> np.ndarray:
    n, _, height, width = images.shape
    down = -(-n // across)
    blank = np.ones((down * across, height, width))
    blank[:n] = images[:, 0]
    blank = blank.reshape(down, across, height, width)
    return blank.transpose(0, 2, 1, 3).reshape(down * height, across * width)


def _draw(ax: Axes, cells: Sequence[Numbers]) -> None:
    """Training and test curves of all cells; the limits are those of what comes later."""
    later: list[float] = []
    for cell in cells:
        curve, adam = cell["curve"], cell["method"] == "adam"
        samples = np.array(curve["samples"], dtype=float)
        for split, line in _LINES.items():
            values = np.array(curve[split])
            ax.plot(
                samples,
                values,
                color=COLORS[cell["algorithm"]],
                linestyle=line,
                linewidth=0.9 if adam else 1.6,
                alpha=0.5 if adam else 1.0,
            )
            later += values[samples >= _LATE * samples[-1]].tolist()
    ax.set_xscale("log")
    low, high = min(later), max(later)
    margin = _MARGIN * (high - low) or 1.0
    ax.set_ylim(low - margin, high + margin)
    ax.yaxis.set_major_locator(round_ticks(6))
    ax.grid(axis="x", visible=False)


def _legend(figure: Figure, algorithms: Sequence[str], quick: bool, adam: bool) -> None:
    handles = [
        Line2D([], [], color=COLORS[name], linestyle=line, label=f"{NAMES[name]}, {split}")
        for name in algorithms
        for split, line in _LINES.items()
    ]
    if adam:
        handles.append(Line2D([], [], color=MUTED, linewidth=0.9, alpha=0.7, label="thin: Adam"))
    columns = 5 if len(handles) <= 5 else 3
    title = QUICK_WORDS if quick else None
    figure.legend(handles=handles, loc="outside upper left", ncols=columns, title=title, fontsize=8)
