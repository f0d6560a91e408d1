"""The model whose every number is known: a linear decoder with Gaussian noise.

    z ~ N(0, I),    x | z ~ N(W z + mean, sigma^2 I),    columns w_i of W orthogonal
    log p(x) = log N(x; mean, W W' + sigma^2 I)
    p(z | x) = prod_i N(z_i; w_i' (x - mean) / lambda_i, sigma^2 / lambda_i)
    lambda_i = |w_i|^2 + sigma^2

It is given as a real `VAE` built from its spec, in float64, so that a test of an objective or
a measure goes through everything that a user's model goes through.

Reference:
    Lucas, Tucker, Grosse and Norouzi (2019), Don't Blame the ELBO! A Linear VAE Perspective
    on Posterior Collapse, https://arxiv.org/abs/1911.02469
"""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from vaekit.data import Observation, Statistics
from vaekit.likelihoods import GaussianSpec
from vaekit.models import VAE, VAESpec
from vaekit.networks import MLPSpec
from vaekit.numerics import generator_for, inverse_smooth_bound

LENGTHS = (2.0, 1.0, 0.5)
"""Lengths of the decoder's columns."""


@final
@dataclass(frozen=True)
class LinearModel:
    """The parameters, and what follows from them exactly."""

    columns: Tensor
    """W, shape (values, latent)."""
    mean: Tensor
    sigma: float

    @property
    def eigenvalues(self) -> Tensor:
        """lambda_i, the variances of x along the columns."""
        return self.columns.square().sum(0) + self.sigma**2

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), by torch's own multivariate normal."""
        noise = self.sigma**2 * torch.eye(len(self.mean), dtype=x.dtype)
        return MultivariateNormal(self.mean, self.columns @ self.columns.T + noise).log_prob(x)

    def posterior_mean(self, x: Tensor) -> Tensor:
        return (x - self.mean) @ self.columns / self.eigenvalues

    @property
    def posterior_scale(self) -> Tensor:
        return self.sigma / self.eigenvalues.sqrt()

    def draw(self, n: int, seed: int = 0) -> Observation:
        """Examples from p(x)."""
        generator = generator_for(seed, "linear model")
        values, latent = self.columns.shape
        z = torch.randn(n, latent, generator=generator, dtype=torch.float64)
        noise = torch.randn(n, values, generator=generator, dtype=torch.float64)
        return Observation(z @ self.columns.T + self.mean + self.sigma * noise)

    def vae(self, shift: float = 0.0, stretch: float = 1.0) -> VAE:
        """The VAE with this decoder and q(z | x) = N(posterior mean + shift, (stretch scale)^2).

        Args:
            shift: Zero for the exact posterior.
            stretch: One for the exact posterior.
        """
        model = linear_vae(len(self.mean), len(self.eigenvalues), scale=self.sigma)
        into, out = linear_layer(model.encoder), linear_layer(model.decoder)
        latent = self.columns.shape[1]
        log_scale = (stretch * self.posterior_scale).log()
        limit = torch.where(log_scale > 0, 2.0, 7.0).to(log_scale.dtype)  # of the posterior
        raw = inverse_smooth_bound(log_scale, limit)
        with torch.no_grad():
            model.encoder.mean.copy_(self.mean)
            model.encoder.spread.fill_(3.0)  # whatever it is, the weights below undo it
            into.weight[:latent] = 3.0 * (self.columns / self.eigenvalues).T
            into.weight[latent:] = 0.0
            into.bias.copy_(torch.cat([torch.full_like(raw, shift), raw]))
            out.weight.copy_(self.columns)
            model.decoder.output_bias.copy_(self.mean.unsqueeze(0))
        return model


def linear_model(values: int = 6, sigma: float = 0.7, seed: int = 0) -> LinearModel:
    """A linear model with orthogonal columns in a direction that the seed decides."""
    generator = generator_for(seed, "directions")
    square = torch.randn(values, values, generator=generator, dtype=torch.float64)
    directions = torch.linalg.qr(square).Q[:, : len(LENGTHS)]
    mean = torch.randn(values, generator=generator, dtype=torch.float64)
    return LinearModel(directions * torch.tensor(LENGTHS, dtype=torch.float64), mean, sigma)


def linear_vae(values: int, latent: int, scale: float | str) -> VAE:
    """An untrained VAE with linear encoder and decoder, in float64."""
    spec = VAESpec.model_validate(
        {
            "latent_dim": latent,
            "encoder": MLPSpec(hidden=()),
            "decoder": MLPSpec(hidden=()),
            "likelihood": GaussianSpec.model_validate({"scale": scale}),
        }
    )
    return spec.build((values,), Statistics(torch.zeros(values), torch.ones(values))).double()


def linear_layer(part: nn.Module) -> nn.Linear:
    """The one linear layer of an encoder or decoder."""
    (layer,) = [module for module in part.modules() if isinstance(module, nn.Linear)]
    return layer


def sigma_points(latent: int, batch: int) -> tuple[Tensor]:
    """Noise over which the average of any quadratic function is its exact expectation.

    The points +-sqrt(latent) e_i have mean zero and covariance one; a linear decoder's
    log-likelihood is quadratic in z, so an ELBO with this noise has no sampling error.
    """
    axes = latent**0.5 * torch.eye(latent, dtype=torch.float64)
    return (torch.cat([axes, -axes]).unsqueeze(1).expand(-1, batch, -1),)
