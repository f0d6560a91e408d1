"""The variational autoencoder: one stochastic layer, four parts.

    p(x, z) = p(x | z) p(z),    q(z | x),    ELBO = E_q[log p(x | z)] - KL(q(z | x) || p(z))

Reference:
    Kingma and Welling (2013), Auto-Encoding Variational Bayes,
    https://arxiv.org/abs/1312.6114
    Rezende, Mohamed and Wierstra (2014), Stochastic Backpropagation and Approximate
    Inference in Deep Generative Models, https://arxiv.org/abs/1401.4082
"""

from typing import Literal, Self, final

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from vaekit.data import Observation, Statistics
from vaekit.distributions import from_noise
from vaekit.likelihoods import BernoulliSpec, Likelihood, LikelihoodSpec
from vaekit.models.decoder import Decoder
from vaekit.models.encoder import Encoder
from vaekit.models.layers import given_or_drawn
from vaekit.models.model import Encoding, Facts, Inference, Latents, Model, Noise
from vaekit.networks import (
    MLPSpec,
    NetworkSpec,
    ResidualConvSpec,
    is_spatial,
    refuse_spatial,
    uses_batch_statistics,
)
from vaekit.numerics import NoiseSpec
from vaekit.posteriors import (
    DiagonalGaussianPosterior,
    DiagonalGaussianSpec,
    FullCovarianceSpec,
    Posterior,
    PosteriorSpec,
)
from vaekit.priors import PriorSpec, RealNVPSpec, StandardNormalSpec, VampPrior, VampSpec
from vaekit.spec import Spec


@final
class VAE(Model):
    """A VAE with one layer of latent variables.

    Args:
        encoder: Observation to parameters of the posterior.
        posterior: Those parameters to q(z | x).
        prior: p(z).
        decoder: z to parameters of the likelihood.
        likelihood: Those parameters to p(x | z).
    """

    def __init__(
        self,
        encoder: Encoder,
        posterior: Posterior,
        prior: nn.Module,
        decoder: Decoder,
        likelihood: Likelihood,
    ) -> None:
        super().__init__()
        self.encoder, self.posterior, self.prior = encoder, posterior, prior
        self.decoder, self.likelihood = decoder, likelihood
        self.event_shape = likelihood.event_shape
        self.latent_dim = posterior.latent_dim

    @property
    def facts(self) -> Facts:
        splits = isinstance(self.posterior, DiagonalGaussianPosterior)
        return _facts(uses_batch_statistics(self), splits, isinstance(self.prior, VampPrior))

    def noise_spec(self, batch: int, num_samples: int = 1) -> tuple[NoiseSpec, ...]:
        return (NoiseSpec("z", (num_samples, batch, self.latent_dim)),)

    def sample_noise_spec(self, n: int) -> tuple[NoiseSpec, ...]:
        size = getattr(self.prior, "noise_size", self.latent_dim)
        return (NoiseSpec("z", (1, n, int(size))),)

    def encode(self, observation: Observation) -> Encoding:
        """Parameters of the posterior."""
        return (self.encoder(observation),)

    def infer(
        self,
        observation: Observation,
        num_samples: int = 1,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
        encoding: Encoding | None = None,
    ) -> Inference:
        (parameters,) = encoding or self.encode(observation)
        posterior = self.posterior(parameters)
        spec = self.noise_spec(observation.x.shape[0], num_samples)
        z = (from_noise(posterior, self._noise(spec, noise, generator)),)
        return Inference(
            observation=observation,
            z=z,
            posterior=(posterior,),
            prior=(self._prior(observation.c),),
            likelihood=self.decode(z, observation.c),
        )

    def decode(self, z: Latents, c: Float[Tensor, "batch conditions"] | None = None) -> Independent:
        (code,) = z
        return self.likelihood(self.decoder(code, c))

    def sample(
        self,
        n: int,
        c: Float[Tensor, "n conditions"] | None = None,
        temperature: float = 1.0,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Independent:
        standard = self._noise(self.sample_noise_spec(n), noise, generator)[0]
        z = from_noise(self._prior(c), standard, temperature)
        return self.likelihood(self.decoder(z, c))

    def _prior(self, c: Float[Tensor, "batch conditions"] | None) -> Distribution:
        if isinstance(self.prior, VampPrior):
            pseudo = Observation(self.prior.pseudo_inputs)
            return self.prior(self.posterior(self.encoder(pseudo)))
        return self.prior(c)

    def embed(self, observation: Observation) -> Float[Tensor, "batch features"]:
        """The posterior mean; of a flow, what noise of zero becomes."""
        parameters = self.encoder(observation)
        zeros = parameters.new_zeros(parameters.shape[0], self.latent_dim)
        return from_noise(self.posterior(parameters), zeros)

    def _noise(
        self,
        spec: tuple[NoiseSpec, ...],
        noise: Noise | None,
        generator: torch.Generator | None,
    ) -> Tensor:
        (standard,) = given_or_drawn(spec, noise, generator, self.decoder.output_bias)
        return standard


def _facts(batch_statistics: bool, independent_dimensions: bool, shared_weights: bool) -> Facts:
    return Facts(
        has_density=True,
        reparameterized=True,
        batch_statistics=batch_statistics,
        independent_dimensions=independent_dimensions,
        conditional=True,
        shared_weights=shared_weights,
    )


class VAESpec(Spec):
    """Choices of a VAE."""

    kind: Literal["vae"] = "vae"
    latent_dim: PositiveInt = Field(default=40, description="Number of latent dimensions.")
    encoder: NetworkSpec = MLPSpec()
    decoder: NetworkSpec = MLPSpec()
    prior: PriorSpec = StandardNormalSpec()
    posterior: PosteriorSpec = DiagonalGaussianSpec()
    likelihood: LikelihoodSpec = BernoulliSpec()

    @property
    def facts(self) -> Facts:
        """What the model built from this will declare."""
        splits = isinstance(self.posterior, DiagonalGaussianSpec)
        return _facts(uses_batch_statistics(self), splits, isinstance(self.prior, VampSpec))

    @model_validator(mode="after")
    def _vamp_goes_with_its_encoder(self) -> Self:
        if not isinstance(self.prior, VampSpec):
            return self
        if not isinstance(self.posterior, DiagonalGaussianSpec):
            raise ValueError(
                "prior.kind = 'vamp' is a mixture of diagonal Gaussians; choose "
                "posterior.kind = 'diagonal_gaussian', or prior.kind = 'mixture'"
            )
        if self.encoder.uses_batch_statistics:
            raise ValueError(
                "prior.kind = 'vamp' encodes pseudo-inputs beside the data, and batch "
                "normalisation would average over both; choose encoder.normalization = 'layer' "
                "or 'group'"
            )
        return self

    @model_validator(mode="after")
    def _sizes_make_sense(self) -> Self:
        if not isinstance(self.posterior, DiagonalGaussianSpec):
            reason = f"is torn apart by posterior.kind = {self.posterior.kind!r}"
            refuse_spatial(reason, encoder=self.encoder, decoder=self.decoder)
        for part in (self.prior, self.posterior):
            if isinstance(part, RealNVPSpec | FullCovarianceSpec):
                part.check_size(self.latent_dim)
        return self

    def build(self, event_shape: tuple[int, ...], statistics: Statistics) -> VAE:
        """Wires the parts for examples of `event_shape`; weights come from torch's generator."""
        likelihood = self.likelihood.build(event_shape)
        posterior = self.posterior.build(self.latent_dim)
        start = likelihood.initial_parameters(statistics.mean, statistics.std)
        if isinstance(self.encoder, ResidualConvSpec) and is_spatial(self.encoder):
            self.encoder.planes(event_shape, self.latent_dim)  # each parameter of z is one image
        encoder = self.encoder.build_encoder(event_shape, posterior.num_parameters)
        conditions = statistics.num_conditions
        decoder = self.decoder.build_decoder(self.latent_dim + conditions, tuple(start.shape))
        return VAE(
            encoder=Encoder(encoder, statistics),
            posterior=posterior,
            prior=self.prior.build(self.latent_dim, statistics),
            decoder=Decoder(decoder, start, conditions),
            likelihood=likelihood,
        )
