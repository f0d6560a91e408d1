"""A split that is larger than memory: shards on disk, at most two of them in memory."""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from typing import final

import numpy as np
import torch

from vaekit.data.checks import checked_rows
from vaekit.data.splits import Rows, Split
from vaekit.schema import Schema


class Shard(ABC):
    """One file of examples. Its size is known without reading the examples."""

    def __init__(self, name: str, size: int) -> None:
        self.name, self.size = name, size

    @abstractmethod
    def read(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Values of shape (size, *event_shape) and labels."""

    def attributes(self) -> np.ndarray | None:
        """What else is known of the examples, shape (size, attributes); read anew."""
        return None


@final
class ShardedSplit(Split):
    """A split that reads its shards when they are needed.

    Values are checked whenever a shard is read; the fingerprint, taken before training,
    reads every shard once.

    Args:
        shards: The files, in the order of their rows.
        schema: What every example must look like.
    """

    shards_in_memory = 2

    def __init__(self, shards: Sequence[Shard], schema: Schema) -> None:
        self._shards, self._schema = tuple(shards), schema
        self._loaded: OrderedDict[int, Rows] = OrderedDict()

    @property
    def shard_sizes(self) -> tuple[int, ...]:
        return tuple(shard.size for shard in self._shards)

    @property
    def has_labels(self) -> bool:
        return self._schema.num_classes is not None

    def shard(self, index: int) -> Rows:
        if index not in self._loaded:
            while len(self._loaded) >= self.shards_in_memory:
                self._loaded.popitem(last=False)  # before reading, so that two is the peak
            self._loaded[index] = self._read(self._shards[index])
        self._loaded.move_to_end(index)
        return self._loaded[index]

    def to(self, device: torch.device | str) -> "ShardedSplit":
        return self

    def _read(self, shard: Shard) -> Rows:
        x, labels = shard.read()
        return checked_rows(self._schema, x, labels, shard.name, shard.attributes())
