"""What all scores take: codes of examples, and the known factors behind these examples."""

from typing import TypeAlias

import numpy as np
from jaxtyping import Float64, Int64

from vaekit.errors import DataError

Codes: TypeAlias = Float64[np.ndarray, "examples latent"]
"""One deterministic code per example, such as the posterior mean."""
FactorValues: TypeAlias = Int64[np.ndarray, "examples factors"]
"""Which of its values each factor takes."""


def check(codes: Codes, factors: FactorValues) -> None:
    """Refuses what no score is defined for.

    Raises:
        DataError: Saying what is missing.
    """
    if len(codes) < 2 or codes.shape[1] == 0 or not np.isfinite(codes).all():
        raise DataError(
            "Disentanglement is measured on codes.",
            expected="finite numbers, for at least two examples",
            found=f"shape {codes.shape}",
        )
    fixed = [int(k) for k in range(factors.shape[1]) if len(np.unique(factors[:, k])) < 2]
    if fixed or factors.shape[1] == 0:
        raise DataError(
            "A factor that never changes cannot be found in a code.",
            where=f"factors, columns {fixed}" if fixed else "factors",
            expected="two values or more of every factor",
            remedy="give more examples, or leave the factor out",
        )


def halves(count: int, seed: int) -> tuple[Int64[np.ndarray, " some"], Int64[np.ndarray, " rest"]]:
    """Examples to fit on, and as many others to score on, by chance."""
    order = np.random.default_rng(seed).permutation(count)
    return order[: count // 2], order[count // 2 :]
