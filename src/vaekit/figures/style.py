"""Fonts, colours and sizes of every figure.

A figure is drawn for a page about 850 pixels wide: up to 9 inches at 150 dots per inch, so
that text of 9 points stays readable when the page scales it down.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

DPI = 150
MINUS = "\N{MINUS SIGN}"  # as long as a plus, which the hyphen is not
INK, MUTED, GRID, SHADE = "#24292f", "#6e7781", "#e7eaed", "#f1f3f5"
TRAINING, VALIDATION = "#5a97d6", "#c2410c"
ORIGINAL, MODEL = INK, "#2f7fd0"
MISSING = (0.93, 0.79, 0.66)
"""RGB of a value that is not a number: no shade of grey, so that it cannot pass for data."""

# Ten hues that stay apart under the common colour deficiencies and in print.
# Petroff (2021), Accessible Color Sequences for Data Visualization, https://arxiv.org/abs/2107.02270
CLASSES = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip

_SETTINGS: dict[str, Any] = {
    "figure.dpi": DPI,
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.06,
    "savefig.dpi": "figure",
    "image.composite_image": False,  # an SVG keeps each image as it is: smaller, faster, sharp
    "svg.hashsalt": "vaekit",  # identifiers of an SVG are random otherwise
    "font.size": 9,
    "text.color": INK,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.formatter.useoffset": False,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.borderpad": 0.2,
    "lines.linewidth": 1.5,
}

in_style = style.context(["default", _SETTINGS])
"""Decorator: in this style alone, whatever the reader's settings are, and leaving them be."""

_P = ParamSpec("_P")


def styled(draw: Callable[_P, Figure]) -> Callable[_P, Figure]:
    """Decorator of what draws a figure: in style, and laid out once and for all.

    A layout that is solved again whenever a figure is drawn moves by a hair each time.
    """

    @wraps(draw)
    @in_style
    def laid_out(*args: _P.args, **kwargs: _P.kwargs) -> Figure:
        figure = draw(*args, **kwargs)
        if figure.get_layout_engine() is not None:
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
        return figure

    return laid_out


def round_ticks(most: int, integer: bool = False) -> MaxNLocator:
    """From half of `most` to about `most` ticks, in steps of 1, 2 or 5 times a power of ten."""
    return MaxNLocator(most, integer=integer, steps=[1, 2, 5, 10], min_n_ticks=(most + 1) // 2)


def dimension_name(index: int) -> str:
    """What a latent dimension is called; they count from 0, as in arrays and results.

    Example:
        >>> dimension_name(17)
        '$z_{17}$'
    """
    return f"$z_{{{index}}}$"
