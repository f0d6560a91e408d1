"""The VQ-VAE: each example is a sequence of codes out of one codebook, with a learned prior.

    k_i(x) = argmin_k |e_k - encoder(x)_i|,    z_i = e_{k_i},    i = 1, ..., positions
    log p(x) >= log p(x | z(x)) + log p(k(x))

The bound is the ELBO of a posterior that is a single point among discrete codes: its KL is
-log p(k), the length of the code in nats. Gradients pass straight through from z to the encoder,
which a commitment penalty keeps near the codes it chose; the codebook follows by moving averages,
and the prior by maximum likelihood of codes that carry no gradient. The first stage (encoder,
codebook, decoder) and the second (prior) are therefore trained by one objective: at once, or, with
`autoencoder_epochs`, the prior alone from then on.

Reference:
    van den Oord, Vinyals and Kavukcuoglu (2017), Neural Discrete Representation Learning,
    https://arxiv.org/abs/1711.00937
"""

from collections.abc import Mapping
from typing import Literal, final

import torch
from jaxtyping import Float, Int64
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor
from torch.distributions import Distribution, Independent, register_kl

from vaekit.data import Observation, Statistics
from vaekit.likelihoods import BernoulliSpec, Likelihood, LikelihoodSpec
from vaekit.models.codebook import Codebook, CodebookSpec
from vaekit.models.decoder import Decoder
from vaekit.models.encoder import Encoder
from vaekit.models.model import Encoding, Facts, Inference, Latents, Model, Noise
from vaekit.networks import MLPSpec, NetworkSpec, uses_batch_statistics
from vaekit.numerics import NoiseSpec, draw_noise
from vaekit.priors import AutoregressiveCodesSpec, CodePrior, CodePriorSpec
from vaekit.spec import Spec


@final
class SingleCode(Distribution):
    """q(z | x): all mass on one sequence of codes per example.

    Args:
        vectors: The vectors of the codes.
    """

    arg_constraints = {}

    def __init__(self, vectors: Float[Tensor, "batch positions dim"]) -> None:
        self.vectors = vectors
        super().__init__(vectors.shape[:1], vectors.shape[1:], validate_args=False)

    @property
    def mean(self) -> Tensor:
        return self.vectors

    @property
    def variance(self) -> Tensor:
        return torch.zeros_like(self.vectors)

    @property
    def stddev(self) -> Tensor:
        return self.variance

    def detached(self) -> "SingleCode":
        return SingleCode(self.vectors.detach())

    def from_noise(self, noise: Float[Tensor, "samples batch positions"]) -> Tensor:
        return self.vectors.expand(len(noise), *self.vectors.shape)

    def log_prob(self, value: Float[Tensor, "*lead positions dim"]) -> Float[Tensor, "*lead"]:
        """Zero: nothing else is ever drawn."""
        return value.new_zeros(value.shape[:-2])


@final
class CodesOfPrior(Distribution):
    """p(z): the prior's codes, as vectors.

    Args:
        prior: p(k).
        codebook: From codes to vectors and back.
    """

    arg_constraints = {}

    def __init__(self, prior: CodePrior, codebook: Codebook) -> None:
        self.prior, self.codebook = prior, codebook
        event = torch.Size((prior.positions, codebook.spec.dim))
        super().__init__(event_shape=event, validate_args=False)

    def log_prob(self, value: Float[Tensor, "*lead positions dim"]) -> Float[Tensor, "*lead"]:
        """log p(k) in nats, of the codes that the vectors are."""
        return self.prior.log_prob(self.codebook.nearest(value))


@register_kl(SingleCode, CodesOfPrior)
def _kl_of_single_code(q: SingleCode, p: CodesOfPrior) -> Tensor:
    return -p.log_prob(q.vectors)


@final
class VQVAE(Model):
    """A VAE whose codes are entries of a codebook.

    Args:
        encoder: Observation to a vector per position.
        codebook: The codes.
        prior: p(k) of the sequence of codes.
        decoder: Vectors of codes to parameters of the likelihood.
        likelihood: Those parameters to p(x | z).
        commitment: Weight of |encoder(x) - z|^2 in the loss.
        autoencoder_epochs: When everything but the prior rests; never where absent.
    """

    def __init__(
        self,
        encoder: Encoder,
        codebook: Codebook,
        prior: CodePrior,
        decoder: Decoder,
        likelihood: Likelihood,
        commitment: float,
        autoencoder_epochs: float | None,
    ) -> None:
        super().__init__()
        self.encoder, self.codebook, self.prior = encoder, codebook, prior
        self.decoder, self.likelihood = decoder, likelihood
        self.event_shape, self.commitment = likelihood.event_shape, commitment
        self.autoencoder_epochs = autoencoder_epochs
        self.learning: float | Tensor = 1.0

    @property
    def facts(self) -> Facts:
        return _facts(uses_batch_statistics(self))

    def schedule(self, epoch: float) -> dict[str, float]:
        """Whether the first stage learns (1), or rests (0)."""
        if self.autoencoder_epochs is None:
            return {}
        return {"autoencoder_learns": float(epoch < self.autoencoder_epochs)}

    def follow(self, schedule: Mapping[str, float | Tensor]) -> None:
        self.learning = schedule.get("autoencoder_learns", 1.0)

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
        (noise,) = self._noise(len(observation), num_samples, noise, generator)
        (flat,) = encoding or self.encode(observation)
        vectors = self._resting(self._by_position(flat))
        codes = self.codebook.nearest(vectors)
        chosen = self.codebook(codes)
        # In evaluation mode, exactly a code; in training mode, one with the vector's gradient.
        straight = vectors + (chosen - vectors).detach() if self.training else chosen
        q = SingleCode(straight)
        z = (q.from_noise(noise),)
        usage = self.codebook.usage(codes)
        away = (vectors - chosen).square().flatten(1).sum(-1)
        if self.training and len(observation):
            self.codebook.take_in(vectors, codes, noise[0], self.learning)
        return Inference(
            observation=observation,
            z=z,
            posterior=(q,),
            prior=(CodesOfPrior(self.prior, self.codebook),),
            likelihood=self._likelihood(straight, num_samples),
            penalty=self.commitment * away.mean(),
            reported={
                "code_perplexity": torch.special.entr(usage).sum().exp(),
                "commitment": away.detach().mean(),
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
        (uniform,) = self._noise(n, 1, noise, generator)
        vectors = self.codebook(self.prior.from_noise(uniform[0], temperature))
        return self.likelihood(self.decoder(vectors.flatten(1)))

    def embed(self, observation: Observation) -> Float[Tensor, "batch features"]:
        """The vectors of the codes, side by side; `indices` has their numbers."""
        return self.codebook(self.indices(observation)).flatten(1)

    def code_usage(self, observation: Observation) -> Float[Tensor, "groups classes"]:
        """Of the one codebook, over all positions."""
        return self.codebook.usage(self.indices(observation)).unsqueeze(0)

    def _likelihood(self, vectors: Tensor, num_samples: int) -> Independent:
        """Decoded once, whatever the number of samples."""
        parameters = self._resting(self.decoder(vectors.flatten(1)))
        return self.likelihood(parameters.expand(num_samples, *parameters.shape))

    def _by_position(self, flat: Tensor) -> Tensor:
        return flat.reshape(len(flat), self.prior.positions, self.codebook.spec.dim)

    def _resting(self, values: Tensor) -> Tensor:
        """The same values, with a share `learning` of their gradient."""
        learning = self.learning
        if not isinstance(learning, Tensor) and learning == 1:
            return values
        return learning * values + (1 - learning) * values.detach()

    def _noise(
        self, n: int, num_samples: int, noise: Noise | None, generator: torch.Generator | None
    ) -> Noise:
        if noise is not None:
            return noise
        bias = self.decoder.output_bias
        return draw_noise(self.noise_spec(n, num_samples), generator, bias.device, bias.dtype)


def _facts(batch_statistics: bool) -> Facts:
    return Facts(
        has_density=True,
        reparameterized=True,
        batch_statistics=batch_statistics,
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
    commitment: NonNegativeFloat = Field(
        default=0.25, description="Weight of the squared distance from an encoding to its code."
    )
    autoencoder_epochs: PositiveFloat | None = Field(
        default=None,
        description="Epochs after which encoder, codebook and decoder rest, and the prior alone "
        "learns; all learn throughout if absent.",
    )

    @property
    def facts(self) -> Facts:
        """What the model built from this will declare."""
        return _facts(self.encoder.uses_batch_statistics or self.decoder.uses_batch_statistics)

    def build(self, event_shape: tuple[int, ...], statistics: Statistics) -> VQVAE:
        """Wires the parts for examples of `event_shape`; weights come from torch's generator."""
        likelihood = self.likelihood.build(event_shape)
        start = likelihood.initial_parameters(statistics.mean, statistics.std)
        features = self.positions * self.codebook.dim
        return VQVAE(
            Encoder(self.encoder.build_encoder(event_shape, features), statistics),
            self.codebook.build(),
            self.code_prior.build(self.positions, self.codebook.size),
            Decoder(self.decoder.build_decoder(features, tuple(start.shape)), start),
            likelihood,
            self.commitment,
            self.autoencoder_epochs,
        )
