"""Training batches whose order depends on (seed, epoch) and on nothing else.

Batch `index` of epoch `epoch` can be asked for at any time, in any order, so that training
resumes anywhere without remembering how it got there. Shards are shuffled, and rows inside
every shard; in memory there is one shard, and the shuffle is an exact uniform one.

Where few labels are known, a batch of random rows has hardly any. Its share of labelled rows can
then be fixed: an epoch goes once through the rows without a label, and as often as it takes
through those with one, in a new order every time.
"""

from functools import lru_cache
from typing import final

import torch
from jaxtyping import Int64
from torch import Tensor

from vaekit.data.splits import InMemorySplit, Rows, Split, spans_of
from vaekit.errors import DataError
from vaekit.numerics import generator_for


@final
class Batches:
    """Shuffled batches of equal size; a last one that is smaller is dropped.

    In-memory data is moved to `device` once, in its compact type, and gathered there.

    Args:
        split: Where examples come from.
        batch_size: Examples per batch.
        seed: Seed of the order.
        device: Where batches are needed.
        labeled: So many rows of every batch, the last ones, have a label, and no others; where it
            is zero, labels play no part.

    Example:
        >>> from vaekit.data import InMemorySplit
        >>> batches = Batches(InMemorySplit(torch.arange(6)[:, None]), 3, seed=0, device="cpu")
        >>> sorted(torch.cat([batches(0, i).x for i in range(2)]).flatten().tolist())
        [0, 1, 2, 3, 4, 5]
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        seed: int,
        device: torch.device | str,
        labeled: int = 0,
    ) -> None:
        if not 1 <= batch_size <= len(split):
            raise DataError(
                "The batch does not fit the training split.",
                where="training.batch_size",
                expected=f"a size from 1 to {len(split)}, the number of training examples",
                found=batch_size,
                remedy=f"set training.batch_size to {len(split)} or less",
            )
        self.batch_size, self.device = batch_size, torch.device(device)
        self._split, self._seed = split.to(device), seed
        self._sizes = self._split.shard_sizes
        self._labeled = labeled
        if labeled:
            self._without, self._with = self._by_label(labeled)
        # An epoch's order of shards, and of the rows in the two that are in memory.
        self._shard_order = lru_cache(maxsize=1)(self._draw_shard_order)
        self._row_order = lru_cache(maxsize=2)(self._draw_row_order)

    @property
    def steps_per_epoch(self) -> int:
        """Number of full batches in an epoch."""
        if self._labeled:
            return len(self._without) // (self.batch_size - self._labeled)
        return len(self._split) // self.batch_size

    @property
    def is_streamed(self) -> bool:
        """Whether shards come and go; if not, all rows are on the device."""
        return not isinstance(self._split, InMemorySplit)

    def rows(self, epoch: int, index: int) -> Int64[Tensor, " batch"]:
        """Which rows batch `index` of epoch `epoch` consists of, of data that is not streamed."""
        if self._labeled:
            return self._mixed(epoch, index)
        start = index * self.batch_size
        return self._row_order(epoch, 0)[start : start + self.batch_size]

    def take(self, rows: Int64[Tensor, " batch"]) -> Rows:
        """The batch that consists of `rows`, of data that is not streamed."""
        return self._split.shard(0).take(rows)

    def __call__(self, epoch: int, index: int) -> Rows:
        """Batch `index` of epoch `epoch`; both count from 0."""
        if not 0 <= index < self.steps_per_epoch:
            raise IndexError(f"batch {index} of an epoch with {self.steps_per_epoch}")
        if self._labeled:
            return self.take(self.rows(epoch, index))
        shards = self._shard_order(epoch)
        start = index * self.batch_size
        spans = spans_of([self._sizes[i] for i in shards], start, start + self.batch_size)
        parts = [self._take(epoch, shards[position], span) for position, span in spans]
        return Rows.join(parts).to(self.device)

    def _by_label(self, labeled: int) -> tuple[Tensor, Tensor]:
        """The rows without a label, and those with one."""
        known = self._split.labels()
        known = torch.zeros(len(self._split), dtype=torch.bool) if known is None else known >= 0
        without, has = (rows.nonzero().flatten() for rows in (~known, known))
        if self.is_streamed or not len(has) or not 0 < self.batch_size - labeled <= len(without):
            raise DataError(
                "Batches cannot be mixed of examples with and without labels.",
                where="training.batch_size",
                expected="data in memory, with labels for some, and a part of every batch for "
                "each kind",
                found=f"{len(has):,} with and {len(without):,} without a label; {labeled} and "
                f"{self.batch_size - labeled} of a batch",
            )
        return without, has

    def _mixed(self, epoch: int, index: int) -> Int64[Tensor, " batch"]:
        size = self.batch_size - self._labeled
        order = self._row_order(epoch, 0)[index * size : (index + 1) * size]
        first = (epoch * self.steps_per_epoch + index) * self._labeled
        last = first + self._labeled
        rounds = range(first // len(self._with), -(-last // len(self._with)))
        turns = [self._permutation(len(self._with), "labeled", turn) for turn in rounds]
        skipped = rounds.start * len(self._with)
        turn = torch.cat(turns)[first - skipped : last - skipped].to(self._with.device)
        return torch.cat([self._without[order], self._with[turn]])

    def _take(self, epoch: int, shard: int, span: slice) -> Rows:
        return self._split.shard(shard).take(self._row_order(epoch, shard)[span])

    def _draw_shard_order(self, epoch: int) -> list[int]:
        return self._permutation(len(self._sizes), epoch).tolist()

    def _draw_row_order(self, epoch: int, shard: int) -> Int64[Tensor, " rows"]:
        size = len(self._without) if self._labeled else self._sizes[shard]
        order = self._permutation(size, epoch, shard)
        return order.to(self._split.shard(shard).x.device)

    def _permutation(self, size: int, *keys: int | str) -> Int64[Tensor, " size"]:
        # Drawn on the CPU: the order is then the same whatever the device.
        return torch.randperm(size, generator=generator_for(self._seed, "order", *keys))
