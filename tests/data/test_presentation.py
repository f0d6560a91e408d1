"""The fixed presentation: one draw, whatever is around it."""

from collections.abc import Callable

import pytest
import torch

from vaekit.data import (
    BinarizeSpec,
    Dataset,
    DequantizeSpec,
    InMemorySplit,
    ShardedSplit,
    Transform,
    present,
)
from vaekit.schema import Schema

SCHEMA = Schema(
    name="n", kind="vector", event_shape=(1,), dtype="int64", low=0, high=2499, num_classes=2500
)


def shown(split: InMemorySplit | ShardedSplit, transform: Transform, seed: int = 0) -> torch.Tensor:
    return torch.cat([block.x for block in present(split, transform, seed, "cpu")])


@pytest.fixture
def numbers() -> InMemorySplit:
    return InMemorySplit(torch.arange(2500)[:, None])


def test_order_is_original_and_blocks_are_whole(numbers: InMemorySplit) -> None:
    transform = DequantizeSpec().unfitted(SCHEMA)
    blocks = [len(block) for block in present(numbers, transform, 0, "cpu")]
    assert blocks == [1000, 1000, 500]
    assert torch.equal((shown(numbers, transform) * 2500).long().flatten(), torch.arange(2500))


def test_draw_is_fixed_by_its_seed_alone(
    numbers: InMemorySplit, stream: Callable[..., tuple[ShardedSplit, list[int]]]
) -> None:
    transform = BinarizeSpec().unfitted(SCHEMA)
    first = shown(numbers, transform)
    torch.rand(7)  # global noise plays no part
    assert torch.equal(first, shown(numbers, transform))
    assert torch.equal(first, shown(stream(300, 1500, 700)[0], transform))
    assert not torch.equal(first, shown(numbers, transform, seed=1))


def test_blocks_have_noise_of_their_own() -> None:
    same = InMemorySplit(torch.full((2000, 1), 1250))
    draws = shown(same, BinarizeSpec().unfitted(SCHEMA))
    assert not torch.equal(draws[:1000], draws[1000:])


def test_static_splits_are_prepared_where_they_were_not(bytes_set: Dataset) -> None:
    static = BinarizeSpec(protocol="static").build(bytes_set)
    split = bytes_set.split("test")
    raw = list(present(split, static, 0, "cpu"))
    prepared = list(present(static.prepare(split), static, 1, "cpu"))
    assert torch.equal(raw[0].x, prepared[0].x)


@pytest.mark.gpu
def test_draw_is_the_same_for_a_gpu(numbers: InMemorySplit) -> None:
    transform = BinarizeSpec().unfitted(SCHEMA)
    there = [block.x for block in present(numbers.to("cuda"), transform.to("cuda"), 0, "cuda")]
    assert there[0].is_cuda
    assert torch.equal(torch.cat(there).cpu(), shown(numbers, transform.cpu()))
