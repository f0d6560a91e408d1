"""The statistic of copying where the answer is known."""

import torch
from scipy.stats import binom
from torch import Tensor

from vaekit.diagnosis import copying
from vaekit.numerics import generator_for

DIMENSIONS = 5


def draws(n: int, *keys: int | str) -> Tensor:
    return torch.randn(n, DIMENSIONS, generator=generator_for("copying", *keys)).double()


def test_exact_copies_are_all_copies() -> None:
    train, held_out = draws(200, "train"), draws(100, "held out")
    found = copying(train[:80], train, held_out)
    assert found.even_share == 1.0
    assert found.share == 1.0
    assert found.nearest.tolist() == list(range(80))
    assert found.p_value < 0.01


def test_copies_of_held_out_examples_are_none() -> None:
    train, held_out = draws(200, "train"), draws(100, "held out")
    found = copying(held_out, train, held_out)
    assert found.share == 0.0
    assert found.even_share == 0.0
    assert found.p_value > 0.99


def test_fresh_draws_raise_no_more_alarms_than_the_level_says() -> None:
    tests = 40
    found = [
        copying(draws(60, i, "s"), draws(80, i, "t"), draws(80, i, "h"), seed=i)
        for i in range(tests)
    ]
    alarms = sum(one.p_value < 0.05 for one in found)
    assert alarms <= binom.ppf(0.999, tests, 0.05)
    shares = torch.tensor([one.even_share for one in found])
    # A standard deviation of about 0.08 each, over 40 of them 0.013.
    assert abs(shares.mean() - 0.5) < 0.05


def test_samples_that_are_all_alike_are_one_piece_of_evidence() -> None:
    train, held_out = draws(80, "train"), draws(80, "held out")
    alike = train[:1] + 1e-3 * draws(300, "noise")
    found = copying(alike, train, held_out)
    assert found.even_share == 1.0
    assert 0.4 < found.p_value < 0.6  # one example of a pool of which half is training


def test_blur_is_no_copying() -> None:
    """Means of fresh draws lie nearer to everything, and to both sets alike."""
    soft = draws(4000, "fresh").reshape(400, 10, DIMENSIONS).mean(1)
    assert copying(soft, draws(500, "train"), draws(500, "held out")).p_value > 0.01


def test_sizes_of_the_sets_do_not_matter() -> None:
    """Few held-out examples make training examples nearest, and say nothing."""
    found = [copying(draws(300, i, "s"), draws(900, i, "t"), draws(60, i, "h")) for i in range(10)]
    assert min(one.share for one in found) > 0.8
    even = torch.tensor([one.even_share for one in found])
    # About 20 of 300 samples have a held-out neighbour: a deviation of 0.06 each, 0.02 of 10.
    assert abs(even.mean() - 0.5) < 0.08
