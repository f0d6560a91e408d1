"""Stable formulas and seeded noise; knows no word of variational autoencoders."""

from vaekit.numerics.matmul import bfloat16_is_faster, fast_float32_products
from vaekit.numerics.noise import Key, NoiseSpec, derive_seed, draw_noise, generator_for
from vaekit.numerics.stable import (
    at_least_float32,
    inverse_smooth_bound,
    inverse_smooth_floor,
    log_mean_exp,
    smooth_bound,
    smooth_floor,
    smooth_range,
)

__all__ = [
    "Key",
    "NoiseSpec",
    "at_least_float32",
    "bfloat16_is_faster",
    "derive_seed",
    "draw_noise",
    "fast_float32_products",
    "generator_for",
    "inverse_smooth_bound",
    "inverse_smooth_floor",
    "log_mean_exp",
    "smooth_bound",
    "smooth_floor",
    "smooth_range",
]
