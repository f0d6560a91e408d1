"""Hoyer sparsity of codes whose sparsity is known."""

import math

import pytest
import torch

from vaekit.evaluation import hoyer_sparsity
from vaekit.numerics import generator_for


def test_one_number_at_a_time_is_as_sparse_as_can_be() -> None:
    codes = torch.eye(5, dtype=torch.float64) * torch.arange(1.0, 6.0)
    assert hoyer_sparsity(codes, 0.01) == pytest.approx(1.0, abs=1e-12)


def test_numbers_of_one_size_are_not_sparse_at_all() -> None:
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3).double()
    assert hoyer_sparsity(signs * torch.tensor([1.0, 10.0, 0.5]), 0.01) == pytest.approx(0.0)


def test_formula() -> None:
    codes = torch.tensor([[3.0, 4.0], [-3.0, 0.0], [0.0, -4.0]], dtype=torch.float64)
    y = codes / codes.std(0, correction=0)
    each = [
        (math.sqrt(2) - float(row.abs().sum() / row.square().sum().sqrt())) / (math.sqrt(2) - 1)
        for row in y
    ]
    assert hoyer_sparsity(codes, 0.01) == pytest.approx(sum(each) / 3)


def test_many_gaussian_dimensions_have_the_known_value() -> None:
    d = 400
    codes = torch.randn(2000, d, generator=generator_for(0), dtype=torch.float64)
    limit = (math.sqrt(d) - math.sqrt(2 * d / math.pi)) / (math.sqrt(d) - 1)
    # |y|_1 / |y|_2 deviates from its limit by 1/d, relative, and the deviations average out.
    assert hoyer_sparsity(codes, 0.01) == pytest.approx(limit, abs=0.005)


def test_scale_of_a_dimension_does_not_matter_and_sleeping_ones_are_left_out() -> None:
    codes = torch.randn(50, 4, generator=generator_for(0), dtype=torch.float64)
    expected = hoyer_sparsity(codes, 0.01)
    sleeping = 1e-3 * torch.randn(50, 3, generator=generator_for(1), dtype=torch.float64)
    wider = codes * torch.tensor([1.0, 20.0, 0.7, 3.0], dtype=torch.float64)
    assert hoyer_sparsity(torch.cat([wider, sleeping], 1), 0.01) == pytest.approx(expected)


def test_a_code_of_zeros_has_no_sparsity() -> None:
    codes = torch.randn(50, 4, generator=generator_for(0), dtype=torch.float64)
    codes = torch.cat([codes, -codes])  # so that zeros change no mean
    with_zero = torch.cat([codes, torch.zeros(100, 4, dtype=torch.float64)])
    assert hoyer_sparsity(with_zero, 0.01) == pytest.approx(hoyer_sparsity(codes, 0.01))


def test_one_active_dimension_has_none() -> None:
    codes = torch.zeros(50, 3, dtype=torch.float64)
    codes[:, 0] = torch.arange(50.0)
    assert hoyer_sparsity(codes, 0.01) is None
