"""What callers hand in, checked: behind this door, values fit the model."""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias, final

import numpy as np
from jaxtyping import Float32

from vaekit.artifacts import Serving
from vaekit.condition import encoded
from vaekit.errors import DataError, SpecError

Condition: TypeAlias = Mapping[str, Any] | None
"""What is said of examples, by name: a class for all of them, or one for each."""
Conditions: TypeAlias = Float32[np.ndarray, "examples conditions"] | None
"""The same in numbers, as a model sees it."""


@final
class Door:
    """Checks what is handed in, and complains in words.

    Args:
        serving: What there is to know about the model.
    """

    def __init__(self, serving: Serving) -> None:
        self.serving = serving

    def examples(self, x: Any) -> np.ndarray:
        """Raw examples in the form of the schema."""
        return self.serving.form.fitted(_array(x, "x"))

    def codes(self, z: Any) -> np.ndarray:
        """Codes, in floating point."""
        codes, size = _array(z, "z"), self.serving.latent_dim
        if codes.shape == (size,):
            codes = codes[None]
        if codes.ndim != 2 or codes.shape[1] != size or codes.dtype.kind not in "buif":
            raise DataError(
                f"These are not codes of {self.serving.name}.",
                where="z",
                expected=f"numbers of shape (examples, {size})",
                found=f"{codes.dtype}, shape {codes.shape}",
                remedy="give what encode gave",
            )
        if not np.isfinite(codes).all():
            raise DataError("A code is not a finite number.", where="z", found="NaN or infinity")
        return codes.astype(np.promote_types(np.float32, codes.dtype), copy=False)

    def c(self, condition: Condition, n: int) -> Conditions:
        """Conditions of n examples that the model makes."""
        return encoded(self.serving.conditions, condition, n, self.serving.name)

    def c_beside(self, condition: Condition, n: int) -> Conditions:
        """Conditions of n examples that are shown: what the model finds out is not told."""
        inferred = {known.name for known in self.serving.conditions if known.optional}
        for name in inferred.intersection(condition or {}):
            raise SpecError(
                f"The model {self.serving.name} finds out the {name} of an example by itself.",
                where=f"condition {name}",
                expected="no condition, where an example is shown",
                remedy="leave the condition out; sample and decode take it",
            )
        return self.c(condition, n)

    def check_continuous(self, verb: str) -> None:
        """For verbs that walk from one code to another."""
        if self.serving.is_discrete:
            raise SpecError(
                f"The codes of this model are discrete: there is no way to {verb} between them.",
                where=self.serving.name,
                found=f"model.kind = {self.serving.model_kind!r}",
                remedy="reconstruct or sample, or train a model of kind 'vae'",
            )


def _array(values: Any, where: str) -> np.ndarray:
    try:
        return np.asarray(values)
    except ValueError as error:  # lists of unequal length
        raise DataError("This is not an array of numbers.", where=where, found=error) from error


def check_count(name: str, count: int, least: int, most: float = math.inf) -> None:
    """Complains of a number that is too small or too large."""
    if not least <= count <= most:
        limits = f"{least} or more" if most == math.inf else f"{least} to {most:,}"
        size = "small" if count < least else "large"
        raise SpecError(f"{name} is too {size}.", where=name, expected=limits, found=count)
