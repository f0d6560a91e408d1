"""Rows and splits: what is read is what was stored, whatever the shards."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaekit.data import InMemorySplit, Rows
from vaekit.data.splits import spans_of
from vaekit.errors import DataError

SPLIT = InMemorySplit(torch.arange(10, dtype=torch.uint8)[:, None], torch.arange(10))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.data())
def test_spans_cover_a_range_once_and_in_order(sizes: list[int], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, sum(sizes)))
    stop = data.draw(st.integers(start, sum(sizes)))
    places = [(shard, row) for shard, size in enumerate(sizes) for row in range(size)]
    spans = spans_of(sizes, start, stop)
    found = [(i, row) for i, span in spans for row in range(span.start, span.stop)]
    assert found == places[start:stop]


def test_rows_keep_their_type_and_order() -> None:
    rows = SPLIT.rows(3, 6)
    assert rows.x.dtype == torch.uint8
    assert rows.x.flatten().tolist() == [3, 4, 5]
    assert rows.labels is not None
    assert rows.labels.tolist() == [3, 4, 5]


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (2, 2), (0, 11)])
def test_rows_that_do_not_exist_are_refused(start: int, stop: int) -> None:
    with pytest.raises(DataError, match="10"):
        SPLIT.rows(start, stop)


@pytest.mark.usefixtures("unchecked_shapes")
def test_labels_have_to_match() -> None:
    with pytest.raises(DataError, match="3 labels"):
        InMemorySplit(torch.zeros(3, 1), torch.zeros(2, dtype=torch.int64))


def test_blocks_are_all_rows() -> None:
    blocks = list(SPLIT.blocks(4))
    assert [len(block) for block in blocks] == [4, 4, 2]
    assert torch.equal(Rows.join(blocks).x, SPLIT.rows(0, 10).x)


def test_labels_may_be_absent() -> None:
    unlabelled = InMemorySplit(torch.zeros(3, 1))
    assert unlabelled.labels() is None
    assert not unlabelled.has_labels
    assert unlabelled.rows(0, 2).take(torch.tensor([1])).labels is None
    labels = SPLIT.labels()
    assert labels is not None
    assert labels.tolist() == list(range(10))
