"""Writes the pages and pictures of lesson/, beside this file: `make docs`.

The words are in lesson/templates, the numbers come from vaekit.lesson. Nothing on a page that
was computed is written by hand, and tests/lesson/test_pages.py makes the pages anew.
"""

import math
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
import torch
from matplotlib.figure import Figure
from torch.distributions import kl_divergence

from vaekit.distributions import Gaussian
from vaekit.figures import save
from vaekit.lesson import (
    CARDS,
    CHOICE_QUESTIONS,
    INTRODUCTION,
    NOTATION,
    ROUNDING,
    SKETCH,
    WORKED,
    Block,
    Divergence,
    Grid,
    Parameters,
    Setting,
    by_quadrature,
    equation_lines,
    forward,
    gaussian_name,
    given,
    kl_problems,
    loss_over_noise,
    markdown_grid,
    put_in,
    result,
    truth,
    walk,
    worked_lines,
)
from vaekit.lesson.estimators import ESTIMATORS, measure, measure_on_a_wave, reconstruction_term
from vaekit.lesson.pictures import divergences, estimator_variances
from vaekit.posteriors import DiagonalGaussianSpec

HERE: Final = Path(__file__).parent / "lesson"
HEADER: Final = (
    "<!-- Written by `make docs`; change lesson/templates or src/vaekit/lesson instead. -->\n\n"
)
PARAMETERS: Final = Parameters()
SETTING: Final = Setting()
DRAWS: Final = 400_000
DRAWS_OF_MANY: Final = 100_000
SIGMAS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
DIMENSIONS: Final = (1, 2, 4, 8, 16, 32, 64)
SIGMA_OF_DIMENSIONS: Final = 0.5
FREQUENCY: Final = 10.0


def fold(text: str, first: int = 0) -> str:
    """Lines of a page, none longer than 110 characters."""
    lines = textwrap.fill(
        text, 110, initial_indent=" " * first, break_long_words=False, break_on_hyphens=False
    )
    return lines.lstrip()


def index() -> dict[str, Any]:
    """Numbers of README.md."""
    return {
        "cards": len(CARDS),
        "questions": len(CHOICE_QUESTIONS),
        "problems": len(kl_problems(0)),
        "bits_per_nat": f"{1 / math.log(2):.4f}",
    }


def with_sigma(sigma: float) -> Parameters:
    """The lesson's parameters, but for an s that x does not change."""
    return replace(PARAMETERS, log_variance_weight=0.0, log_variance_bias=2 * math.log(sigma))


def mean_slope_in_sigma(sigma: float) -> float:
    """Of the loss over all noise: w_m^2 sigma / tau^2 from R, sigma - 1/sigma from the KL."""
    reach = PARAMETERS.decoder_weight / SETTING.likelihood_scale
    return reach**2 * sigma + SETTING.beta * Divergence.of(0.0, sigma).slope_in_sigma


def pieces() -> dict[str, Any]:
    """Numbers of pieces.md."""
    passed = forward(PARAMETERS, SETTING)
    best = truth(PARAMETERS, SETTING).posterior_deviation
    rows = []
    for sigma in (2.0, 1.0, passed.sigma, best, 0.3, 0.1, 0.01):
        loss = loss_over_noise(with_sigma(sigma), SETTING).mean
        kl = Divergence.of(passed.mu, sigma).nats
        rows.append(tuple(map(result, (sigma, loss - SETTING.beta * kl, kl, loss))))
    exact = truth(PARAMETERS, SETTING)
    at_posterior = replace(
        with_sigma(exact.posterior_deviation), mu_weight=0.0, mu_bias=exact.posterior_mean
    )
    narrow = [Divergence.of(0.0, sigma) for sigma in (2.0, 1.0, 0.5, 0.1, 0.01, 0.001)]
    spec = DiagonalGaussianSpec()
    return {
        "sketch": SKETCH,
        "setting": SETTING,
        "mu": passed.mu,
        "best_sigma": result(best),
        "posterior_mean": result(exact.posterior_mean),
        "least": result(loss_over_noise(at_posterior, SETTING).mean),
        "tug_of_war": markdown_grid(Grid(("σ", "mean of R", "KL", "mean of L"), tuple(rows), 0)),
        "slopes": markdown_grid(
            Grid(
                ("σ", "s = log σ²", "dKL/dσ", "dKL/ds"),
                tuple(
                    (f"{d.sigma:g}", result(d.log_variance), f"{d.slope_in_sigma:.4f}",
                     f"{d.slope_in_log_variance:.6f}") for d in narrow
                ),
                0,
            )
        ),
        "leap": leap(3.0, 0.5),
        "far": f"{math.exp(100):.1e}",
        "low": f"{spec.min_log_scale:g}",
        "high": f"{spec.max_log_scale:g}",
    }  # fmt: skip


def leap(sigma: float, rate: float) -> dict[str, Any]:
    """One long step in sigma, and the same in s."""
    slope = mean_slope_in_sigma(sigma)
    slope_s, s = slope * sigma / 2, 2 * math.log(sigma)
    new_sigma, new_s = sigma - rate * slope, s - rate * slope_s
    return {
        "sigma": sigma,
        "rate": rate,
        "slope_sigma": result(slope),
        "new_sigma": result(new_sigma),
        "verdict": "no distribution has this σ" if new_sigma <= 0 else "still a distribution",
        "slope_s": result(slope_s),
        "s": result(s),
        "new_s": result(new_s),
        "sigma_of_s": result(math.exp(new_s / 2)),
    }


@cache
def measured() -> tuple[Any, Any, Any]:
    """The function, and what the estimators gave by sigma and by number of dimensions."""
    f = reconstruction_term(PARAMETERS, SETTING, forward(PARAMETERS, SETTING).mu)
    by_sigma = {
        e: [measure(f, e, s, DRAWS, seed) for seed, s in enumerate(SIGMAS)] for e in ESTIMATORS
    }
    wide = [replace(f, dimensions=d) for d in DIMENSIONS]
    by_dimension = {
        e: [measure(g, e, SIGMA_OF_DIMENSIONS, DRAWS_OF_MANY, g.dimensions) for g in wide]
        for e in ESTIMATORS
    }
    return f, by_sigma, by_dimension


def reparameterisation() -> dict[str, Any]:
    """Numbers of reparameterisation.md."""
    f, by_sigma, _ = measured()
    shown = SIGMAS.index(0.5)
    means = tuple(
        (
            e,
            f"{m.mean:.4f}",
            f"{m.standard_error:.4f}",
            f"{(m.mean - f.slope) / m.standard_error:+.1f}",
        )
        for e, m in ((e, by_sigma[e][shown]) for e in ESTIMATORS)
    )
    rows = tuple(
        (f"{sigma:g}", *(cell for e in ESTIMATORS for cell in (
            f"{by_sigma[e][i].variance:.4g}", f"{f.exact_variance(e, sigma):.4g}")))
        for i, sigma in enumerate(SIGMAS)
    )  # fmt: skip
    small, many = SIGMAS[0], replace(f, dimensions=DIMENSIONS[-1])
    exact = {e: f.exact_variance(e, small) for e in ESTIMATORS}
    plain, _, baseline = ESTIMATORS

    def ratio(g: Any) -> str:
        ours, theirs = (g.exact_variance(e, SIGMA_OF_DIMENSIONS) for e in (plain, baseline))
        return f"{theirs / ours:.0f}"

    waves = measure_on_a_wave(FREQUENCY, DRAWS, seed=3)
    headings = ("σ", *(h for e in ESTIMATORS for h in (e, "exact")))
    return {
        "mu": forward(PARAMETERS, SETTING).mu,
        "slope": f"{f.slope:.4f}",
        "curvature": f"{f.curvature:.4g}",
        "floor": f"{2 * f.slope**2:.4g}",
        "draws": f"{DRAWS:,}",
        "shown_sigma": SIGMAS[shown],
        "small_sigma": small,
        "wide_sigma": SIGMA_OF_DIMENSIONS,
        "furthest": max((row[-1].lstrip("+-") for row in means), key=float),
        "means": markdown_grid(Grid(("estimator", "mean", "standard error", "off by"), means)),
        "variances": markdown_grid(Grid(headings, rows, 0)),
        "ratio_small": f"{exact['score function'] / exact[plain]:,.0f}",
        "ratio_baseline": f"{exact[baseline] / exact[plain]:,.0f}",
        "many": DIMENSIONS[-1],
        "ratio_many": ratio(many),
        "ratio_one": ratio(f),
        "frequency": f"{FREQUENCY:g}",
        "wave": markdown_grid(
            Grid(
                ("estimator", "mean", "variance of one draw"),
                tuple((e, f"{m.mean:.3f}", f"{m.variance:.3g}") for e, m in waves.items()),
            )
        ),
    }


def kl() -> dict[str, Any]:
    """Numbers of kl.md."""
    rows = tuple(
        (
            gaussian_name(*c),
            *(f"{v:.10f}" for v in (d.from_mean, d.from_width, d.nats, by_quadrature(*c))),
        )
        for c, d in ((c, Divergence.of(*c)) for c in WORKED)
    )
    mu, sigma = next(iter(WORKED))
    one = torch.tensor([mu, math.log(sigma), 0.0], dtype=torch.float64)
    q, p = Gaussian(one[0], one[1]), Gaussian(one[2], one[2])
    return {
        "cases": [
            {"title": f"{gaussian_name(*c)}: {title}", "lines": worked_lines(*c), "lesson": lesson}
            for c, (title, lesson) in WORKED.items()
        ],
        "table": markdown_grid(
            Grid(("q", "of the mean", "of the width", "KL", "by quadrature"), rows)
        ),
        "halving": result(Divergence.of(0, 0.05).nats - Divergence.of(0, 0.1).nats),
        "approximate": result(math.log(10) - 0.5),
        "narrow": result(Divergence.of(0, 0.1).nats),
        "log_two": result(math.log(2)),
        "three": result(Divergence.of(3, 1).nats),
        "first": result(Divergence.of(mu, sigma).nats),
        "reversed": result(kl_divergence(p, q).item()),
        "in_vaekit": f"{kl_divergence(q, p).item():.10f}",
    }


def block_text(block: Block) -> str:
    """A part of a step, in Markdown."""
    if isinstance(block, str):
        return fold(block)
    if isinstance(block, Grid):
        return markdown_grid(block)
    return "```\n" + "\n".join(line for line, _ in equation_lines(block)) + "\n```"


def one_step() -> dict[str, Any]:
    """Numbers of one_step.md."""
    steps = walk(PARAMETERS, SETTING)
    places = [f"Step {n}. " for n in range(1, len(steps))] + ["Afterwards. "]
    return {
        "introduction": INTRODUCTION,
        "sketch": SKETCH,
        "notation": NOTATION,
        "rounding": ROUNDING,
        "given": [markdown_grid(grid) for grid in given(PARAMETERS, SETTING)],
        "steps": [
            {
                "title": place + step.title,
                "what": step.what,
                "blocks": [block_text(block) for block in step.blocks],
                "why": step.why,
            }
            for place, step in zip(places, steps, strict=True)
        ],
    }


PAGES: Final = {
    "README.md": index,
    "pieces.md": pieces,
    "reparameterisation.md": reparameterisation,
    "kl.md": kl,
    "one_step.md": one_step,
    "today.md": dict,
}


def pages() -> dict[str, str]:
    """Every page, by the name of its file."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(put_in=put_in, fold=fold)
    return {
        file: HEADER + environment.get_template(f"{file}.jinja").render(numbers())
        for file, numbers in PAGES.items()
    }


def figures() -> Mapping[str, Figure]:
    """Every picture, by the name of its file."""
    f, by_sigma, by_dimension = measured()
    return {
        "estimator_variances.png": estimator_variances(
            f, SIGMAS, by_sigma, DIMENSIONS, by_dimension, SIGMA_OF_DIMENSIONS
        ),
        "divergences.png": divergences(
            {gaussian_name(*case): Divergence.of(*case) for case in WORKED}
        ),
    }


if __name__ == "__main__":
    for file, text in pages().items():
        (HERE / file).write_text(text, encoding="utf-8")
    for file, figure in figures().items():
        save(figure, HERE / "images" / file)
