"""What a model is shown: values, what they are conditioned on, and which were seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class Observation:
    """A batch of examples, in the space that the likelihood scores.

    Args:
        x: Values.
        c: What the model is conditioned on, one row per example; a class that is not known is a
            row of zeros.
        mask: True where a value was observed; absent when all were.
    """

    x: Float[Tensor, "batch *event"]
    c: Float[Tensor, "batch conditions"] | None = None
    mask: Bool[Tensor, "batch *event"] | None = None

    def __len__(self) -> int:
        return self.x.shape[0]

    def __getitem__(self, rows: slice) -> Self:
        c, mask = self.c, self.mask
        return type(self)(
            x=self.x[rows],
            c=None if c is None else c[rows],
            mask=None if mask is None else mask[rows],
        )

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Puts parts of one kind behind each other."""
        conditions = [part.c for part in parts if part.c is not None]
        masks = [part.mask for part in parts if part.mask is not None]
        return cls(
            x=torch.cat([part.x for part in parts]),
            c=torch.cat(conditions) if conditions else None,
            mask=torch.cat(masks) if masks else None,
        )

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> Self:
        """Moves every tensor; only `x` and `c` change their dtype."""
        c, mask = self.c, self.mask
        return type(self)(
            x=self.x.to(device, dtype),
            c=None if c is None else c.to(device, dtype),
            mask=None if mask is None else mask.to(device),
        )
