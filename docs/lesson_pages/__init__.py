"""The numbers that stand on the pages of lesson/, a file for each page."""

from collections.abc import Callable
from typing import Any, Final

from lesson_pages import contents, kl, one_step, pieces, reparameterisation

NUMBERS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "README.md": contents.numbers,
    "pieces.md": pieces.numbers,
    "reparameterisation.md": reparameterisation.numbers,
    "kl.md": kl.numbers,
    "one_step.md": one_step.numbers,
    "today.md": dict,
}
"""What fills the template of each page."""

FIGURES: Final = {
    "estimator_variances.png": reparameterisation.figure,
    "divergences.png": kl.figure,
}

__all__ = ["FIGURES", "NUMBERS"]
