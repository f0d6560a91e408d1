"""The semi-supervised VAE: a class and a code, and a classifier for what has no label.

    p(x, y, z) = p(y) p(z) p(x | y, z),    q(y, z | x) = q(y | x) q(z | x, y),    p(y) = 1 / classes

This is the model M2 of the paper. The class y is the top layer of z, one-hot, the code the other
one. Whatever looks at x leaves c aside: y is drawn from the classifier q(y | x), and bounds,
importance sampling and codes are those of p(x), label unseen. `sample` and `decode` take a class
where c has one; a row of zeros is an unknown class. Draws of y carry no gradient, so that
objectives sum over all classes instead (`given`).

The encoder network sees x alone; y joins in its last hidden layer, and every class of an example
costs no more than that layer.

Reference:
    Kingma, Rezende, Mohamed and Welling (2014), Semi-Supervised Learning with Deep Generative
    Models, https://arxiv.org/abs/1406.5298
"""

from dataclasses import replace
from typing import Literal, Self, final

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn
from torch.distributions import Independent

from vaekit.data import Observation, Statistics
from vaekit.distributions import OneHot, from_noise
from vaekit.errors import SpecError
from vaekit.likelihoods import BernoulliSpec, GaussianSpec, Likelihood, LikelihoodSpec
from vaekit.models.decoder import Decoder
from vaekit.models.encoder import Encoder
from vaekit.models.layers import apart, given_or_drawn, side_by_side
from vaekit.models.model import Encoding, Facts, Inference, Latents, Model, Noise
from vaekit.networks import (
    MLPSpec,
    NetworkSpec,
    over_samples,
    refuse_spatial,
    uses_batch_statistics,
)
from vaekit.numerics import NoiseSpec, at_least_float32
from vaekit.posteriors import DiagonalGaussianPosterior, DiagonalGaussianSpec
from vaekit.priors import StandardNormalSpec, TopPriorSpec
from vaekit.spec import Spec


@final
class CodeGivenClass(nn.Module):
    """q(z | x, y), from what the encoder says of x.

    Args:
        classes: Number of classes.
        hidden: What follows the sum of both: an activation, say.
        features: Numbers that the encoder gives, and numbers that `hidden` leaves of them.
        posterior: What the parameters mean.
    """

    def __init__(
        self,
        classes: int,
        hidden: nn.Module,
        features: tuple[int, int],
        posterior: DiagonalGaussianPosterior,
    ) -> None:
        super().__init__()
        self.join = nn.Linear(classes, features[0], bias=False)
        self.hidden, self.posterior = hidden, posterior
        self.head = nn.Linear(features[1], posterior.num_parameters)

    def forward(
        self,
        features: Float[Tensor, "batch features"],
        y: Float[Tensor, "samples batch classes"],
    ) -> Independent:
        joined = features + at_least_float32(self.join(y))
        return self.posterior(over_samples(nn.Sequential(self.hidden, self.head), joined))


@final
class SemiSupervisedVAE(Model):
    """A VAE whose first layer is the class of the example.

    Args:
        classifier: Observation to the logits of q(y | x).
        encoder: Observation to what q(z | x, y) is made of, beside y.
        code: That, and y, to q(z | x, y).
        prior: p(z).
        decoder: z and y, side by side, to parameters of the likelihood.
        likelihood: Those parameters to p(x | y, z).
    """

    uniform: Tensor

    def __init__(
        self,
        classifier: Encoder,
        encoder: Encoder,
        code: CodeGivenClass,
        prior: nn.Module,
        decoder: Decoder,
        likelihood: Likelihood,
    ) -> None:
        super().__init__()
        self.classifier, self.encoder, self.code = classifier, encoder, code
        self.prior, self.decoder, self.likelihood = prior, decoder, likelihood
        self.event_shape = likelihood.event_shape
        self.classes, self.latent_dim = code.join.in_features, code.posterior.latent_dim
        self.register_buffer("uniform", torch.zeros(self.classes), persistent=False)

    @property
    def facts(self) -> Facts:
        return _facts(uses_batch_statistics(self))

    def noise_spec(self, batch: int, num_samples: int = 1) -> tuple[NoiseSpec, ...]:
        return (
            NoiseSpec("y", (num_samples, batch, self.classes), "uniform"),
            NoiseSpec("z", (num_samples, batch, self.latent_dim)),
        )

    def sample_noise_spec(self, n: int) -> tuple[NoiseSpec, ...]:
        y, z = self.noise_spec(n)
        return y, replace(z, shape=(1, n, int(getattr(self.prior, "noise_size", self.latent_dim))))

    def encode(self, observation: Observation) -> Encoding:
        """Logits of the classes, and what q(z | x, y) is made of."""
        return self.classifier(observation), self.encoder(observation)

    def infer(
        self,
        observation: Observation,
        num_samples: int = 1,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
        encoding: Encoding | None = None,
    ) -> Inference:
        """Draws y, without a gradient, and then z; c plays no part."""
        spec = self.noise_spec(observation.x.shape[0], num_samples)
        uniform, normal = given_or_drawn(spec, noise, generator, self.decoder.output_bias)
        encoding = encoding or self.encode(observation)
        return self.given(observation, OneHot(encoding[0]).from_noise(uniform), normal, encoding)

    def given(
        self,
        observation: Observation,
        y: Float[Tensor, "samples batch classes"],
        normal: Float[Tensor, "samples batch latent"],
        encoding: Encoding,
    ) -> Inference:
        """What follows from these classes, whatever q(y | x) says of them.

        Args:
            observation: A batch of examples.
            y: Classes, one-hot.
            normal: What z is drawn with.
            encoding: What `encode` said of the observation.
        """
        logits, features = encoding
        q = self.code(features, y)
        z = (y, from_noise(q, normal))
        return Inference(
            observation=observation,
            z=z,
            posterior=(OneHot(logits), q),
            prior=(OneHot(self.uniform), self.prior()),
            likelihood=self.decode(z),
        )

    def decode(self, z: Latents, c: Float[Tensor, "batch classes"] | None = None) -> Independent:
        """p(x | y, z); where c names a class, it takes the place of y."""
        y, code = z
        return self.likelihood(self.decoder(torch.cat([code, _known(y, c)], dim=-1)))

    def sample(
        self,
        n: int,
        c: Float[Tensor, "n classes"] | None = None,
        temperature: float = 1.0,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Independent:
        """y is drawn, where c does not name it; at a temperature of 0 it is the first class."""
        spec = self.sample_noise_spec(n)
        uniform, normal = (
            layer[0] for layer in given_or_drawn(spec, noise, generator, self.decoder.output_bias)
        )
        y = _known(OneHot(self.uniform).from_noise(uniform, scale=temperature), c)
        z = from_noise(self.prior(), normal, temperature)
        return self.likelihood(self.decoder(torch.cat([z, y], dim=-1)))

    def latents(self, codes: Float[Tensor, "batch features"]) -> Latents:
        return apart(codes, (self.classes, self.latent_dim))

    def embed(self, observation: Observation) -> Float[Tensor, "batch features"]:
        """The most probable class, one-hot, and the mean of z given that class."""
        logits, features = self.encode(observation)
        y = OneHot(logits).mode.unsqueeze(0)
        zeros = y.new_zeros(1, observation.x.shape[0], self.latent_dim)
        return side_by_side((y, from_noise(self.code(features, y), zeros)))

    def classify(self, observation: Observation) -> Float[Tensor, "batch classes"]:
        """q(y | x) of every class."""
        return OneHot(self.classifier(observation)).mean

    def code_usage(self, observation: Observation) -> Float[Tensor, "groups classes"]:
        """Of the classes, averaged over the examples."""
        return self.classify(observation).mean(0, keepdim=True)


def _known(y: Tensor, c: Float[Tensor, "batch classes"] | None) -> Tensor:
    """y, but for the examples whose class is told."""
    if c is None:
        return y
    told = c.to(y.dtype)
    return torch.where(told.sum(-1, keepdim=True) > 0, told, y)


def _facts(batch_statistics: bool) -> Facts:
    return Facts(
        has_density=True,
        reparameterized=False,
        batch_statistics=batch_statistics,
        nested_posterior=True,
        independent_dimensions=False,
        latent="discrete",
        latent_class=True,
        conditional=True,
    )


class SemiSupervisedVAESpec(Spec):
    """Choices of a semi-supervised VAE."""

    kind: Literal["semi_supervised_vae"] = "semi_supervised_vae"
    latent_dim: PositiveInt = Field(default=50, description="Number of dimensions of z.")
    classifier: NetworkSpec = MLPSpec(hidden=(500,))
    encoder: NetworkSpec = Field(
        default=MLPSpec(hidden=(500,)), description="Of x; in its last hidden layer y joins."
    )
    features: PositiveInt = Field(default=500, description="Units of that last hidden layer.")
    decoder: NetworkSpec = MLPSpec(hidden=(500,))
    prior: TopPriorSpec = StandardNormalSpec()
    posterior: DiagonalGaussianSpec = DiagonalGaussianSpec()
    likelihood: LikelihoodSpec = BernoulliSpec()

    @model_validator(mode="after")
    def _parts_make_sense(self) -> Self:
        networks = {"classifier": self.classifier, "encoder": self.encoder, "decoder": self.decoder}
        refuse_spatial("has no place for a class beside it", **networks)
        if isinstance(self.likelihood, GaussianSpec) and self.likelihood.uses_batch_statistics:
            raise ValueError(
                "likelihood.scale = 'optimal' would count reconstructions under every class alike, "
                "however improbable the class is; choose likelihood.scale = 'learned'"
            )
        return self

    @property
    def facts(self) -> Facts:
        """What the model built from this will declare."""
        return _facts(uses_batch_statistics(self))

    def build(self, event_shape: tuple[int, ...], statistics: Statistics) -> SemiSupervisedVAE:
        """Wires the parts for examples of `event_shape`; weights come from torch's generator.

        Raises:
            SpecError: There are no classes.
        """
        classes = statistics.num_conditions
        if classes < 2:
            raise SpecError(
                f"The model {self.kind!r} needs classes, of which some examples have labels.",
                where=f"model.kind = {self.kind!r}",
                expected="transform.condition = ['label'], and two classes or more",
                found=f"{classes} classes",
                remedy="set transform.condition = ['label'], or choose model.kind = 'vae'",
            )
        alone = statistics._replace(num_conditions=0)  # the networks of x do not see c
        likelihood = self.likelihood.build(event_shape)
        start = likelihood.initial_parameters(statistics.mean, statistics.std)
        posterior = self.posterior.build(self.latent_dim)
        wide = self.features * self.encoder.widening
        hidden = nn.Sequential(*self.encoder.finish(self.features, spatial=False))
        decoder = self.decoder.build_decoder(self.latent_dim + classes, tuple(start.shape))
        return SemiSupervisedVAE(
            classifier=Encoder(self.classifier.build_encoder(event_shape, classes), alone),
            encoder=Encoder(self.encoder.build_encoder(event_shape, wide), alone),
            code=CodeGivenClass(classes, hidden, (wide, self.features), posterior),
            prior=self.prior.build(self.latent_dim),
            decoder=Decoder(decoder, start),
            likelihood=likelihood,
        )
