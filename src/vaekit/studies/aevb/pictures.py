"""The figures of the study: cells in, matplotlib figures out."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import UInt8
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
def side_by_side(sheets: Mapping[str, UInt8[np.ndarray, "_ _"]], title: str, quick: bool) -> Figure:
    """Sheets of images in a row, all of one height.

    Args:
        sheets: Grey levels, by what is written above them.
        title: Above all of them.
        quick: Whether the models were hardly trained.
    """
    shapes = [sheet.shape[1] / sheet.shape[0] for sheet in sheets.values()]
    figure = Figure(figsize=(9, 9 / max(sum(shapes), 1.5) + 0.6), layout="constrained")
    grid = figure.subplots(1, len(sheets), squeeze=False, width_ratios=shapes)[0]
    for ax, (name, sheet) in zip(grid, sheets.items(), strict=True):
        ax.imshow(sheet, "gray", vmin=0, vmax=255, interpolation="antialiased")
        ax.set_title(name)
        ax.set_axis_off()
    figure.suptitle((QUICK_WORDS if quick else "") + title, x=0.012, ha="left", fontsize=9.5)
    return figure


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
