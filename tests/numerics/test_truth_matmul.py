"""Float32 products in the fast region are float32 products."""

import pytest
import torch

from vaekit.numerics import fast_float32_products
from vaekit.numerics.matmul import _keeps_float32


@pytest.mark.parametrize(
    ("rows", "inner", "columns"), [(3, 7, 5), (128, 784, 512), (2000, 512, 784)]
)
def test_float32_is_kept(rows: int, inner: int, columns: int) -> None:
    a, b = torch.randn(rows, inner), torch.randn(inner, columns)
    with fast_float32_products():
        found = a @ b
    # Standard normal sums of `inner` terms; bfloat16 would be wrong by 1e-2 of their size.
    error = (found - a.double() @ b.double()).abs().max().item()
    assert error < 1e-5 * inner**0.5 * 5


def test_the_switch_is_put_back() -> None:
    switch = torch.backends.mkldnn.matmul  # pyright: ignore[reportAttributeAccessIssue]
    before = switch.fp32_precision
    inside: list[str] = []

    def fail() -> None:
        with fast_float32_products():
            inside.append(switch.fp32_precision)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert inside == ["bf16" if _keeps_float32() else before]
    assert switch.fp32_precision == before


def test_a_machine_that_rounds_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the permission is used, products stay as they are."""
    monkeypatch.setattr("vaekit.numerics.matmul.FLOAT32_ERROR", 0.0)
    _keeps_float32.cache_clear()
    switch = torch.backends.mkldnn.matmul  # pyright: ignore[reportAttributeAccessIssue]
    with fast_float32_products():
        assert switch.fp32_precision == "none"
    monkeypatch.undo()
    _keeps_float32.cache_clear()
