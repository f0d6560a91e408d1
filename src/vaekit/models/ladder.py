"""A ladder VAE: layers inferred from the top down, along the path that generates them.

    p(z) = p(z_L) prod_l p(z_l | z_{>l}),    q(z | x) = q(z_L | x) prod_l q(z_l | z_{>l}, x)

A path up turns x into a feature for each layer, without chance. The path down, which is that of
generation, has the state that p(z_l | z_{>l}) follows from; q is that factor of p, moved and
stretched by what state and feature say:

    p = N(mu, s^2),    q = N(mu + s d, (s e^r)^2),    KL(q || p) = (d^2 + e^2r - 1 - 2r) / 2

Both log s and r are bounded smoothly. Every KL is exact given the samples of the layers above. A
ladder of one layer is a plain VAE.

References:
    Sonderby et al. (2016), Ladder Variational Autoencoders, https://arxiv.org/abs/1602.02282
    Kingma et al. (2016), Improving Variational Inference with Inverse Autoregressive Flow,
    appendix C, https://arxiv.org/abs/1606.04934
    Vahdat and Kautz (2020), NVAE: A Deep Hierarchical Variational Autoencoder (q relative to p),
    https://arxiv.org/abs/2007.03898
"""

from collections.abc import Iterable
from typing import Literal, cast, final

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from vaekit.data import Observation, Statistics
from vaekit.distributions import Gaussian, from_noise
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
from vaekit.networks import LadderMLPSpec, LadderSpec, Rung, over_samples, uses_batch_statistics
from vaekit.numerics import NoiseSpec, at_least_float32
from vaekit.posteriors import DiagonalGaussianPosterior, DiagonalGaussianSpec
from vaekit.priors import StandardNormalSpec, TopPriorSpec
from vaekit.spec import Spec


@final
class LadderVAE(Model):
    """A VAE whose inference goes down the path of its generation.

    Args:
        encoder: The path up, behind centring.
        rungs: The path down, the top first.
        gaussian: What the parameters of each factor mean.
        prior: p(z_L), of the top layer.
        state: Shape of the state that the path down starts with.
        decoder: The last state to parameters of the likelihood.
        likelihood: Those parameters to p(x | z).
    """

    def __init__(
        self,
        encoder: Encoder,
        rungs: list[Rung],
        gaussian: DiagonalGaussianPosterior,
        prior: nn.Module,
        state: tuple[int, ...],
        decoder: Decoder,
        likelihood: Likelihood,
    ) -> None:
        super().__init__()
        self.encoder, self.gaussian, self.prior = encoder, gaussian, prior
        self.start, self.rungs = nn.Parameter(torch.zeros(state)), nn.ModuleList(rungs)
        self.decoder, self.likelihood = decoder, likelihood
        self.event_shape = likelihood.event_shape
        self.sizes = tuple(rung.latent_dim for rung in rungs)

    @property
    def facts(self) -> Facts:
        return layered_facts(uses_batch_statistics(self), len(self.sizes), len(self.sizes) > 1)

    def noise_spec(self, batch: int, num_samples: int = 1) -> tuple[NoiseSpec, ...]:
        return layer_noise(self.sizes, batch, num_samples)

    def sample_noise_spec(self, n: int) -> tuple[NoiseSpec, ...]:
        return sample_noise(self.noise_spec(n), self.prior)

    def encode(self, observation: Observation) -> Encoding:
        """The feature of each layer, the top first."""
        features = self.encoder.network(self.encoder.centred(observation))
        return tuple(at_least_float32(feature) for feature in features)

    def infer(
        self,
        observation: Observation,
        num_samples: int = 1,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
        encoding: Encoding | None = None,
    ) -> Inference:
        spec = self.noise_spec(observation.x.shape[0], num_samples)
        noise = given_or_drawn(spec, noise, generator, self.start)
        features = encoding or self.encode(observation)
        state = self._first_state(num_samples, observation.x.shape[0])
        z: list[Tensor] = []
        factors: list[tuple[Distribution, Distribution]] = []
        for rung, feature, standard in zip(self._rungs(), features, noise, strict=True):
            factors.append(self._factors(rung, state, feature, observation.c))
            z.append(from_noise(factors[-1][0], standard))
            state = rung(state, z[-1])
        posterior, prior = zip(*factors, strict=True)
        return Inference(observation, tuple(z), posterior, prior, self._read(state))

    def decode(self, z: Latents, c: Float[Tensor, "batch conditions"] | None = None) -> Independent:
        state = self._first_state(*z[0].shape[:2])
        for rung, layer in zip(self._rungs(), z, strict=True):
            state = rung(state, layer)
        return self._read(state)

    def sample(
        self,
        n: int,
        c: Float[Tensor, "n conditions"] | None = None,
        temperature: float = 1.0,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Independent:
        """The temperature scales the spread of every layer, given those above."""
        noise = given_or_drawn(self.sample_noise_spec(n), noise, generator, self.start)
        state = self._first_state(1, n)
        for rung, standard in zip(self._rungs(), noise, strict=True):
            p = self._p(rung, state, c)
            state = rung(state, from_noise(p, standard, temperature))
        return self.likelihood(self.decoder(state[0].flatten(1)))

    def latents(self, codes: Float[Tensor, "batch features"]) -> Latents:
        return apart(codes, self.sizes)

    def embed(self, observation: Observation) -> Float[Tensor, "batch features"]:
        """Means of every layer, given the means of the layers above; side by side, top first."""
        return side_by_side(self.infer_at_mean(observation).z)

    def _rungs(self) -> Iterable[Rung]:
        return cast("Iterable[Rung]", self.rungs)

    def _first_state(self, num_samples: int, batch: int) -> Tensor:
        return self.start.expand(num_samples, batch, *self.start.shape)

    def _factors(
        self, rung: Rung, state: Tensor, feature: Tensor, c: Tensor | None
    ) -> tuple[Distribution, Distribution]:
        """q and p of a layer, given the state."""
        if rung.prior is None:  # the state is a constant here: q is of x alone
            return self.gaussian(rung.posterior(feature)), self.prior(c)
        p = self._given_state(rung.prior, state)
        moved, stretched = self.gaussian.moments(over_samples(rung.posterior, state + feature))
        q = Gaussian(p.loc + p.stddev * moved, p.log_scale + stretched)
        return _layer(q), _layer(p)

    def _p(self, rung: Rung, state: Tensor, c: Tensor | None) -> Distribution:
        if rung.prior is None:
            return self.prior(c)
        return _layer(self._given_state(rung.prior, state))

    def _given_state(self, network: nn.Module, state: Tensor) -> Gaussian:
        return Gaussian(*self.gaussian.moments(over_samples(network, state)))

    def _read(self, state: Tensor) -> Independent:
        return self.likelihood(self.decoder(state.flatten(2)))


def _layer(dimensions: Gaussian) -> Independent:
    return Independent(dimensions, 1, validate_args=False)


class LadderVAESpec(Spec):
    """Choices of a ladder VAE."""

    kind: Literal["ladder_vae"] = "ladder_vae"
    network: LadderSpec = Field(
        default=LadderMLPSpec(), description="Both paths, and the sizes of the layers of z."
    )
    prior: TopPriorSpec = Field(default=StandardNormalSpec(), description="Of the top layer.")
    posterior: DiagonalGaussianSpec = Field(
        default=DiagonalGaussianSpec(),
        description="Of every layer; bounds the log-scales of p, and those of q relative to p.",
    )
    likelihood: LikelihoodSpec = BernoulliSpec()

    @property
    def facts(self) -> Facts:
        """What the model built from this will declare."""
        return layered_facts(
            uses_batch_statistics(self), self.network.depth, self.network.depth > 1
        )

    def build(self, event_shape: tuple[int, ...], statistics: Statistics) -> LadderVAE:
        """Wires the parts for examples of `event_shape`; weights come from torch's generator."""
        refuse_conditions(statistics.num_conditions, self.kind)
        likelihood = self.likelihood.build(event_shape)
        start = likelihood.initial_parameters(statistics.mean, statistics.std)
        ladder = self.network.build(event_shape, tuple(start.shape))
        top = ladder.rungs[0].latent_dim
        return LadderVAE(
            encoder=Encoder(ladder.up, statistics),
            rungs=ladder.rungs,
            gaussian=self.posterior.build(top),
            prior=self.prior.build(top),
            state=ladder.state,
            decoder=Decoder(ladder.out, start),
            likelihood=likelihood,
        )
