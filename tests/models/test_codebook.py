"""The codebook: online k-means, and codes that come back from the dead."""

import pytest
import torch
from torch import Tensor

from vaekit.models import Codebook, CodebookSpec
from vaekit.numerics import generator_for


def codebook(vectors: Tensor, **settings: float) -> Codebook:
    spec = CodebookSpec.model_validate({"size": len(vectors), "dim": vectors.shape[1], **settings})
    book = spec.build().to(vectors.dtype)
    book.vectors.copy_(vectors)
    return book


CODES = torch.tensor([[0.0, 0.0], [4.0, 0.0], [50.0, 50.0]], dtype=torch.float64)
SEEN = torch.tensor([[1.0, 0.0], [-1.0, 2.0], [5.0, 0.0], [4.0, 1.0]], dtype=torch.float64)
NOISE = torch.tensor([0.7, 0.3, 0.9, 0.1], dtype=torch.float64)


def test_nearest_is_the_smallest_distance() -> None:
    book = codebook(torch.randn(7, 3, generator=generator_for(0), dtype=torch.float64))
    vectors = torch.randn(5, 4, 3, generator=generator_for(1), dtype=torch.float64)
    assert torch.equal(book.nearest(vectors), torch.cdist(vectors, book.vectors).argmin(-1))
    assert torch.equal(book.nearest(book(torch.arange(7))), torch.arange(7))


def test_without_memory_an_update_is_one_of_k_means() -> None:
    book = codebook(CODES, decay=0.0, revive_below=0.0)
    codes = book.nearest(SEEN)
    assert codes.tolist() == [0, 0, 1, 1]
    book.take_in(SEEN, codes, NOISE)
    by_hand = torch.tensor([[0.0, 1.0], [4.5, 0.5], [50.0, 50.0]], dtype=torch.float64)
    assert torch.equal(book.vectors, by_hand)  # the mean of each; nobody's code stays


def test_with_memory_it_is_a_moving_average() -> None:
    book = codebook(CODES, decay=0.75, revive_below=0.0)
    book.counts.copy_(torch.tensor([2.0, 1.0, 1.0]))
    book.sums.copy_(book.counts[:, None] * CODES)
    book.take_in(SEEN, book.nearest(SEEN), NOISE)
    # n = 0.75 n + 0.25 * 2 and m = 0.75 m + 0.25 * sum, by hand.
    assert book.counts.tolist() == [2.0, 1.25, 0.75]
    expected = torch.tensor([[0.0, 0.25], [5.25 / 1.25, 0.25 / 1.25], [50.0, 50.0]]).double()
    torch.testing.assert_close(book.vectors, expected)


def test_the_dead_move_onto_what_was_seen() -> None:
    book = codebook(CODES, decay=0.5, revive_below=0.2)
    book.counts.fill_(2.0)
    book.sums.copy_(2 * CODES)
    for _ in range(2):  # 2, 1, 1/2, 1/4: below a fifth of 4/3 in the third
        book.take_in(SEEN, book.nearest(SEEN), NOISE)
        assert torch.equal(book.vectors[2], CODES[2])
    book.take_in(SEEN, book.nearest(SEEN), NOISE)
    assert any(torch.equal(book.vectors[2], seen) for seen in SEEN)
    assert book.counts[2].item() == pytest.approx(4 / 3)
    assert 2 in book.nearest(SEEN).tolist()


def test_the_first_batch_is_where_codes_begin() -> None:
    book = codebook(CODES, decay=0.99)
    book.take_in(SEEN, book.nearest(SEEN), NOISE)
    # Those of the smallest noise: 0.1, 0.3, 0.7.
    assert torch.equal(book.vectors, SEEN[[3, 1, 0]])


def test_update_is_a_function_of_state_batch_and_noise() -> None:
    first, again = codebook(CODES), codebook(CODES)
    for book in (first, again):
        torch.manual_seed(id(book) % 1000)
        book.take_in(SEEN, book.nearest(SEEN), NOISE)
    other = codebook(CODES)
    other.take_in(SEEN, other.nearest(SEEN), NOISE.flip(0))
    assert torch.equal(first.vectors, again.vectors)
    assert not torch.equal(first.vectors, other.vectors)


def test_a_batch_that_is_not_finite_changes_nothing() -> None:
    book = codebook(CODES)
    broken = SEEN.clone()
    broken[1, 1] = torch.nan
    before = {name: value.clone() for name, value in book.state_dict().items()}
    book.take_in(broken, book.nearest(broken), NOISE)
    assert all(torch.equal(before[name], value) for name, value in book.state_dict().items())


def test_usage_is_a_share() -> None:
    book = codebook(CODES)
    assert book.usage(torch.tensor([[0, 0], [0, 2]])).tolist() == [0.75, 0.0, 0.25]


def test_it_learns_nothing_by_gradients_and_saves_everything() -> None:
    book = codebook(CODES)
    assert not list(book.parameters())
    assert set(book.state_dict()) == {"vectors", "counts", "sums"}
