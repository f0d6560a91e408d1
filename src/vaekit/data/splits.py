"""Rows of raw values, and the split of a data set they belong to.

A split is a sequence of shards: one, where everything is in memory, or many, where a data
set is larger than memory. Whoever reads it sees rows in their original order.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self, final

import torch
from jaxtyping import Float32, Int64, Shaped
from torch import Tensor

from vaekit.errors import DataError


@dataclass(frozen=True)
class Rows:
    """Some examples as they are stored: raw values in their own compact type.

    Args:
        x: Values.
        labels: Class of each example, where there are classes; -1 where it is not known.
        attributes: What else is known of each example, where something is.
    """

    x: Shaped[Tensor, "rows *event"]
    labels: Int64[Tensor, " rows"] | None = None
    attributes: Float32[Tensor, "rows attributes"] | None = None

    def __len__(self) -> int:
        return self.x.shape[0]

    def __getitem__(self, rows: slice) -> Self:
        return self._mapped(lambda column: column[rows])

    def take(self, index: Int64[Tensor, " taken"]) -> Self:
        """The rows at `index`, in that order."""
        # index_select is ten times faster than x[index] on a CPU.
        return self._mapped(lambda column: column.index_select(0, index))

    def to(self, device: torch.device | str) -> Self:
        """Moves every tensor."""
        return self._mapped(lambda column: column.to(device))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Puts parts behind each other; a single part is returned as it is."""
        if len(parts) == 1:
            return parts[0]
        labels = [part.labels for part in parts if part.labels is not None]
        attributes = [part.attributes for part in parts if part.attributes is not None]
        return cls(
            torch.cat([part.x for part in parts]),
            torch.cat(labels) if labels else None,
            torch.cat(attributes) if attributes else None,
        )

    def _mapped(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The same change to every column."""
        known = (self.labels, self.attributes)
        changed = (None if column is None else change(column) for column in known)
        return type(self)(change(self.x), *changed)


class Split(ABC):
    """The training, validation or test part of a data set."""

    @property
    @abstractmethod
    def shard_sizes(self) -> tuple[int, ...]:
        """Number of rows in each shard."""

    @property
    @abstractmethod
    def has_labels(self) -> bool:
        """Whether rows come with labels."""

    @abstractmethod
    def shard(self, index: int) -> Rows:
        """All rows of one shard."""

    @abstractmethod
    def to(self, device: torch.device | str) -> "Split":
        """The split on `device`, where it can be kept there; the split itself where not."""

    def __len__(self) -> int:
        return sum(self.shard_sizes)

    def rows(self, start: int, stop: int) -> Rows:
        """Rows `start` up to, but without, `stop`, in their original order."""
        if not 0 <= start < stop <= len(self):
            raise DataError(
                "These rows do not exist.",
                expected=f"0 <= start < stop <= {len(self)}",
                found=f"start = {start}, stop = {stop}",
            )
        spans = spans_of(self.shard_sizes, start, stop)
        return Rows.join([self.shard(index)[span] for index, span in spans])

    def blocks(self, rows_per_block: int) -> Iterator[Rows]:
        """All rows in their original order; the last block may be smaller."""
        for start in range(0, len(self), rows_per_block):
            yield self.rows(start, min(start + rows_per_block, len(self)))

    def labels(self) -> Int64[Tensor, " rows"] | None:
        """Every label in the original order."""
        if not self.has_labels:
            return None
        shards = (self.shard(index).labels for index in range(len(self.shard_sizes)))
        return torch.cat([labels for labels in shards if labels is not None])


@final
class InMemorySplit(Split):
    """A split held in memory, on the device its tensors are on.

    Args:
        x: Values.
        labels: Class of each example, where there are classes.
        attributes: What else is known of each example, in the order of the schema.
    """

    def __init__(
        self,
        x: Shaped[Tensor, "rows *event"],
        labels: Int64[Tensor, " rows"] | None = None,
        attributes: Float32[Tensor, "rows attributes"] | None = None,
    ) -> None:
        for what, column in (("label", labels), ("attribute", attributes)):
            if column is not None and len(column) != len(x):
                raise DataError(
                    f"{what.capitalize()}s do not match the examples.",
                    expected=f"{len(x)} {what}s",
                    found=len(column),
                    remedy=f"give one {what} per example",
                )
        self._rows = Rows(x, labels, attributes)

    @classmethod
    def of(cls, rows: Rows) -> Self:
        """The split that consists of `rows`."""
        return cls(rows.x, rows.labels, rows.attributes)

    @property
    def shard_sizes(self) -> tuple[int, ...]:
        return (len(self._rows),)

    @property
    def has_labels(self) -> bool:
        return self._rows.labels is not None

    def shard(self, index: int) -> Rows:
        return self._rows

    def to(self, device: torch.device | str) -> "InMemorySplit":
        return InMemorySplit.of(self._rows.to(device))


def spans_of(sizes: Sequence[int], start: int, stop: int) -> list[tuple[int, slice]]:
    """Where rows `start` to `stop` lie in a sequence of shards.

    Example:
        >>> spans_of([4, 4, 4], 3, 9)
        [(0, slice(3, 4, None)), (1, slice(0, 4, None)), (2, slice(0, 1, None))]
    """
    spans, first = [], 0
    for index, size in enumerate(sizes):
        span = slice(max(start - first, 0), min(stop - first, size))
        if span.start < span.stop:
            spans.append((index, span))
        first += size
    return spans
