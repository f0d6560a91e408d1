"""The VQ-VAE: each example is a sequence of codes out of one codebook, with a learned prior.

    k_i(x) = argmin_k |e_k - encoder(x)_i|,    z_i = e_{k_i},    i = 1, ..., positions
    log p(x) >= log p(x | z(x)) + log p(k(x))

The bound is the ELBO of a posterior that is a single point among discrete codes: its KL is
-log p(k), the length of the code in nats. Gradients pass straight through from z to the encoder,
which a commitment penalty keeps near the codes it chose; the codebook follows by moving averages,
and the prior by maximum likelihood of codes that carry no gradient. What is usually a second stage
is therefore trained by the same objective in the same run: the prior gets the gradient it would get
from a frozen encoder, and the encoder the one it would get without a prior.

Networks whose code is a small image have a position for each of its pixels, as published; others
read all codes off the whole example.

Reference:
    van den Oord, Vinyals and Kavukcuoglu (2017), Neural Discrete Representation Learning,
    https://arxiv.org/abs/1711.00937
"""

from typing import Literal, Self, final

import torch
from jaxtyping import Float, Int64
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn
from torch.distributions import Independent

from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.likelihoods import BernoulliSpec, Likelihood, LikelihoodSpec
from vaekit.models.code_factors import CodesOfPrior, SingleCode
from vaekit.models.codebook import Codebook, CodebookSpec
from vaekit.models.decoder import Decoder
from vaekit.models.encoder import Encoder
from vaekit.models.layers import given_or_drawn, refuse_conditions
from vaekit.models.model import Encoding, Facts, Inference, Latents, Model, Noise
from vaekit.networks import (
    MLPSpec,
    NetworkSpec,
    ResidualConvSpec,
    Transposed,
    is_spatial,
    uses_batch_statistics,
)
from vaekit.numerics import NoiseSpec
from vaekit.priors import AutoregressiveCodesSpec, CodePrior, CodePriorSpec
from vaekit.spec import Spec


@final
class VQVAE(Model):
    """A VAE whose codes are entries of a codebook.

    Args:
        encoder: Observation to a vector per position.
        codebook: The codes.
        prior: p(k) of the sequence of codes.
        decoder: Vectors of codes to parameters of the likelihood.
        likelihood: Those parameters to p(x | z).
    """

    def __init__(
        self,
        encoder: Encoder,
        codebook: Codebook,
        prior: CodePrior,
        decoder: Decoder,
        likelihood: Likelihood,
    ) -> None:
        super().__init__()
        self.encoder, self.codebook, self.prior = encoder, codebook, prior
        self.decoder, self.likelihood = decoder, likelihood
        self.event_shape = likelihood.event_shape

    @property
    def facts(self) -> Facts:
        return _facts(uses_batch_statistics(self))

    def noise_spec(self, batch: int, num_samples: int = 1) -> tuple[NoiseSpec, ...]:
        """For the prior's draws, and in training for the revival of dead codes."""
        return (NoiseSpec("codes", (num_samples, batch, self.prior.positions), "uniform"),)

    def encode(self, observation: Observation) -> Encoding:
        """Vectors, before they become codes."""
        return (self.encoder(observation),)

    def indices(self, observation: Observation) -> Int64[Tensor, "batch positions"]:
        """The codes of each example, by their number in the codebook."""
        return self.codebook.nearest(self._by_position(*self.encode(observation)))

    def infer(
        self,
        observation: Observation,
        num_samples: int = 1,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
        encoding: Encoding | None = None,
    ) -> Inference:
        """The one code of each example, `num_samples` times over.

        In training mode the codebook follows the batch, after it was used.
        """
        uniform = self._noise(observation.x.shape[0], num_samples, noise, generator)
        (flat,) = encoding or self.encode(observation)
        vectors = self._by_position(flat)
        codes = self.codebook.nearest(vectors)
        chosen = self.codebook(codes)
        # In evaluation mode, exactly a code; in training mode, one with the vector's gradient.
        straight = vectors + (chosen - vectors).detach() if self.training else chosen
        q = SingleCode(codes, straight)
        z = (q.from_noise(uniform),)
        usage = self.codebook.usage(codes)
        away = (vectors - chosen).square().flatten(1).sum(-1)
        before = self.codebook.vectors
        if self.training and observation.x.shape[0]:
            before = before.clone()
            self.codebook.take_in(vectors, codes, uniform[0])
        return Inference(
            observation=observation,
            z=z,
            posterior=(q,),
            prior=(CodesOfPrior(self.prior, before),),
            likelihood=self._likelihood(straight, num_samples),
            penalty=self.codebook.spec.commitment * away.mean(),
            reported={
                "code_perplexity": torch.special.entr(usage).sum().exp(),
                "code_distance": away.detach().mean(),
            },
        )

    def decode(self, z: Latents, c: Float[Tensor, "batch conditions"] | None = None) -> Independent:
        """p(x | z) for vectors, of shape (samples, batch, positions, dim) or flat."""
        (vectors,) = z
        return self.likelihood(self.decoder(vectors.flatten(2)))

    def sample(
        self,
        n: int,
        c: Float[Tensor, "n conditions"] | None = None,
        temperature: float = 1.0,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Independent:
        uniform = self._noise(n, 1, noise, generator)[0]
        vectors = self.codebook(self.prior.from_noise(uniform, temperature))
        return self.likelihood(self.decoder(vectors.flatten(1)))

    def embed(self, observation: Observation) -> Float[Tensor, "batch features"]:
        """The vectors of the codes, side by side; `indices` has their numbers."""
        return self.codebook(self.indices(observation)).flatten(1)

    def code_usage(self, observation: Observation) -> Float[Tensor, "groups classes"]:
        """Of the one codebook, over all positions."""
        return self.codebook.usage(self.indices(observation)).unsqueeze(0)

    def _likelihood(self, vectors: Tensor, num_samples: int) -> Independent:
        """Decoded once, whatever the number of samples."""
        parameters = self.decoder(vectors.flatten(1))
        return self.likelihood(parameters.expand(num_samples, *parameters.shape))

    def _by_position(self, flat: Tensor) -> Tensor:
        return flat.reshape(flat.shape[0], self.prior.positions, self.codebook.spec.dim)

    def _noise(
        self, n: int, num_samples: int, noise: Noise | None, generator: torch.Generator | None
    ) -> Tensor:
        spec = self.noise_spec(n, num_samples)
        (uniform,) = given_or_drawn(spec, noise, generator, self.decoder.output_bias)
        return uniform


def _facts(batch_statistics: bool) -> Facts:
    return Facts(
        has_density=True,
        reparameterized=True,
        batch_statistics=batch_statistics,
        independent_dimensions=False,
        latent="discrete",
        stochastic=False,
    )


class VQVAESpec(Spec):
    """Choices of a VQ-VAE."""

    kind: Literal["vq_vae"] = "vq_vae"
    positions: PositiveInt = Field(default=20, description="Codes per example.")
    codebook: CodebookSpec = CodebookSpec()
    encoder: NetworkSpec = MLPSpec()
    decoder: NetworkSpec = MLPSpec()
    code_prior: CodePriorSpec = AutoregressiveCodesSpec()
    likelihood: LikelihoodSpec = BernoulliSpec()

    @model_validator(mode="after")
    def _are_alike(self) -> Self:
        if is_spatial(self.encoder) != is_spatial(self.decoder):
            raise ValueError("encoder.code and decoder.code must both be 'spatial', or neither")
        return self

    @property
    def facts(self) -> Facts:
        """What the model built from this will declare."""
        return _facts(uses_batch_statistics(self))

    def build(self, event_shape: tuple[int, ...], statistics: Statistics) -> VQVAE:
        """Wires the parts for examples of `event_shape`; weights come from torch's generator."""
        refuse_conditions(statistics.num_conditions, self.kind)
        for network in (self.encoder, self.decoder):
            self._check_positions(network, event_shape)
        likelihood = self.likelihood.build(event_shape)
        start = likelihood.initial_parameters(statistics.mean, statistics.std)
        features = self.positions * self.codebook.dim
        encoder = self.encoder.build_encoder(event_shape, features)
        decoder = self.decoder.build_decoder(features, tuple(start.shape))
        if is_spatial(self.encoder):  # a channel after the other, and here a pixel after the other
            encoder = nn.Sequential(*encoder, Transposed(self.codebook.dim, self.positions))
            decoder = nn.Sequential(Transposed(self.positions, self.codebook.dim), *decoder)
        return VQVAE(
            Encoder(encoder, statistics),
            self.codebook.build(),
            self.code_prior.build(self.positions, self.codebook.size),
            Decoder(decoder, start),
            likelihood,
        )

    def _check_positions(self, network: NetworkSpec, event_shape: tuple[int, ...]) -> None:
        if not (isinstance(network, ResidualConvSpec) and is_spatial(network)):
            return
        height, width = network.code_size(event_shape)
        if self.positions != height * width:
            raise SpecError(
                "A spatial code of a VQ-VAE has a position for each of its pixels.",
                where="model.positions, with code = 'spatial'",
                expected=f"{height} x {width} = {height * width}",
                found=self.positions,
                remedy=f"set model.positions = {height * width}, or choose code = 'dense'",
            )
