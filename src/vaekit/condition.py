"""What a model may be conditioned on, and how that becomes numbers.

A condition is known of an example beside its values: its class, or an attribute. A model sees c,
all its conditions side by side: a class is one-hot in it, and a number is standardised,

    c = (value - mean) / std,

by the moments of the training split. This file is free of torch: a serving image reads it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
from jaxtyping import Float32
from pydantic import Field

from vaekit.errors import SpecError
from vaekit.schema import Attribute
from vaekit.spec import Spec


@final
class Condition(Spec):
    """One of them: a class, or a number.

    Example:
        >>> Condition(name="label", num_classes=3).encoded(2, 1).tolist()
        [[0.0, 0.0, 1.0]]
        >>> Condition(name="weight", mean=60.0, std=10.0, low=40.0, high=90.0).encoded(75, 1)
        array([[1.5]], dtype=float32)
    """

    name: str = Field(pattern="^[^=]+$")
    num_classes: int | None = Field(
        default=None, ge=1, description="Classes are 0, ..., num_classes - 1; none for a number."
    )
    mean: float = Field(default=0.0, description="Of a number, over the training split.")
    std: float = Field(default=1.0, gt=0, description="Of a number, over the training split.")
    low: float | None = Field(default=None, description="Smallest number in training.")
    high: float | None = Field(default=None, description="Largest number in training.")
    optional: bool = Field(
        default=False,
        description="Whether the model finds it out by itself: what is asked of it may leave it "
        "out, and what is shown to it always does.",
    )

    @property
    def width(self) -> int:
        """How many numbers it takes in c."""
        return self.num_classes or 1

    @property
    def in_words(self) -> str:
        """What can be said of it, as on a command line."""
        if self.num_classes is not None:
            return f"{self.name}=0 to {self.name}={self.num_classes - 1}"
        if self.low is None or self.high is None:
            return f"{self.name}=NUMBER"
        return f"{self.name}={self.low:g} to {self.name}={self.high:g}"

    @property
    def example(self) -> float:
        """A value to show how it is said."""
        return 0 if self.num_classes is not None else float(f"{self.mean:.3g}")

    def encoded(self, values: Any, n: int) -> Float32[np.ndarray, "n width"]:
        """Its part of c, for n examples.

        Args:
            values: A class or number for all of them, or one for each.
            n: Number of examples.

        Raises:
            SpecError: They cannot be used, or are not as many as examples.
        """
        given = np.asarray(values)
        if given.ndim > 1 or (given.ndim == 1 and len(given) != n):
            raise SpecError(
                f"There is not one {self.name} for each example.",
                where=f"condition {self.name}",
                expected=f"one for all, or {n} of them",
                found=f"shape {given.shape}",
            )
        self._check(given)
        if self.num_classes is None:
            return self._standardized(np.broadcast_to(given, (n,)))[:, None]
        chosen = np.broadcast_to(given.astype(np.int64), (n,))
        return np.eye(self.num_classes, dtype=np.float32)[chosen]

    def _standardized(self, values: np.ndarray) -> Float32[np.ndarray, " n"]:
        # In float32 throughout, as in training: the same value, the same bits.
        with np.errstate(over="ignore"):
            c = (values.astype(np.float32) - np.float32(self.mean)) / np.float32(self.std)
        if np.isfinite(c).all():
            return c
        largest = values[int(np.abs(values.astype(np.float64)).argmax())]
        raise self._unknown(largest, "numbers that fit into 32 bits")

    def _check(self, given: np.ndarray) -> None:
        asked = Attribute(name=self.name, num_classes=self.num_classes)
        if given.dtype.kind not in "buif":
            raise self._unknown(given.flat[0] if given.size else given.dtype, asked.expected)
        wrong = asked.wrong(np.atleast_1d(given))
        if wrong.any():
            raise self._unknown(np.atleast_1d(given)[wrong][0], asked.expected)

    def _unknown(self, found: object, expected: str) -> SpecError:
        return SpecError(
            f"The model does not know this {self.name}.",
            where=f"condition {self.name}",
            expected=expected,
            found=found,
            remedy=f"{self.in_words} were seen in training",
        )


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
                remedy=_how_to_tell(conditions) if conditions else "leave the condition out",
            )
    for condition in conditions:
        if condition.name not in told and not condition.optional:
            raise SpecError(
                f"The model {model} needs to know the {condition.name} of what it is asked for.",
                where=f"condition {condition.name}",
                expected=condition.in_words,
                found="nothing",
                remedy=_how_to_tell(conditions),
            )
    if not conditions:
        return None
    parts = [
        c.encoded(told[c.name], n) if c.name in told else np.zeros((n, c.width), np.float32)
        for c in conditions
    ]
    return np.concatenate(parts, axis=1)


def _how_to_tell(conditions: Sequence[Condition]) -> str:
    examples = {condition.name: condition.example for condition in conditions}
    options = " ".join(f"--condition {name}={value:g}" for name, value in examples.items())
    return f"{options}, or condition={examples}"
