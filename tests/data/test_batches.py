"""The order of training: a function of (seed, epoch), each example once, any batch at any time."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaekit.data import Batches, InMemorySplit, Rows, ShardedSplit, Split
from vaekit.errors import DataError

Stream = Callable[..., tuple[ShardedSplit, list[int]]]


def numbers(count: int) -> InMemorySplit:
    return InMemorySplit(torch.arange(count)[:, None], torch.arange(count))


def epoch_of(batches: Batches, epoch: int) -> list[int]:
    parts = [batches(epoch, index).x.flatten() for index in range(batches.steps_per_epoch)]
    return torch.cat(parts).tolist()


@pytest.fixture(params=["memory", "stream", "stream of small shards"])
def split(request: pytest.FixtureRequest, stream: Stream) -> Split:
    if request.param == "memory":
        return numbers(24)
    return stream(7, 9, 8)[0] if request.param == "stream" else stream(1, 2, 1, 9, 3, 2, 6)[0]


def test_each_example_once_per_epoch(split: Split) -> None:
    batches = Batches(split, 4, seed=0, device="cpu")
    assert sorted(epoch_of(batches, 0)) == list(range(24))
    assert epoch_of(batches, 0) != list(range(24))


def test_a_smaller_last_batch_is_dropped(split: Split) -> None:
    batches = Batches(split, 7, seed=0, device="cpu")
    assert batches.steps_per_epoch == 3
    seen = epoch_of(batches, 0)
    assert len(seen) == len(set(seen)) == 21


def test_any_batch_at_any_time(split: Split) -> None:
    in_order = Batches(split, 5, seed=3, device="cpu")
    expected = {(epoch, i): in_order(epoch, i) for epoch in range(2) for i in range(4)}
    jumping = Batches(split, 5, seed=3, device="cpu")
    for epoch, index in [(1, 3), (0, 2), (1, 0), (0, 0), (1, 2)]:
        found = jumping(epoch, index)
        assert torch.equal(found.x, expected[epoch, index].x)
        assert torch.equal(found.x.flatten(), label_of(found))


def label_of(rows: Rows) -> torch.Tensor:
    assert rows.labels is not None
    return rows.labels


def test_seeds_and_epochs_differ(split: Split) -> None:
    orders = [epoch_of(Batches(split, 6, s, "cpu"), e) for s in (0, 1) for e in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4


def test_order_does_not_touch_global_noise(split: Split) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    epoch_of(Batches(split, 6, 0, "cpu"), 0)
    assert torch.equal(torch.rand(3), expected)


@given(st.integers(1, 40), st.data())
def test_every_size_of_batch(count: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, count))
    batches = Batches(numbers(count), size, seed=1, device="cpu")
    seen = epoch_of(batches, 2)
    assert len(seen) == len(set(seen)) == count // size * size


@pytest.mark.parametrize("size", [0, 25])
def test_batch_that_does_not_fit_is_refused(split: Split, size: int) -> None:
    with pytest.raises(DataError, match=r"training\.batch_size to 24 or less"):
        Batches(split, size, seed=0, device="cpu")


def test_batch_behind_the_epoch_is_refused(split: Split) -> None:
    with pytest.raises(IndexError, match="epoch with 4"):
        Batches(split, 6, seed=0, device="cpu")(0, 4)


def test_rows_are_mixed_uniformly_in_memory() -> None:
    # Every example is first equally often: 2000 epochs of 10 examples, 200 expected each with
    # standard deviation sqrt(2000 * 0.1 * 0.9) = 13.4; six of them, for ten counts, fail once
    # in 5e7 draws of the seed.
    batches = Batches(numbers(10), 1, seed=0, device="cpu")
    first = torch.tensor([batches(epoch, 0).x.item() for epoch in range(2000)]).long()
    assert (torch.bincount(first, minlength=10) - 200).abs().max() < 81


def test_shards_of_one_size_have_orders_of_their_own(stream: Stream) -> None:
    seen = epoch_of(Batches(stream(8, 8, 8)[0], 8, seed=0, device="cpu"), 0)
    orders = {tuple(value % 8 for value in seen[start : start + 8]) for start in (0, 8, 16)}
    assert len(orders) == 3


def test_a_jump_reads_only_the_shards_of_its_batch(stream: Stream) -> None:
    split, log = stream(10, 10, 10, 10, 10)
    batches = Batches(split, 10, seed=0, device="cpu")
    wanted = {int(value) // 10 * 10 for value in batches(0, 3).x}
    assert set(log) == wanted
    assert len(log) == len(wanted) == 1


def test_a_stream_reads_each_shard_once_per_epoch(stream: Stream) -> None:
    split, log = stream(10, 10, 10, 10, 10)
    epoch_of(Batches(split, 4, seed=0, device="cpu"), 0)
    assert sorted(log) == [0, 10, 20, 30, 40]


def test_at_most_two_shards_in_memory(stream: Stream, peak: Callable[[], int]) -> None:
    split, log = stream(6, 6, 6, 6, 6)
    batches = Batches(split, 8, seed=0, device="cpu")
    for epoch in range(3):
        epoch_of(batches, epoch)
    assert len(log) > 6
    assert peak() == 2


@pytest.mark.gpu
def test_order_is_the_same_on_a_gpu() -> None:
    here, there = (Batches(numbers(50), 7, seed=0, device=d) for d in ("cpu", "cuda"))
    assert there(0, 2).x.is_cuda
    assert torch.equal(there(0, 2).x.cpu(), here(0, 2).x)
