"""`reference.json`: how the model sees held-out data, for thresholds and for drift.

Everything was computed the way `score` and `encode` compute it: raw examples presented by the
transform's expectation, with the seed and the number of samples that are stated.
"""

from collections.abc import Mapping
from typing import Final, final

import numpy as np
from pydantic import Field

from vaekit.errors import ArtifactError
from vaekit.spec import Spec

LEVELS: Final = (
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999,
)  # fmt: skip
BINS: Final = 40


@final
class Histogram(Spec):
    """Counts between edges; there is one more edge than there are counts."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@final
class ScoreDistribution(Spec):
    """One quantity over the examples."""

    mean: float
    std: float
    quantiles: dict[str, float] = Field(description="By level, as in '0.05'.")
    histogram: Histogram
    not_finite: int = Field(default=0, description="Examples left out: their score is no number.")

    @classmethod
    def of(cls, values: np.ndarray) -> "ScoreDistribution":
        """The distribution of a quantity.

        Raises:
            ArtifactError: Nothing in it is a finite number.

        Example:
            >>> ScoreDistribution.of(np.arange(11.0)).quantiles["0.9"]
            9.0
        """
        given = np.asarray(values, dtype=np.float64)
        values = given[np.isfinite(given)]
        if len(values) == 0:
            raise ArtifactError(
                "The model gives no held-out example a finite score, so it is not exported.",
                expected="finite numbers",
                found=f"{len(given)} others",
                remedy="look at the loss curves, and train again with a smaller learning rate",
            )
        counts, edges = np.histogram(values, bins=BINS)
        return cls(
            mean=float(values.mean()),
            std=float(values.std()),
            quantiles={str(level): float(np.quantile(values, level)) for level in LEVELS},
            histogram=Histogram(edges=tuple(edges.tolist()), counts=tuple(map(int, counts))),
            not_finite=len(given) - len(values),
        )


@final
class LatentMoments(Spec):
    """The codes, one number per latent dimension."""

    mean: tuple[float, ...] = Field(description="Mean of the codes (posterior means).")
    std: tuple[float, ...] = Field(description="Their standard deviation over examples.")
    posterior_variance: tuple[float, ...] | None = Field(
        description="Mean variance of q(z | x); absent where it has no closed form."
    )


@final
class Reference(Spec):
    """Everything in `reference.json`."""

    split: str
    examples: int
    seed: int
    num_samples: int
    scores: dict[str, ScoreDistribution]
    latent: LatentMoments

    @staticmethod
    def distributions(scores: Mapping[str, np.ndarray]) -> dict[str, ScoreDistribution]:
        """The distribution of every quantity that `score` gave."""
        return {quantity: ScoreDistribution.of(values) for quantity, values in scores.items()}
