"""The worst reconstructions: where the model fails, and by how much."""

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from vaekit.errors import DataError
from vaekit.figures.sheet import sheet
from vaekit.figures.style import MINUS, styled


@styled
def worst_reconstructions(
    originals: np.ndarray,
    reconstructed: np.ndarray,
    log_likelihood_nats: Float[np.ndarray, " n"],
    title: str | None = None,
    low: float = 0.0,
    high: float = 1.0,
) -> Figure:
    """Draws examples above their reconstructions, and below each its log p(x|z) in nats.

    Args:
        originals: Images (n, channels, height, width) with 1 or 3 channels, or vectors
            (n, features), the worst first.
        reconstructed: The same number in the same shape.
        log_likelihood_nats: What each reconstruction scored; a larger number is better.
        title: Text above.
        low: Value of an image drawn black.
        high: Value of an image drawn white.

    Raises:
        DataError: The arrays do not fit each other, or cannot be drawn.
    """
    if originals.shape != reconstructed.shape or len(log_likelihood_nats) != len(originals):
        raise DataError(
            "Reconstructions and their log-likelihoods do not fit the originals.",
            expected=f"shape {originals.shape}, and {len(originals)} log-likelihoods",
            found=f"shape {reconstructed.shape}, and {len(log_likelihood_nats)}",
            remedy="pass one of each per example",
        )
    captions = [f"{nats:,.1f}".replace("-", MINUS) for nats in log_likelihood_nats]
    both = {"original": originals, "reconstruction": reconstructed}
    return sheet(both, title, low, high, captions)
