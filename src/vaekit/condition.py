"""What a model may be conditioned on, and how that becomes numbers.

A condition is known of an example beside its values: its class. A model sees c, all its
conditions side by side; a class is one-hot in it. This file is free of torch: a serving image
reads it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
from jaxtyping import Float32
from pydantic import Field

from vaekit.errors import SpecError
from vaekit.spec import Spec


@final
class Condition(Spec):
    """One of them.

    Example:
        >>> Condition(name="label", num_classes=3).encoded(2, 1).tolist()
        [[0.0, 0.0, 1.0]]
    """

    name: str
    num_classes: int = Field(ge=1, description="Classes are 0, ..., num_classes - 1.")
    optional: bool = Field(
        default=False,
        description="Whether the model finds it out by itself: what is asked of it may leave it "
        "out, and what is shown to it always does.",
    )

    @property
    def width(self) -> int:
        """How many numbers it takes in c."""
        return self.num_classes

    @property
    def in_words(self) -> str:
        """What can be said of it, as on a command line."""
        return f"{self.name}=0 to {self.name}={self.num_classes - 1}"

    def encoded(self, values: Any, n: int) -> Float32[np.ndarray, "n width"]:
        """Its part of c, for n examples.

        Args:
            values: A class for all of them, or one for each.
            n: Number of examples.

        Raises:
            SpecError: They are no classes, or not as many as examples.
        """
        given = np.asarray(values)
        if given.ndim > 1 or (given.ndim == 1 and len(given) != n):
            raise SpecError(
                f"There is not one {self.name} for each example.",
                where=f"condition {self.name}",
                expected=f"one for all, or {n} of them",
                found=f"shape {given.shape}",
            )
        wrong = given.dtype.kind not in "buif" or bool(
            ((given < 0) | (given >= self.num_classes) | (given != np.round(given))).any()
        )
        if wrong:
            raise SpecError(
                f"The model does not know this {self.name}.",
                where=f"condition {self.name}",
                expected=f"whole numbers from 0 to {self.num_classes - 1}",
                found=values if given.size == 1 else _first_wrong(given, self.num_classes),
            )
        chosen = np.broadcast_to(given.astype(np.int64), (n,))
        return np.eye(self.num_classes, dtype=np.float32)[chosen]


def encoded(
    conditions: Sequence[Condition], given: Mapping[str, Any] | None, n: int, model: str
) -> Float32[np.ndarray, "n width"] | None:
    """c for n examples; None for a model that is conditioned on nothing.

    What is optional and not given is a row of zeros.

    Args:
        conditions: What the model is conditioned on.
        given: Values by name.
        n: Number of examples.
        model: What the model is called, for messages.

    Raises:
        SpecError: Something is missing, or unknown.
    """
    told = dict(given or {})
    for name in told:
        if name not in {condition.name for condition in conditions}:
            known = ", ".join(condition.in_words for condition in conditions)
            raise SpecError(
                f"The model {model} is not conditioned on {name!r}.",
                where=f"condition {name}",
                expected=known or "no condition",
                found=f"{name}={told[name]}",
            )
    for condition in conditions:
        if condition.name not in told and not condition.optional:
            raise SpecError(
                f"The model {model} needs to know the {condition.name} of what it is asked for.",
                where=f"condition {condition.name}",
                expected=condition.in_words,
                found="nothing",
                remedy=f"--condition {condition.name}=0, or condition={{{condition.name!r}: 0}}",
            )
    if not conditions:
        return None
    parts = [
        c.encoded(told[c.name], n) if c.name in told else np.zeros((n, c.width), np.float32)
        for c in conditions
    ]
    return np.concatenate(parts, axis=1)


def _first_wrong(given: np.ndarray, num_classes: int) -> Any:
    if given.dtype.kind not in "buif":
        return given.flat[0]
    return given[(given < 0) | (given >= num_classes) | (given != np.round(given))][0]
