"""What is read off a VAE at one moment of its training, on held-out examples.

The loss by the logarithm of a posterior variance has two halves, which are equal and opposite where
the variance is in balance:

    reconstruction   d/d log v  E_q[-log p(x | z)]  =  -1/2 E[scale * noise * d log p(x | z) / dz]
    KL               d/d log v  beta KL             =  beta (v - 1) / 2

The first is estimated with draws in opposite pairs, from which everything even in the noise
cancels. For a linear decoder with column w and noise of variance s it is w^2 v / (2 s). Halves are
by log v itself, after whatever bounds the encoder's outputs.

The local counterpart of w^2 / s is the curvature J' F J of the log-likelihood: J is the Jacobian
of the mean of p(x | z) by z, F the Fisher information of that mean, one over its variance.

References:
    Kingma and Welling (2013), Auto-Encoding Variational Bayes, section 2.4
    Lucas, Tucker, Grosse and Norouzi (2019), Don't Blame the ELBO, https://arxiv.org/abs/1911.02469
    (the linear model)
"""

from typing import Any, Final, NamedTuple, cast, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Independent

from vaekit.data import Observation
from vaekit.distributions import Gaussian
from vaekit.models import VAE, Inference, log_prob_per_value
from vaekit.numerics import generator_for
from vaekit.studies.dynamics.calibration import calibrated

EXAMPLES: Final = 512
DRAWS: Final = 4
PAIRS: Final = 12
FEW: Final = 96
"""Examples for the gradient and the Jacobian."""


class Codes(NamedTuple):
    """q(z | x) of every example."""

    loc: Float[Tensor, "examples latent"]
    log_variance: Float[Tensor, "examples latent"]

    @property
    def variance(self) -> Tensor:
        return self.log_variance.exp()


@final
class Probe:
    """The instrument: the same examples and the same noise whenever it is used.

    Args:
        observation: Held-out examples.
        beta: Weight of the KL in the loss.
        seed: Seed of the noise.
    """

    def __init__(self, observation: Observation, beta: float, seed: int = 0) -> None:
        self.observation, self.beta, self.seed = observation, beta, seed
        self.few = observation[:FEW]

    def __call__(self, model: VAE) -> dict[str, Any]:
        """All numbers, in nats per example; lists have an entry for each latent dimension."""
        with calibrated(model, self.observation):
            return self.read(model)

    def read(self, model: VAE) -> dict[str, Any]:
        """The same of a model in evaluation mode, as it stands."""
        shown = self.observation
        with torch.no_grad():
            codes = codes_of(model, shown)
            at_mean = model.decode((codes.loc[None],), shown.c)
            drawn = self._drawn(model, codes)
        few = Codes(codes.loc[: len(self.few)], codes.log_variance[: len(self.few)])
        jacobian, bends = curvature(model, few.loc)
        pull = reconstruction_half(model, self.few, few, self.noise(few)).mean(0)
        return {
            **_of_codes(codes, self.beta),
            "expected_log_likelihood": drawn.log_likelihood().mean().item(),
            "log_likelihood_at_mean": _log_likelihood(at_mean, shown).mean().item(),
            "jacobian": jacobian.mean().item(),
            "curvature": bends.mean(0).tolist(),
            "reconstruction_half": pull.tolist(),
        }

    def noise(self, codes: Codes, pairs: int = PAIRS) -> Float[Tensor, "draws examples latent"]:
        """Draws in opposite pairs."""
        generator = generator_for(self.seed, "probe", "pairs", device=codes.loc.device)
        half = torch.randn(
            (pairs, *codes.loc.shape),
            generator=generator,
            device=codes.loc.device,
            dtype=codes.loc.dtype,
        )
        return torch.cat([half, -half])

    def _drawn(self, model: VAE, codes: Codes) -> Inference:
        source = generator_for(self.seed, "probe", "draws", device=codes.loc.device)
        return model.infer(self.observation, DRAWS, generator=source)


def codes_of(model: VAE, observation: Observation) -> Codes:
    """Mean and log-variance of q(z | x)."""
    (parameters,) = model.encode(observation)
    factor = cast(Gaussian, cast(Independent, model.posterior(parameters)).base_dist)
    return Codes(factor.loc, 2 * factor.log_scale)


def reconstruction_half(
    model: VAE,
    observation: Observation,
    codes: Codes,
    noise: Float[Tensor, "draws examples latent"],
) -> Float[Tensor, "examples latent"]:
    """d/d log v E_q[-log p(x | z)] of every example and dimension, in nats."""
    step = 0.5 * (0.5 * codes.log_variance).exp() * noise  # dz / d log v
    z = (codes.loc + 2 * step).detach().requires_grad_()
    with torch.enable_grad():
        total = _log_likelihood(model.decode((z,), observation.c), observation).sum()
        (slope,) = torch.autograd.grad(total, z)
    return -(step.detach() * slope).mean(0)


def kl_half(codes: Codes, beta: float) -> Float[Tensor, "examples latent"]:
    """d/d log v of beta KL(q(z | x) || N(0, I))."""
    return 0.5 * beta * torch.expm1(codes.log_variance)


def curvature(
    model: VAE, z: Float[Tensor, "examples latent"]
) -> tuple[Float[Tensor, " examples"], Float[Tensor, "examples latent"]]:
    """Frobenius norm of the Jacobian of the decoder's mean, and the diagonal of J' F J.

    Exact, column by column: J' u is linear in u, and its derivative by u is J again.
    """
    with torch.enable_grad():
        at = z.detach().requires_grad_()
        likelihood = model.decode((at[None],))
        mean = likelihood.mean[0]
        u = torch.zeros_like(mean, requires_grad=True)
        (pulled,) = torch.autograd.grad(mean, at, u, create_graph=True)
        columns = [
            torch.autograd.grad(pulled[:, j].sum(), u, retain_graph=True)[0].flatten(1)
            for j in range(z.shape[1])
        ]
    # Where a coin's variance leaves float32, its mean has no slope either: zero over something.
    variance = likelihood.variance[0].detach().flatten(1).clamp_min(1e-30)
    squares = torch.stack([column.square() for column in columns], 1)
    return squares.sum((1, 2)).sqrt(), (squares / variance[:, None]).sum(2)


def _of_codes(codes: Codes, beta: float) -> dict[str, Any]:
    loc, variance = codes.loc, codes.variance
    spread = loc.var(0, correction=0)
    kl = 0.5 * (torch.expm1(codes.log_variance) - codes.log_variance + loc.square())
    return {
        "log_variance": codes.log_variance.mean(0).tolist(),
        "variance": variance.mean(0).tolist(),
        "spread": spread.tolist(),
        "share": (variance.mean(0) / (variance.mean(0) + spread)).tolist(),
        "kl": kl.mean(0).tolist(),
        "distance": loc.norm(dim=1).mean().item(),
        "kl_half": kl_half(codes, beta).mean(0).tolist(),
    }


def _log_likelihood(likelihood: Independent, observation: Observation) -> Tensor:
    return log_prob_per_value(likelihood, observation).flatten(2).sum(-1)
