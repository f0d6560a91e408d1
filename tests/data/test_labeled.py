"""Labels that are hidden: as many of every class are left, the same ones every time."""

from collections.abc import Callable

import pytest
import torch

from vaekit.data import Batches, InMemorySplit, ShardedSplit, hide_labels
from vaekit.errors import DataError, SpecError

Stream = Callable[..., tuple[ShardedSplit, list[int]]]


def split(count: int = 60, classes: int = 3) -> InMemorySplit:
    return InMemorySplit(torch.arange(count)[:, None], torch.arange(count) % classes)


def known(hidden: InMemorySplit) -> torch.Tensor:
    labels = hidden.labels()
    assert labels is not None
    return (labels >= 0).nonzero().flatten()


@pytest.mark.parametrize(("labeled", "counts"), [(12, [4, 4, 4]), (14, [5, 5, 4]), (3, [1, 1, 1])])
def test_classes_are_balanced_and_labels_true(labeled: int, counts: list[int]) -> None:
    hidden = hide_labels(split(), labeled, seed=0)
    rows = known(hidden)
    assert torch.equal(hidden.shard(0).x, split().shard(0).x)
    labels = hidden.labels()
    assert labels is not None
    assert torch.equal(labels[rows], rows % 3)
    assert torch.bincount(rows % 3).tolist() == counts


def test_the_choice_follows_from_the_seed_alone() -> None:
    given = split()
    first = known(hide_labels(given, 12, seed=0))
    assert len(known(given)) == 60  # what was given is as it was
    assert torch.equal(first, known(hide_labels(split(), 12, seed=0)))
    assert not torch.equal(first, known(hide_labels(split(), 12, seed=1)))


@pytest.mark.parametrize("labeled", [2, 60, 61, 1000])
def test_what_cannot_be_balanced_is_refused(labeled: int) -> None:
    with pytest.raises(DataError, match="as many of every class"):
        hide_labels(split(), labeled, seed=0)


def test_data_without_labels_is_refused() -> None:
    with pytest.raises(DataError, match="no labels to learn from"):
        hide_labels(InMemorySplit(torch.zeros(9, 1)), 3, seed=0)


def test_streamed_data_is_refused(stream: Stream) -> None:
    with pytest.raises(SpecError, match="streamed"):
        hide_labels(stream(7, 9)[0], 3, seed=0)


# -- mixed batches -------------------------------------------------------------------------------


def mixed(batch_size: int = 10, labeled: int = 4, seed: int = 0) -> Batches:
    return Batches(hide_labels(split(), 6, seed=0), batch_size, seed, "cpu", labeled)


def test_every_batch_has_its_share_and_the_others_come_once_an_epoch() -> None:
    batches = mixed()
    assert batches.steps_per_epoch == 54 // 6
    seen = []
    for index in range(batches.steps_per_epoch):
        labels = batches(1, index).labels
        assert labels is not None
        assert ((labels >= 0) == torch.tensor([False] * 6 + [True] * 4)).all()
        seen += batches(1, index).x[:6].flatten().tolist()
    assert len(set(seen)) == 54


def test_labeled_rows_take_turns() -> None:
    batches = mixed()
    steps = [(epoch, index) for epoch in range(2) for index in range(9)]
    drawn = torch.cat([batches(*step).x[6:].flatten() for step in steps])
    # 72 of 6 rows: every row comes twelve times, and once in every six.
    turns = drawn.reshape(12, 6).sort(dim=1).values
    assert (turns == turns[0]).all()
    orders = {tuple(turn.tolist()) for turn in drawn.reshape(12, 6)}
    assert len(orders) > 6


def test_any_batch_at_any_time() -> None:
    expected = {(e, i): mixed()(e, i).x for e in range(2) for i in range(9)}
    jumping = mixed()
    for step in [(1, 8), (0, 3), (1, 0), (0, 0)]:
        assert torch.equal(jumping(*step).x, expected[step])
        assert torch.equal(jumping.take(jumping.rows(*step)).x, expected[step])
    assert not torch.equal(mixed(seed=1)(0, 0).x, expected[0, 0])


@pytest.mark.parametrize(("batch_size", "labeled"), [(10, 10), (60, 4)])
def test_shares_that_do_not_fit_are_refused(batch_size: int, labeled: int) -> None:
    with pytest.raises(DataError, match="cannot be mixed"):
        mixed(batch_size, labeled)


def test_batches_of_no_labels_are_refused() -> None:
    with pytest.raises(DataError, match="cannot be mixed"):
        Batches(InMemorySplit(torch.zeros(9, 1)), 4, 0, "cpu", labeled=2)
