"""`examples.safetensors`: a few held-out examples, where the data may be passed on.

x               raw examples
label           their classes, where they have some
condition.NAME  what a conditional model has to be told of them
"""

from typing import Self, final

import numpy as np
from jaxtyping import Int64, Shaped

_CONDITION = "condition."


@final
class Examples:
    """Raw examples, and what is known of them.

    Args:
        x: In the form of the schema.
        labels: A class for each, if there are classes.
        condition: What a conditional model is told of them, by name.
    """

    def __init__(
        self,
        x: Shaped[np.ndarray, "examples *event"],
        labels: Int64[np.ndarray, " examples"] | None = None,
        condition: dict[str, np.ndarray] | None = None,
    ) -> None:
        self.x, self.labels, self.condition = x, labels, condition or {}

    def to_bytes(self) -> bytes:
        """The content of the file: the same examples, the same bytes."""
        from safetensors.numpy import save  # whoever only opens an artifact does without

        told = {f"{_CONDITION}{name}": values for name, values in self.condition.items()}
        known = {} if self.labels is None else {"label": self.labels}
        arrays = {"x": self.x, **known, **told}
        return save({name: np.ascontiguousarray(values) for name, values in arrays.items()})

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """What lies in a file.

        Raises:
            ValueError: It is damaged, or has no examples.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            arrays = load(content)
        except SafetensorError as error:
            raise ValueError(str(error)) from error
        if "x" not in arrays:
            raise ValueError("no array x")
        told = {
            name.removeprefix(_CONDITION): values
            for name, values in arrays.items()
            if name.startswith(_CONDITION)
        }
        return cls(arrays["x"], arrays.get("label"), told)
