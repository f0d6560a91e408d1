"""Fast matrix products on the CPU.

torch multiplies float32 matrices with MKL, which reaches less than half the speed of oneDNN on AMD
processors (docs/experiments.md). oneDNN is taken where torch may round to bfloat16 inside a
product; on processors that have no such instruction for float32 operands it keeps float32 all the
same. Whether it does here is not guessed but seen from a product.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

import torch

SIZES = ((64, 256, 128), (1024, 512, 768))
"""Rows, inner dimension and columns of the products looked at: libraries choose by size."""
FLOAT32_ERROR = 1e-4
"""Largest error, of products of standard normal matrices, relative to the square root of the inner
dimension: below 1e-5 in float32, and about 1e-2 in bfloat16."""

CLEARLY: Final = 1.2
"""How much faster bfloat16 has to be: values have to be rounded to it, too."""
_ROUNDS: Final = 5


@contextmanager
def fast_float32_products() -> Iterator[None]:
    """The region in which float32 products on the CPU take oneDNN, where that keeps float32.

    Example:
        >>> a = torch.randn(8, 8)
        >>> with fast_float32_products():
        ...     b = a @ a
        >>> torch.allclose(b, a @ a, atol=1e-5)
        True
    """
    if not _keeps_float32():
        yield
        return
    with _onednn():
        yield


@contextmanager
def _onednn() -> Iterator[None]:
    switch = torch.backends.mkldnn.matmul  # pyright: ignore[reportAttributeAccessIssue]
    before = switch.fp32_precision
    switch.fp32_precision = "bf16"
    try:
        yield
    finally:
        switch.fp32_precision = before


@cache
@torch.no_grad()
def _keeps_float32() -> bool:
    """Whether oneDNN is here and multiplies float32 matrices as such."""
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.backends.mkldnn, "matmul"):
        return False
    source = torch.Generator().manual_seed(0)
    for rows, inner, columns in SIZES:
        a = torch.randn(rows, inner, generator=source)
        b = torch.randn(inner, columns, generator=source)
        with _onednn():
            found = a @ b
        error = (found - a.double() @ b.double()).abs().max().item()
        if error > FLOAT32_ERROR * inner**0.5:
            return False
    return True


@cache
@torch.no_grad()
def bfloat16_is_faster() -> bool:
    """Whether products on the CPU take clearly less time in bfloat16 than in float32.

    It is seen from the fastest of a few products of each, and once in a process.
    """
    rows, inner, columns = SIZES[-1]
    a, b = torch.ones(rows, inner), torch.ones(inner, columns)
    seconds = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    with fast_float32_products():
        for dtype in _ROUNDS * list(seconds):
            left, right = a.to(dtype), b.to(dtype)
            began = time.perf_counter()
            torch.mm(left, right)
            seconds[dtype] = min(seconds[dtype], time.perf_counter() - began)
    return CLEARLY * seconds[torch.bfloat16] < seconds[torch.float32]
