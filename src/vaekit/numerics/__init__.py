"""Stable formulas and seeded noise; knows no word of variational autoencoders."""

from vaekit.numerics.noise import Key, NoiseSpec, derive_seed, draw_noise, generator_for
from vaekit.numerics.stable import inverse_smooth_bound, log_mean_exp, smooth_bound

__all__ = [
    "Key",
    "NoiseSpec",
    "derive_seed",
    "draw_noise",
    "generator_for",
    "inverse_smooth_bound",
    "log_mean_exp",
    "smooth_bound",
]
