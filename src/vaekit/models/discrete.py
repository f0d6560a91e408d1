"""The categorical VAE: discrete latent variables, relaxed by Gumbel-softmax for training.

    p(z_d) = 1 / K,    q(z_d | x) = Categorical(pi_d(x)),    KL = sum_d (log K - H(q(z_d | x)))

z is `variables` one-hot vectors of K `classes`. In training mode draws are relaxed at a temperature
that falls with the epochs, so that gradients reach the encoder; the KL is that of the categorical
variables. In evaluation mode draws are hard: bounds, importance sampling and samples are those of
the discrete model.

References:
    Jang, Gu and Poole (2016), Categorical Reparameterization with Gumbel-Softmax,
    https://arxiv.org/abs/1611.01144
    Maddison, Mnih and Teh (2016), The Concrete Distribution: A Continuous Relaxation of Discrete
    Random Variables, https://arxiv.org/abs/1611.00712
"""

from collections.abc import Mapping
from typing import Literal, Self, final

import torch
from jaxtyping import Float
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import Tensor
from torch.distributions import Independent

from vaekit.data import Observation, Statistics
from vaekit.distributions import OneHot
from vaekit.likelihoods import BernoulliSpec, Likelihood, LikelihoodSpec
from vaekit.models.decoder import Decoder
from vaekit.models.encoder import Encoder
from vaekit.models.layers import given_or_drawn, refuse_conditions
from vaekit.models.model import Encoding, Facts, Inference, Latents, Model, Noise
from vaekit.networks import MLPSpec, NetworkSpec, refuse_spatial, uses_batch_statistics
from vaekit.numerics import NoiseSpec
from vaekit.spec import Spec


class RelaxationSpec(Spec):
    """How draws are relaxed in training: start (end / start)^(epoch / epochs), then `end`."""

    start: PositiveFloat = Field(default=1.0, description="Temperature at first.")
    end: PositiveFloat = Field(default=0.4, description="Temperature in the end.")
    epochs: PositiveFloat = Field(default=20.0, description="Epochs until `end` is reached.")
    straight_through: bool = Field(
        default=False, description="The decoder sees hard draws, the encoder relaxed gradients."
    )

    def temperature(self, epoch: float) -> float:
        """Temperature after `epoch` epochs."""
        return self.start * (self.end / self.start) ** min(1.0, epoch / self.epochs)


@final
class CategoricalVAE(Model):
    """A VAE with one layer of categorical variables.

    Args:
        encoder: Observation to the logits of q(z | x).
        decoder: One-hot codes to parameters of the likelihood.
        likelihood: Those parameters to p(x | z).
        shape: Number of variables, and classes of each.
        relaxation: How training draws.
    """

    uniform: Tensor

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        likelihood: Likelihood,
        shape: tuple[int, int],
        relaxation: RelaxationSpec,
    ) -> None:
        super().__init__()
        self.encoder, self.decoder, self.likelihood = encoder, decoder, likelihood
        self.event_shape, self.shape = likelihood.event_shape, shape
        self.relaxation = relaxation
        self.temperature: float | Tensor = relaxation.start
        self.register_buffer("uniform", torch.zeros(shape), persistent=False)

    @property
    def facts(self) -> Facts:
        return _facts(uses_batch_statistics(self))

    def schedule(self, epoch: float) -> dict[str, float]:
        return {"temperature": self.relaxation.temperature(epoch)}

    def follow(self, schedule: Mapping[str, float | Tensor]) -> None:
        self.temperature = schedule["temperature"]

    def noise_spec(self, batch: int, num_samples: int = 1) -> tuple[NoiseSpec, ...]:
        return (NoiseSpec("z", (num_samples, batch, *self.shape), "uniform"),)

    def encode(self, observation: Observation) -> Encoding:
        """Logits of the classes."""
        return (self.encoder(observation),)

    def infer(
        self,
        observation: Observation,
        num_samples: int = 1,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
        encoding: Encoding | None = None,
    ) -> Inference:
        """Relaxed draws in training mode, hard ones in evaluation mode."""
        (logits,) = encoding or self.encode(observation)
        q = self._categorical(logits)
        z = (q.from_noise(self._noise(observation.x.shape[0], num_samples, noise, generator)),)
        return Inference(
            observation=observation,
            z=z,
            posterior=(Independent(q, 1, validate_args=False),),
            prior=(Independent(OneHot(self.uniform), 1, validate_args=False),),
            likelihood=self.decode(z, observation.c),
        )

    def decode(self, z: Latents, c: Float[Tensor, "batch conditions"] | None = None) -> Independent:
        """p(x | z) for one-hot codes, of shape (samples, batch, variables, classes) or flat."""
        (code,) = z
        return self.likelihood(self.decoder(code.flatten(2)))

    def sample(
        self,
        n: int,
        c: Float[Tensor, "n conditions"] | None = None,
        temperature: float = 1.0,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Independent:
        """p(x | z) for hard draws of z; under a uniform prior, temperatures above 0 are alike."""
        uniform = self._noise(n, 1, noise, generator)[0]
        z = OneHot(self.uniform).from_noise(uniform, scale=temperature)
        return self.likelihood(self.decoder(z.flatten(1)))

    def embed(self, observation: Observation) -> Float[Tensor, "batch features"]:
        """The most probable classes, one-hot side by side."""
        (logits,) = self.encode(observation)
        return self._categorical(logits).mode.flatten(1)

    def code_usage(self, observation: Observation) -> Float[Tensor, "groups classes"]:
        """Of each variable, averaged over the examples."""
        (logits,) = self.encode(observation)
        return self._categorical(logits).mean.mean(0)

    def _categorical(self, logits: Tensor) -> OneHot:
        temperature = self.temperature if self.training else None
        by_variable = logits.reshape(logits.shape[0], *self.shape)
        return OneHot(by_variable, temperature, self.relaxation.straight_through)

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
        latent="discrete",
    )


class CategoricalVAESpec(Spec):
    """Choices of a categorical VAE."""

    kind: Literal["categorical_vae"] = "categorical_vae"
    variables: PositiveInt = Field(default=30, description="Number of categorical variables.")
    classes: int = Field(default=10, ge=2, description="Classes of each variable.")
    encoder: NetworkSpec = MLPSpec()
    decoder: NetworkSpec = MLPSpec()
    relaxation: RelaxationSpec = RelaxationSpec()
    likelihood: LikelihoodSpec = BernoulliSpec()

    @model_validator(mode="after")
    def _are_dense(self) -> Self:
        reason = "has no place among categorical variables"
        refuse_spatial(reason, encoder=self.encoder, decoder=self.decoder)
        return self

    @property
    def facts(self) -> Facts:
        """What the model built from this will declare."""
        return _facts(uses_batch_statistics(self))

    def build(self, event_shape: tuple[int, ...], statistics: Statistics) -> CategoricalVAE:
        """Wires the parts for examples of `event_shape`; weights come from torch's generator."""
        refuse_conditions(statistics.num_conditions, self.kind)
        likelihood = self.likelihood.build(event_shape)
        start = likelihood.initial_parameters(statistics.mean, statistics.std)
        features = self.variables * self.classes
        return CategoricalVAE(
            Encoder(self.encoder.build_encoder(event_shape, features), statistics),
            Decoder(self.decoder.build_decoder(features, tuple(start.shape)), start),
            likelihood,
            (self.variables, self.classes),
            self.relaxation,
        )
