"""The one VAE whose dynamics are known exactly, run through the same model and instruments.

With a frozen linear decoder of column w, noise of variance s, and a free parameter rho = log v,
gradient flow on the loss, d rho / dt = -dL / d rho, is logistic:

    v(t) = v* / (1 + (v* / v0 - 1) exp(-beta t / 2)),    v* = beta s / (w^2 + beta s)
    v(t) = v0 / (1 + v0 w^2 t / (2 s))                   for beta = 0

With the log of the scale as the parameter, everything happens four times as fast. This holds for
small plain steps, not for Adam; rho is given to the posterior through the inverse of its smooth
bound, which therefore plays no part. The error of steps of size h is of order h: halving h halves
it.

Reference:
    Lucas, Tucker, Grosse and Norouzi (2019), Don't Blame the ELBO! A Linear VAE Perspective
    on Posterior Collapse, https://arxiv.org/abs/1911.02469 (the model)
"""

import math
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Final, Literal, TypeAlias, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaekit.data import Observation, Statistics
from vaekit.likelihoods import GaussianSpec
from vaekit.models import VAE, VAESpec
from vaekit.networks import MLPSpec
from vaekit.numerics import generator_for, inverse_smooth_bound
from vaekit.posteriors import DiagonalGaussianSpec
from vaekit.studies.dynamics.instruments import Codes, curvature, reconstruction_half
from vaekit.studies.dynamics.results import Content, rounded, thinned

Parameter: TypeAlias = Literal["log variance", "log scale"]

LENGTHS: Final = (2.0, 1.0, 0.5)
VALUES: Final = 6
SIGMA: Final = 0.7
PARAMETERS: Final[tuple[Parameter, ...]] = ("log variance", "log scale")
STARTS: Final = (0.0, -4.0)
"""Log variances to start from: above and below where they go."""
BOUND: Final = 40.0


@final
@dataclass(frozen=True)
class LinearCheck:
    """Trajectories of the linear VAE beside their closed form.

    Args:
        step_size: Of gradient descent.
        duration: Time that is covered.
    """

    step_size: float = 0.01
    duration: float = 8.0
    betas: tuple[float, ...] = (0.0, 0.25, 1.0, 4.0)

    @property
    def name(self) -> str:
        """What its file is called."""
        return "linear"

    @property
    def settings(self) -> dict[str, Any]:
        """What decides its numbers; as JSON gives it back."""
        return {**asdict(self), "betas": list(self.betas)}


def carry_out_linear(task: LinearCheck) -> Content:
    """Trajectories, their largest deviation at two step sizes, and the gradient by v."""
    model, shown = linear_vae()
    curves, deviations = [], []
    for beta, start in product(task.betas, STARTS):
        row = {"beta": beta, "start": start}
        for kind in PARAMETERS:
            # The log of the scale runs through the same course in a quarter of the time.
            pace = 1.0 if kind == "log variance" else 4.0
            runs = [
                trajectory(model, shown, beta, start, h / pace, task.duration / pace, kind)
                for h in (task.step_size, task.step_size / 2)
            ]
            found = [deviation(*run, beta, start, kind) for run in runs]
            deviations.append({**row, "parameter": kind, "deviation": found})
            times, measured = runs[0]
            few = thinned(len(times), 40)
            course = {"time": times[few].tolist(), "log_v": measured[few].tolist()}
            curves.append({**row, "parameter": kind, **course})
    return {
        "name": task.name,
        "settings": task.settings,
        "widths": list(LENGTHS),
        "sigma": SIGMA,
        "curves": rounded(curves, 6),
        "deviations": rounded(deviations),
        "gradient": rounded(gradient_by_variance(model, shown), 6),
    }


def logistic(
    time: Float[np.ndarray, " n"],
    width: float,
    beta: float,
    start: float,
    parameter: Parameter = "log variance",
) -> Float[np.ndarray, " n"]:
    """The closed form of log v(t).

    Args:
        time: Learning rate times number of steps.
        width: Length of the decoder's column.
        beta: Weight of the KL.
        start: log v(0).
        parameter: What is descended in.
    """
    t = time * (4.0 if parameter == "log scale" else 1.0)
    v0 = math.exp(start)
    if beta == 0:
        return start - np.log1p(v0 * width**2 * t / (2 * SIGMA**2))
    end = beta * SIGMA**2 / (width**2 + beta * SIGMA**2)
    return math.log(end) - np.log1p((end / v0 - 1) * np.exp(-beta * t / 2))


def trajectory(
    model: VAE,
    shown: Observation,
    beta: float,
    start: float,
    step_size: float,
    duration: float,
    parameter: Parameter,
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n latent"]]:
    """Gradient descent on the loss by the variances alone: times, and log v at each."""
    scale = 1.0 if parameter == "log variance" else 0.5
    rho = torch.full((model.latent_dim,), scale * start, dtype=torch.float64, requires_grad=True)
    count = round(duration / step_size)
    course = np.empty((count + 1, model.latent_dim))
    for index in range(count + 1):
        course[index] = rho.detach().numpy() / scale
        if index < count:
            (slope,) = torch.autograd.grad(loss(model, shown, rho / scale, beta), rho)
            with torch.no_grad():
                rho -= step_size * slope
    return step_size * np.arange(count + 1), course


def loss(model: VAE, shown: Observation, log_v: Tensor, beta: float) -> Tensor:
    """The negative beta-ELBO where every example has variances exp(log_v), in nats.

    The noise is the 2n points +-sqrt(n) e_i, over which the average of a quadratic is exact.
    """
    raw = inverse_smooth_bound(log_v / 2, BOUND)
    loc = (shown.x @ _columns(model)) / 3  # any means will do: the gradient does not see them
    encoding = (torch.cat([loc.detach(), raw.expand(len(shown), -1)], dim=1),)
    axes = math.sqrt(model.latent_dim) * torch.eye(model.latent_dim, dtype=torch.float64)
    noise = (torch.cat([axes, -axes])[:, None].expand(-1, len(shown), -1),)
    inference = model.infer(shown, noise=noise, num_samples=2 * model.latent_dim, encoding=encoding)
    return beta * inference.kl[0].mean(1).sum() - inference.log_likelihood().mean()


def deviation(
    time: np.ndarray, measured: np.ndarray, beta: float, start: float, parameter: Parameter
) -> float:
    """The largest difference of log v from the closed form, over time and dimensions."""
    exact = [logistic(time, width, beta, start, parameter) for width in LENGTHS]
    return float(np.abs(measured - np.stack(exact, 1)).max())


def gradient_by_variance(model: VAE, shown: Observation) -> dict[str, Any]:
    """The instrument's reconstruction half, many draws, beside w^2 v / (2 s)."""
    generator, rows = generator_for(0, "linear", "draws"), []
    half = torch.randn(2000, 8, model.latent_dim, generator=generator, dtype=torch.float64)
    noise, few = torch.cat([half, -half]), shown[:8]
    for log_v in np.linspace(-6, 2, 9).tolist():
        codes = Codes(torch.zeros_like(noise[0]), torch.full_like(noise[0], log_v))
        measured = reconstruction_half(model, few, codes, noise).mean(0)
        rows.append({"log_v": log_v, "measured": measured.tolist(), "exact": exact_half(log_v)})
    jacobian, bends = curvature(model, noise[0])
    return {
        "rows": rows,
        "jacobian": [jacobian.mean().item(), math.hypot(*LENGTHS)],
        "curvature": [bends.mean(0).tolist(), [w**2 / SIGMA**2 for w in LENGTHS]],
    }


def exact_half(log_v: float) -> list[float]:
    """w^2 v / (2 s) of every dimension."""
    return [w**2 * math.exp(log_v) / (2 * SIGMA**2) for w in LENGTHS]


def linear_vae() -> tuple[VAE, Observation]:
    """A VAE with a linear decoder of orthogonal columns, in float64, and data drawn from it."""
    spec = VAESpec(
        latent_dim=len(LENGTHS),
        encoder=MLPSpec(hidden=()),
        decoder=MLPSpec(hidden=()),
        posterior=DiagonalGaussianSpec(min_log_scale=-BOUND, max_log_scale=BOUND),
        likelihood=GaussianSpec(scale=SIGMA),
    )
    model = spec.build((VALUES,), Statistics(torch.zeros(VALUES), torch.ones(VALUES))).double()
    generator = generator_for(0, "linear", "data")
    square = torch.randn(VALUES, VALUES, generator=generator, dtype=torch.float64)
    columns = torch.linalg.qr(square).Q[:, : len(LENGTHS)] * torch.tensor(LENGTHS)
    with torch.no_grad():
        _decoder_layer(model).weight.copy_(columns)
        model.decoder.output_bias.zero_()
    z = torch.randn(64, len(LENGTHS), generator=generator, dtype=torch.float64)
    noise = torch.randn(64, VALUES, generator=generator, dtype=torch.float64)
    return model.eval(), Observation(z @ columns.T + SIGMA * noise)


def _decoder_layer(model: VAE) -> nn.Linear:
    (layer,) = [module for module in model.decoder.modules() if isinstance(module, nn.Linear)]
    return layer


def _columns(model: VAE) -> Tensor:
    return _decoder_layer(model).weight.detach()
