"""What the page knows of a version beside the model: examples, their codes, and usual scores."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, final

import numpy as np
from jaxtyping import Float, Shaped

from vaekit.artifacts import Examples, Reference
from vaekit.runtime import Runtime
from vaekit.serving.look.plane import Plane, plane_of
from vaekit.serving.models import Served
from vaekit.serving.refusals import NotServedError

FIRST: Final = 24
"""Examples that can be chosen to walk between."""
UNUSUAL: Final = {"elbo_nats": "0.01", "expected_log_likelihood_nats": "0.01", "mse": "0.99"}
"""The quantile of held-out scores beyond which an example counts as unusual: below it for what is
better when larger, above it for errors."""


@final
class Shown:
    """Held-out examples of a model, seen by it.

    Args:
        runtime: The model.
        reference: Scores and codes of held-out data.
        examples: Some of that data, where the artifact has it.
    """

    def __init__(self, runtime: Runtime, reference: Reference, examples: Examples | None) -> None:
        self.runtime, self.reference, self._examples = runtime, reference, examples

    @property
    def x(self) -> Shaped[np.ndarray, "examples *event"] | None:
        """The examples, raw."""
        return None if self._examples is None else self._examples.x

    @property
    def labels(self) -> list[int]:
        """Their classes; none where they are unknown."""
        known = None if self._examples is None else self._examples.labels
        return [] if known is None else known.tolist()

    @cached_property
    def codes(self) -> Float[np.ndarray, "examples latent"]:
        """Their codes; one, the mean of held-out codes, where there are no examples."""
        if self._examples is None:
            return np.asarray(self.reference.latent.mean, np.float32)[None]
        return self.runtime.encode(self._examples.x, self._examples.condition or None)

    @cached_property
    def plane(self) -> Plane:
        """Where codes are looked at."""
        return plane_of(self.codes)


def level(reference: Reference, name: str, value: float) -> float | None:
    """The share of held-out examples with a smaller score, to the levels that are known."""
    known = reference.scores.get(name)
    if known is None or not np.isfinite(value):
        return None
    levels = sorted((float(at), quantile) for at, quantile in known.quantiles.items())
    return float(np.interp(value, [q for _, q in levels], [at for at, _ in levels]))


def unusual(reference: Reference, scores: Mapping[str, Any]) -> list[str]:
    """Which scores lie where one held-out example in a hundred does, or farther out."""
    found = []
    for name, at in UNUSUAL.items():
        if name not in scores or name not in reference.scores:
            continue
        limit, value = reference.scores[name].quantiles[at], float(scores[name])
        if value > limit if at == "0.99" else not value >= limit:
            found.append(name)
    return found


def shown_of(served: Served) -> Shown:
    """What the page shows of a version.

    Raises:
        NotServedError: It came from no artifact.
    """
    about = served.about
    if about is None:
        raise NotServedError(f"Nothing is known of {served.name} beside the model itself.")
    return Shown(served.engine.runtime, about.reference, about.folder.examples)
