"""Splits and data sets that several tests of this room use."""

import weakref
from collections.abc import Callable
from typing import final

import numpy as np
import pytest
import torch

from vaekit.data import Dataset, InMemorySplit, Shard, ShardedSplit
from vaekit.schema import Schema


@final
class CountedShard(Shard):
    """Rows first, first + 1, ...: says when it is read and how many shards are in memory."""

    alive: int = 0
    peak: int = 0
    test: int = 0
    """Which test counts: arrays of an earlier one may be freed late."""

    def __init__(self, first: int, size: int, log: list[int]) -> None:
        super().__init__(f"shard at {first}", size)
        self.first, self.log = first, log

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        self.log.append(self.first)
        x = np.arange(self.first, self.first + self.size, dtype=np.int64)[:, None]
        CountedShard.alive += 1
        CountedShard.peak = max(CountedShard.peak, CountedShard.alive)
        weakref.finalize(x, CountedShard._forget, CountedShard.test)
        return x, x[:, 0].copy()

    @staticmethod
    def _forget(test: int) -> None:
        CountedShard.alive -= test == CountedShard.test


@pytest.fixture
def stream() -> Callable[..., tuple[ShardedSplit, list[int]]]:
    """Makes a stream of the numbers 0, 1, ... in shards of the given sizes, and its log."""
    CountedShard.alive = CountedShard.peak = 0
    CountedShard.test += 1

    def make(*sizes: int) -> tuple[ShardedSplit, list[int]]:
        log: list[int] = []
        starts = np.cumsum([0, *sizes]).tolist()
        count = sum(sizes)
        schema = Schema(
            name="numbers", kind="vector", event_shape=(1,), dtype="int64", num_classes=count
        )
        shards = [
            CountedShard(start, size, log) for start, size in zip(starts, sizes, strict=False)
        ]
        return ShardedSplit(shards, schema), log

    return make


@pytest.fixture
def peak() -> Callable[[], int]:
    """The largest number of shards that were in memory at once."""
    return lambda: CountedShard.peak


@pytest.fixture(scope="session")
def bytes_set() -> Dataset:
    """A hundred 2 x 2 images that hold every byte."""
    x = (torch.arange(400) % 256).to(torch.uint8).reshape(100, 1, 2, 2)
    schema = Schema(
        name="bytes", kind="image", event_shape=(1, 2, 2), dtype="uint8", low=0, high=255
    )
    splits = {"train": InMemorySplit(x[:80]), "test": InMemorySplit(x[80:])}
    return Dataset("bytes", schema, splits, "made here", "80/-/20")
