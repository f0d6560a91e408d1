"""The deterministic autoencoder: the baseline that a VAE is compared with.

It maps x to one code and back and maximises log p(x | z(x)). It has no posterior and no
prior, hence no bound on log p(x) and nothing to sample from: every such request is refused.

Reference:
    Hinton and Salakhutdinov (2006), Reducing the Dimensionality of Data with Neural
    Networks, https://doi.org/10.1126/science.1127647
"""

from typing import Literal, NoReturn, final

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor
from torch.distributions import Independent

from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.likelihoods import BernoulliSpec, Likelihood, LikelihoodSpec
from vaekit.models.decoder import Decoder
from vaekit.models.encoder import Encoder
from vaekit.models.model import Encoding, Facts, Inference, Latents, Model, Noise
from vaekit.networks import MLPSpec, NetworkSpec, uses_batch_statistics
from vaekit.numerics import NoiseSpec
from vaekit.spec import Spec


@final
class Autoencoder(Model):
    """An autoencoder without noise.

    Args:
        encoder: Observation to code.
        decoder: Code to parameters of the likelihood.
        likelihood: Those parameters to p(x | z).
        latent_dim: Size of the code.
    """

    def __init__(
        self, encoder: Encoder, decoder: Decoder, likelihood: Likelihood, latent_dim: int
    ) -> None:
        super().__init__()
        self.encoder, self.decoder, self.likelihood = encoder, decoder, likelihood
        self.event_shape, self.latent_dim = likelihood.event_shape, latent_dim

    @property
    def facts(self) -> Facts:
        return _facts(uses_batch_statistics(self))

    def noise_spec(self, batch: int, num_samples: int = 1) -> tuple[NoiseSpec, ...]:
        return ()

    def encode(self, observation: Observation) -> Encoding:
        """The code."""
        return (self.encoder(observation),)

    def infer(
        self,
        observation: Observation,
        num_samples: int = 1,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
        encoding: Encoding | None = None,
    ) -> Inference:
        """The one code of each example, `num_samples` times over; there is no posterior."""
        (code,) = encoding or self.encode(observation)
        z = (code.expand(num_samples, *code.shape),)
        return Inference(
            observation, z, posterior=(), prior=(), likelihood=self.decode(z, observation.c)
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
    ) -> NoReturn:
        raise SpecError(
            "A deterministic autoencoder has no prior to sample from.",
            remedy="choose model.kind = 'vae'",
        )

    def embed(self, observation: Observation) -> Float[Tensor, "batch features"]:
        return self.encoder(observation)


def _facts(batch_statistics: bool) -> Facts:
    return Facts(
        has_density=False,
        reparameterized=False,
        batch_statistics=batch_statistics,
        stochastic=False,
        conditional=True,
    )


class AutoencoderSpec(Spec):
    """Choices of a deterministic autoencoder."""

    kind: Literal["autoencoder"] = "autoencoder"
    latent_dim: PositiveInt = Field(default=40, description="Size of the code.")
    encoder: NetworkSpec = MLPSpec()
    decoder: NetworkSpec = MLPSpec()
    likelihood: LikelihoodSpec = BernoulliSpec()

    @property
    def facts(self) -> Facts:
        """What the model built from this will declare."""
        return _facts(uses_batch_statistics(self))

    def build(self, event_shape: tuple[int, ...], statistics: Statistics) -> Autoencoder:
        """Wires the parts for examples of `event_shape`."""
        likelihood = self.likelihood.build(event_shape)
        start = likelihood.initial_parameters(statistics.mean, statistics.std)
        encoder = self.encoder.build_encoder(event_shape, self.latent_dim)
        conditions = statistics.num_conditions
        decoder = self.decoder.build_decoder(self.latent_dim + conditions, tuple(start.shape))
        return Autoencoder(
            Encoder(encoder, statistics),
            Decoder(decoder, start, conditions),
            likelihood,
            self.latent_dim,
        )
