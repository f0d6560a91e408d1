"""kl.md: the KL of two Gaussians by formula, by quadrature and by vaekit."""

import math
from typing import Any

import torch
from matplotlib.figure import Figure
from torch.distributions import kl_divergence

from vaekit.distributions import Gaussian
from vaekit.lesson import (
    WORKED,
    Divergence,
    Grid,
    by_quadrature,
    gaussian_name,
    markdown_grid,
    result,
    worked_lines,
)
from vaekit.lesson.pictures import divergences


def numbers() -> dict[str, Any]:
    """Worked cases, and what is said of them."""
    mu, sigma = next(iter(WORKED))
    one = torch.tensor([mu, math.log(sigma), 0.0], dtype=torch.float64)
    q, p = Gaussian(one[0], one[1]), Gaussian(one[2], one[2])
    return {
        "cases": [
            {"title": f"{gaussian_name(*c)}: {title}", "lines": worked_lines(*c), "lesson": lesson}
            for c, (title, lesson) in WORKED.items()
        ],
        "table": markdown_grid(_table()),
        "halving": result(Divergence.of(0, 0.05).nats - Divergence.of(0, 0.1).nats),
        "approximate": result(math.log(10) - 0.5),
        "narrow": result(Divergence.of(0, 0.1).nats),
        "log_two": result(math.log(2)),
        "three": result(Divergence.of(3, 1).nats),
        "first": result(Divergence.of(mu, sigma).nats),
        "reversed": result(kl_divergence(p, q).item()),
        "in_vaekit": f"{kl_divergence(q, p).item():.10f}",
    }


def figure() -> Figure:
    """Where the divergences lie."""
    return divergences({gaussian_name(*case): Divergence.of(*case) for case in WORKED})


def _table() -> Grid:
    rows = []
    for case in WORKED:
        d = Divergence.of(*case)
        values = (d.from_mean, d.from_width, d.nats, by_quadrature(*case))
        rows.append((gaussian_name(*case), *(f"{value:.10f}" for value in values)))
    return Grid(("q", "of the mean", "of the width", "KL", "by quadrature"), tuple(rows))
