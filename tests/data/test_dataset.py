"""A data set: its splits, and a fingerprint of content alone."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaekit.data import Dataset, InMemorySplit, Rows, Shard, ShardedSplit
from vaekit.errors import DataError
from vaekit.schema import Schema

SCHEMA = Schema(name="t", kind="vector", event_shape=(2,), dtype="float32", num_classes=3)
X = torch.arange(12, dtype=torch.float32).reshape(6, 2)
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])


def dataset(x: torch.Tensor = X, labels: torch.Tensor | None = LABELS) -> Dataset:
    test = InMemorySplit(X[:1], LABELS[:1])
    return Dataset("t", SCHEMA, {"train": InMemorySplit(x, labels), "test": test}, "here", "6/-/1")


class MemoryShard(Shard):
    def __init__(self, rows: Rows) -> None:
        super().__init__("memory", len(rows))
        self.rows = rows

    def read(self) -> tuple[np.ndarray, np.ndarray | None]:
        labels = None if self.rows.labels is None else self.rows.labels.numpy()
        return self.rows.x.numpy(), labels


def test_missing_split_lists_those_there_are() -> None:
    assert len(dataset().split("test")) == 1
    with pytest.raises(DataError, match="one of train, test"):
        dataset().split("validation")


@pytest.mark.parametrize(
    "splits",
    [
        {},
        {"train": InMemorySplit(X), "dev": InMemorySplit(X)},
        {"train": InMemorySplit(X), "test": InMemorySplit(X[:0])},
    ],
    ids=["none", "unknown", "empty"],
)
def test_wrong_splits_are_refused(splits: dict[str, InMemorySplit]) -> None:
    with pytest.raises(DataError, match="splits of a data set"):
        Dataset("t", SCHEMA, splits, "here", "?")


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_fingerprint_ignores_shards(cuts: list[int]) -> None:
    edges = sorted({0, 6, *cuts})
    rows = Rows(X, LABELS)
    shards = [MemoryShard(rows[a:b]) for a, b in pairwise(edges)]
    streamed = replace(
        dataset(), splits={**dataset().splits, "train": ShardedSplit(shards, SCHEMA)}
    )
    assert streamed.fingerprint == dataset().fingerprint


def test_fingerprint_ignores_names_and_sources() -> None:
    other = replace(
        dataset(),
        name="other",
        source="elsewhere",
        schema=SCHEMA.model_copy(update={"name": "other"}),
    )
    assert other.fingerprint == dataset().fingerprint


@pytest.mark.parametrize(
    "changed",
    [
        dataset(x=X + torch.eye(6, 2)),
        dataset(x=X.flip(0)),
        dataset(x=X[:5], labels=LABELS[:5]),
        dataset(labels=LABELS.flip(0)),
        dataset(labels=None),
        replace(dataset(), schema=SCHEMA.model_copy(update={"low": 0.0})),
        replace(dataset(), splits={"train": dataset().split("train")}),
        replace(
            dataset(),
            splits={
                "train": dataset().split("train"),
                "validation": dataset().split("test"),
            },
        ),
    ],
    ids=["value", "order", "count", "labels", "no labels", "schema", "split", "name of split"],
)
def test_fingerprint_sees_every_change(changed: Dataset) -> None:
    assert changed.fingerprint != dataset().fingerprint


def test_fingerprint_has_one_nan_and_one_zero() -> None:
    schema = SCHEMA.model_copy(update={"num_classes": None, "missing": "nan"})
    bits = torch.tensor([[0x7FC00000, 0], [-0x400000 + 1, -0x80000000]], dtype=torch.int64)
    values = bits.to(torch.int32).view(torch.float32)
    assert values.isnan()[:, 0].all()
    alike = [
        Dataset("t", schema, {"train": InMemorySplit(row[None])}, "here", "1/-/-") for row in values
    ]
    assert alike[0].fingerprint == alike[1].fingerprint


def test_fingerprint_is_pinned() -> None:
    # Written down once: a change of this value orphans the fingerprints in every artifact.
    assert dataset().fingerprint == (
        "8b0cdad1dcebf13046a398ec784b68c4ae5cdb3b048524d66fde9e940d652428"
    )
