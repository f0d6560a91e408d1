"""A VAE with several stochastic layers, inferred from the bottom up.

    p(x, z) = p(z_L) p(z_{L-1} | z_L) ... p(z_1 | z_2) p(x | z_1)
    q(z | x) = q(z_1 | x) q(z_2 | z_1) ... q(z_L | z_{L-1})

Between two layers, in either direction, lies a network of its own. All factors but p(z_L) are
diagonal Gaussians. The KL of the top layer is exact given the layer below; that of the others is
an estimate, because z_{l+1} was drawn given z_l:

    KL_l = E[log q(z_l | z_{l-1}) - log p(z_l | z_{l+1})]

Reference:
    Rezende, Mohamed and Wierstra (2014), Stochastic Backpropagation and Approximate
    Inference in Deep Generative Models, https://arxiv.org/abs/1401.4082
    Burda, Grosse and Salakhutdinov (2015), Importance Weighted Autoencoders, section 5,
    https://arxiv.org/abs/1509.00519
"""

from itertools import pairwise
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
from vaekit.models.layers import (
    apart,
    given_or_drawn,
    layer_noise,
    layered_facts,
    refuse_conditions,
    sample_noise,
    side_by_side,
)
from vaekit.models.model import Encoding, Facts, Inference, Latents, Model, Noise
from vaekit.networks import (
    MLPSpec,
    NetworkSpec,
    over_samples,
    refuse_spatial,
    uses_batch_statistics,
)
from vaekit.numerics import NoiseSpec
from vaekit.posteriors import DiagonalGaussianPosterior, DiagonalGaussianSpec
from vaekit.priors import RealNVPSpec, StandardNormalSpec, TopPriorSpec
from vaekit.spec import Spec


@final
class GivenLayer(nn.Module):
    """A diagonal Gaussian over one layer, given samples of the layer beside it.

    Args:
        network: From those samples to parameters.
        gaussian: What the parameters mean.
    """

    def __init__(self, network: nn.Module, gaussian: DiagonalGaussianPosterior) -> None:
        super().__init__()
        self.network, self.gaussian = network, gaussian

    def forward(self, z: Float[Tensor, "samples batch latent"]) -> Independent:
        return self.gaussian(over_samples(self.network, z))


@final
class HierarchicalVAE(Model):
    """A VAE whose layers of latent variables follow one another.

    Args:
        encoder: Observation to parameters of q(z_1 | x).
        posterior: Those parameters to the factor.
        upwards: q(z_2 | z_1), q(z_3 | z_2), ...
        prior: p(z_L).
        downwards: p(z_{L-1} | z_L), ..., p(z_1 | z_2).
        decoder: z_1 to parameters of the likelihood.
        likelihood: Those parameters to p(x | z_1).
    """

    def __init__(
        self,
        encoder: Encoder,
        posterior: DiagonalGaussianPosterior,
        upwards: list[GivenLayer],
        prior: nn.Module,
        downwards: list[GivenLayer],
        decoder: Decoder,
        likelihood: Likelihood,
    ) -> None:
        super().__init__()
        self.encoder, self.posterior = encoder, posterior
        self.upwards, self.downwards = nn.ModuleList(upwards), nn.ModuleList(downwards)
        self.prior, self.decoder, self.likelihood = prior, decoder, likelihood
        self.event_shape = likelihood.event_shape
        gaussians = [*(layer.gaussian for layer in reversed(upwards)), posterior]
        self.sizes = tuple(gaussian.latent_dim for gaussian in gaussians)

    @property
    def facts(self) -> Facts:
        return layered_facts(uses_batch_statistics(self), len(self.sizes))

    def noise_spec(self, batch: int, num_samples: int = 1) -> tuple[NoiseSpec, ...]:
        return layer_noise(self.sizes, batch, num_samples)

    def sample_noise_spec(self, n: int) -> tuple[NoiseSpec, ...]:
        return sample_noise(self.noise_spec(n), self.prior)

    def encode(self, observation: Observation) -> Encoding:
        """Parameters of q(z_1 | x); the layers above see no more of x than z_1."""
        return (self.encoder(observation),)

    def infer(
        self,
        observation: Observation,
        num_samples: int = 1,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
        encoding: Encoding | None = None,
    ) -> Inference:
        spec = self.noise_spec(observation.x.shape[0], num_samples)
        noise = given_or_drawn(spec, noise, generator, self.decoder.output_bias)
        z, posterior = self._climb(encoding or self.encode(observation), noise)
        below = [p(above) for p, above in zip(self.downwards, z[:-1], strict=True)]
        return Inference(
            observation=observation,
            z=z,
            posterior=posterior,
            prior=(self.prior(observation.c), *below),
            likelihood=self.decode(z, observation.c),
            bottom_up=True,
        )

    def decode(self, z: Latents, c: Float[Tensor, "batch conditions"] | None = None) -> Independent:
        return self.likelihood(self.decoder(z[-1]))

    def sample(
        self,
        n: int,
        c: Float[Tensor, "n conditions"] | None = None,
        temperature: float = 1.0,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Independent:
        """The temperature scales the spread of every layer, given those above."""
        noise = given_or_drawn(
            self.sample_noise_spec(n), noise, generator, self.decoder.output_bias
        )
        z = from_noise(self.prior(c), noise[0], temperature)
        for p, standard in zip(self.downwards, noise[1:], strict=True):
            z = from_noise(p(z), standard, temperature)
        return self.likelihood(self.decoder(z[0]))

    def latents(self, codes: Float[Tensor, "batch features"]) -> Latents:
        return apart(codes, self.sizes)

    def embed(self, observation: Observation) -> Float[Tensor, "batch features"]:
        """Means of every layer, given the means of the layer below; side by side, top first."""
        parameters = self.encode(observation)
        noise = tuple(
            torch.zeros(spec.shape, device=parameters[0].device, dtype=parameters[0].dtype)
            for spec in self.noise_spec(observation.x.shape[0])
        )
        return side_by_side(self._climb(parameters, noise)[0])

    def _climb(self, encoding: Encoding, noise: Noise) -> tuple[Latents, tuple[Distribution, ...]]:
        """Draws layer after layer, from the one nearest x; gives them from the top."""
        (parameters,) = encoding
        factors: list[Distribution] = [self.posterior(parameters)]
        z = [from_noise(factors[0], noise[-1])]
        for q, standard in zip(self.upwards, reversed(noise[:-1]), strict=True):
            factors.append(q(z[-1]))
            z.append(from_noise(factors[-1], standard))
        return tuple(reversed(z)), tuple(reversed(factors))


class HierarchicalVAESpec(Spec):
    """Choices of a VAE with several stochastic layers."""

    kind: Literal["hierarchical_vae"] = "hierarchical_vae"
    latent_dims: tuple[PositiveInt, ...] = Field(
        default=(100, 50), min_length=1, description="Size of every layer, from x upwards."
    )
    encoder: NetworkSpec = MLPSpec(hidden=(200, 200))
    decoder: NetworkSpec = MLPSpec(hidden=(200, 200))
    between: MLPSpec = Field(
        default=MLPSpec(hidden=(100, 100)),
        description="Network between two layers, one upwards and one downwards for each pair.",
    )
    prior: TopPriorSpec = Field(default=StandardNormalSpec(), description="Of the top layer.")
    posterior: DiagonalGaussianSpec = Field(
        default=DiagonalGaussianSpec(), description="Of every layer; bounds both q and p."
    )
    likelihood: LikelihoodSpec = BernoulliSpec()

    @model_validator(mode="after")
    def _sizes_make_sense(self) -> Self:
        reason = "is lost between dense layers (the ladder_vae has spatial ones)"
        refuse_spatial(reason, encoder=self.encoder, decoder=self.decoder)
        if isinstance(self.prior, RealNVPSpec):
            self.prior.check_size(self.latent_dims[-1])
        return self

    @property
    def facts(self) -> Facts:
        """What the model built from this will declare."""
        several = len(self.latent_dims) > 1
        built = self if several else self.model_copy(update={"between": MLPSpec()})
        return layered_facts(uses_batch_statistics(built), len(self.latent_dims))

    def build(self, event_shape: tuple[int, ...], statistics: Statistics) -> HierarchicalVAE:
        """Wires the parts for examples of `event_shape`; weights come from torch's generator."""
        refuse_conditions(statistics.num_conditions, self.kind)
        likelihood = self.likelihood.build(event_shape)
        start = likelihood.initial_parameters(statistics.mean, statistics.std)
        first, top = self.latent_dims[0], self.latent_dims[-1]
        posterior = self.posterior.build(first)
        encoder = self.encoder.build_encoder(event_shape, posterior.num_parameters)
        pairs = list(pairwise(self.latent_dims))
        return HierarchicalVAE(
            encoder=Encoder(encoder, statistics),
            posterior=posterior,
            upwards=[self._given(below, above) for below, above in pairs],
            prior=self.prior.build(top),
            downwards=[self._given(above, below) for below, above in reversed(pairs)],
            decoder=Decoder(self.decoder.build_decoder(first, tuple(start.shape)), start),
            likelihood=likelihood,
        )

    def _given(self, condition: int, layer: int) -> GivenLayer:
        gaussian = self.posterior.build(layer)
        network = self.between.build_encoder((condition,), gaussian.num_parameters)
        return GivenLayer(network, gaussian)
