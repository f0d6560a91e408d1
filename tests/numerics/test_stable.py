"""Stable formulas against fifty digits, and against what their docstrings say."""

from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from vaekit.numerics import (
    at_least_float32,
    inverse_smooth_bound,
    inverse_smooth_floor,
    log_mean_exp,
    smooth_bound,
    smooth_floor,
)

ANY = [0.0, 1e-30, 1e-6, 0.3, 1.0, 6.9, 7.0, 19.9, 20.1, 88.0, 1e4, 1e30]
BOTH_SIGNS = torch.tensor([*(-v for v in reversed(ANY)), *ANY], dtype=torch.float64)

Formula = Callable[[Tensor], Tensor]


def tanh_bound(v: Any) -> Any:
    return 7 * mpmath.tanh(v / 7)


def log_floor(v: Any) -> Any:
    return -7 + mpmath.log1p(mpmath.exp(v + 7)) if v < 1000 else v


def slope_of_bound(v: Any) -> Any:
    return mpmath.sech(v / 7) ** 2 if abs(v) < 1000 else mpmath.mpf(0)


def slope_of_floor(v: Any) -> Any:
    return 1 / (1 + mpmath.exp(-v - 7)) if v > -1000 else mpmath.mpf(0)


FORMULAS: dict[str, tuple[Formula, Callable, Callable]] = {
    "bound": (lambda v: smooth_bound(v, 7.0), tanh_bound, slope_of_bound),
    "floor": (lambda v: smooth_floor(v, -7.0), log_floor, slope_of_floor),
}


def precisely(formula: Callable, at: Tensor) -> Tensor:
    with mpmath.workdps(50):
        exact = [float(formula(mpmath.mpf(v))) for v in at.tolist()]
    return torch.tensor(exact, dtype=at.dtype)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_slopes_have_all_their_digits(name: str, dtype: torch.dtype) -> None:
    formula, exact, exact_slope = FORMULAS[name]
    at = BOTH_SIGNS.to(dtype).requires_grad_()
    value = formula(at)
    (slope,) = torch.autograd.grad(value.sum(), at)
    # Three roundings of numbers up to seven (or as large as the result): 3 * 7 eps; of slopes,
    # an exponential whose argument was rounded too, at most 88 of it: 3 * 88 eps.
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(
        value.detach(), precisely(exact, at.detach()), rtol=4 * eps, atol=21 * eps
    )
    torch.testing.assert_close(slope, precisely(exact_slope, at.detach()), rtol=0, atol=264 * eps)


@pytest.mark.parametrize("name", FORMULAS)
def test_no_value_overflows(name: str) -> None:
    at = torch.tensor([-3e38, -1e30, 1e30, 3e38, torch.inf, -torch.inf]).requires_grad_()
    value = FORMULAS[name][0](at)
    assert not value.isnan().any()
    assert (value[:4]).isfinite().all()
    (slope,) = torch.autograd.grad(value[:4].sum(), at)
    assert slope.isfinite().all()


@given(st.floats(-20, 20), st.floats(0.5, 12))
def test_bound_is_undone(value: float, limit: float) -> None:
    there = smooth_bound(torch.tensor(value, dtype=torch.float64), limit)
    back = inverse_smooth_bound(there, limit)
    # A rounding of tanh is multiplied by cosh^2(value / limit) on the way back.
    stretch = float(torch.cosh(torch.tensor(value / limit, dtype=torch.float64)) ** 2)
    if stretch < 1e6:
        assert abs(float(back) - value) <= 8 * 2.3e-16 * limit * stretch


def test_inverse_of_the_bound_says_so_where_there_is_none() -> None:
    back = inverse_smooth_bound(torch.tensor([7.0, -7.0, 7.1]), 7.0)
    assert back[:2].isinf().all()
    assert back[2].isnan()


@given(st.floats(-15, 60), st.floats(-12, 3))
def test_floor_is_undone(value: float, floor: float) -> None:
    there = smooth_floor(torch.tensor(value, dtype=torch.float64), floor)
    assert float(there) >= max(value, floor) - 1e-13
    back = inverse_smooth_floor(there, floor)
    if value - floor > -12:
        # Below the floor the excess is e^(value - floor), left of a number of order ten: an
        # eps of ten is multiplied by e^12 = 1.6e5.
        assert abs(float(back) - value) <= 1e-9


def test_nothing_finite_starts_at_the_floor() -> None:
    back = inverse_smooth_floor(torch.tensor([-torch.inf, -9.0, -7.0]), -7.0)
    assert back.isfinite().all()
    # 1e-6 above -7 is two roundings of seven in float32.
    torch.testing.assert_close(smooth_floor(back, -7.0), torch.full((3,), -7.0), rtol=0, atol=2e-6)


def test_log_mean_exp_has_all_its_digits() -> None:
    values = torch.tensor([[-1000.0, 3.0, 88.0], [-1001.0, 3.5, -88.0], [-1400.0, 1.0, 0.0]])
    with mpmath.workdps(50):
        columns = values.double().T.tolist()
        exact = [float(mpmath.log(sum(map(mpmath.exp, c)) / 3)) for c in columns]
    # Two roundings of numbers as large as the result, and of log 3.
    torch.testing.assert_close(log_mean_exp(values), torch.tensor(exact), rtol=3e-7, atol=3e-7)


def test_log_mean_exp_of_one_sample_is_the_sample() -> None:
    values = torch.randn(1, 4)
    assert torch.equal(log_mean_exp(values), values[0])


def test_log_mean_exp_gives_each_sample_its_weight() -> None:
    # Peers report the sum of weighted log-weights, which is optimistic, or weight the worst
    # sample most.
    values = torch.tensor([[-2000.0], [-2001.0], [-torch.inf]], dtype=torch.float64)
    values.requires_grad_()
    result = log_mean_exp(values)
    (weights,) = torch.autograd.grad(result.sum(), values)
    expected = torch.tensor([[1.0], [torch.e**-1], [0.0]], dtype=torch.float64)
    expected /= 1 + torch.e**-1
    torch.testing.assert_close(weights, expected)
    assert result.item() < (weights * values.nan_to_num()).sum().item()


def test_log_mean_exp_keeps_impossibility() -> None:
    assert float(log_mean_exp(torch.full((3,), -torch.inf))) == -torch.inf


@pytest.mark.parametrize(
    ("given", "raised"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_half_precision_is_raised(given: torch.dtype, raised: torch.dtype) -> None:
    assert at_least_float32(torch.ones(2, dtype=given)).dtype == raised
