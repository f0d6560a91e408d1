"""Seeded noise that depends on nothing but its keys.

Every random number in a run comes from a generator derived from (seed, purpose, position),
so that a run can be continued, split or repeated at any point: there is no hidden generator
state to carry along.

Reference for the idea of seeding per step: Karras et al. (2024), Analyzing and Improving
the Training Dynamics of Diffusion Models, https://arxiv.org/abs/2312.02696
"""

import hashlib
import operator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor

Key: TypeAlias = int | str


def derive_seed(*keys: Key) -> int:
    """A 63-bit seed that depends on all keys and their order.

    Example:
        >>> derive_seed(0, "noise", 1) == derive_seed(0, "noise", 1)
        True
        >>> derive_seed(0, "noise", 1) == derive_seed(0, "order", 1)
        False
    """
    # A numpy integer is spelled otherwise than the int that it equals.
    plain = tuple(key if isinstance(key, str) else operator.index(key) for key in keys)
    digest = hashlib.blake2b(repr(plain).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def generator_for(*keys: Key, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh generator on `device`, seeded by `derive_seed(*keys)`."""
    return torch.Generator(device).manual_seed(derive_seed(*keys))


@dataclass(frozen=True)
class NoiseSpec:
    """One tensor of standard noise that a model consumes."""

    name: str
    shape: tuple[int, ...]
    kind: Literal["normal", "uniform"] = "normal"


def draw_noise(
    specs: tuple[NoiseSpec, ...],
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
) -> tuple[Tensor, ...]:
    """Draws what `specs` ask for, in their order, from one generator."""
    draws = {"normal": torch.randn, "uniform": torch.rand}
    return tuple(
        draws[spec.kind](spec.shape, generator=generator, device=device, dtype=dtype)
        for spec in specs
    )
