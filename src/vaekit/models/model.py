"""The one interface that every model answers, and what an inference holds.

A latent variable model is a prior p(z), a likelihood p(x | z) and a posterior q(z | x). All
objectives, measures and exports speak to it through the five methods of `Model`; models
differ in what is behind them. z is a tuple with one entry per stochastic layer, the top
(the first to be generated) first.

Every random number a model uses can be handed in as noise (shapes from `noise_spec`): the
same noise gives the same answer, in training, in tests and in an exported graph.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from vaekit.data import Observation
from vaekit.distributions import detached, kl_estimate, kl_per_dimension, log_prob
from vaekit.errors import SpecError
from vaekit.numerics import NoiseSpec

Latents: TypeAlias = tuple[Float[Tensor, "samples batch ..."], ...]
Noise: TypeAlias = tuple[Tensor, ...]
Encoding: TypeAlias = tuple[Float[Tensor, "batch ..."], ...]


@dataclass(frozen=True)
class Facts:
    """What a model declares about itself, so that unfit pairings are refused early."""

    has_density: bool
    """log p(x, z) and log q(z | x) exist: bounds and importance sampling make sense."""
    reparameterized: bool
    """Samples of z carry gradients to the posterior's parameters."""
    batch_statistics: bool
    """While training, one example's result depends on its neighbours in the batch."""
    nested_posterior: bool = False
    """A layer's q(z | x) depends on what was drawn in another layer."""
    independent_dimensions: bool = True
    """q(z | x) splits over the dimensions of z: its factors are `Independent`."""
    latent: Literal["continuous", "discrete"] = "continuous"
    """What z is. A discrete code carries no gradient: in training mode a model of such codes
    relaxes them, and only in evaluation mode does it draw the codes that it stands for."""
    stochastic: bool = True
    """Samples of z differ; otherwise q(z | x) is a single point."""
    conditional: bool = False
    """It can be told c, what an example is conditioned on."""
    latent_class: bool = False
    """The top layer of z is a class, of which c tells some: an objective has to sum over it."""
    shared_weights: bool = False
    """Some weights serve both p(x, z) and q(z | x)."""


@final
@dataclass(frozen=True)
class Inference:
    """What was drawn for an observation, and everything that follows from it.

    Args:
        observation: What the model was shown.
        z: Samples, one entry per stochastic layer.
        posterior: Factors of q(z | x), one per layer.
        prior: Factors of p(z), one per layer, given the layers above.
        likelihood: p(x | z), with batch shape (samples, batch).
        bottom_up: Whether a layer of q is drawn given the layer below it.
        penalty: What the model asks of its encoder beside the bound; zero for most.
        reported: What there is to say of the batch, named with its unit.
    """

    observation: Observation
    z: Latents
    posterior: tuple[Distribution, ...]
    prior: tuple[Distribution, ...]
    likelihood: Independent
    bottom_up: bool = False
    penalty: Float[Tensor, ""] | float = 0.0
    reported: Mapping[str, Float[Tensor, ""]] = field(default_factory=dict)

    @cached_property
    def _kl(self) -> list[tuple[Tensor, bool]]:
        _check_stochastic(self.posterior)
        top, *others = zip(self.posterior, self.prior, self.z, strict=True)
        if not self.bottom_up:
            return [kl_per_dimension(q, p, z) for q, p, z in (top, *others)]
        # Given the layer above, which was drawn given this one, a layer is not distributed as its
        # factor of q: a closed form would answer another question.
        return [kl_per_dimension(*top), *((kl_estimate(q, p, z), False) for q, p, z in others)]

    @property
    def kl(self) -> tuple[Float[Tensor, "_ batch ..."], ...]:
        """KL(q || p) in nats, per layer, example and dimension.

        One draw where `kl_is_analytic`, else one estimate per sample. A layer that depends on
        samples of other layers has one number for each of those, exact or not. Where a factor
        does not split over dimensions, one number per layer, as if it had one.
        """
        return tuple(kl for kl, _ in self._kl)

    @property
    def kl_is_analytic(self) -> tuple[bool, ...]:
        return tuple(analytic for _, analytic in self._kl)

    def log_likelihood_per_value(self) -> Float[Tensor, "samples batch *event"]:
        """log p(x_i | z) in nats; zero where a value was not observed."""
        return log_prob_per_value(self.likelihood, self.observation)

    def log_likelihood(self) -> Float[Tensor, "samples batch"]:
        """log p(x | z) in nats, over the observed values."""
        return self.log_likelihood_per_value().flatten(2).sum(-1)

    def log_prior(self) -> Float[Tensor, "samples batch"]:
        """log p(z) in nats, all layers together."""
        return _joint_log_prob(self.prior, self.z)

    def log_q(self, detach_parameters: bool = False) -> Float[Tensor, "samples batch"]:
        """log q(z | x) in nats, all layers together.

        Args:
            detach_parameters: Hold the posterior's parameters constant, so that gradients
                reach them through z alone (what DReG and STL need).
        """
        factors = tuple(map(detached, self.posterior)) if detach_parameters else self.posterior
        return _joint_log_prob(factors, self.z)

    def log_weights(self) -> Float[Tensor, "samples batch"]:
        """log p(x, z) - log q(z | x) in nats: importance weights of z for p(x)."""
        return self.log_likelihood() + self.log_prior() - self.log_q()


def log_prob_per_value(likelihood: Independent, observation: Observation) -> Float[Tensor, "..."]:
    """log p(x_i | z) in nats, shape (*batch shape, *event); zero where x_i was not observed."""
    x, mask, values = observation.x, observation.mask, likelihood.base_dist
    if mask is None:
        return values.log_prob(x)
    if hasattr(values, "where_observed"):  # its scale follows from what was observed
        values = values.where_observed(mask)
    # Zero can be scored by every likelihood. Whatever else stands in a gap (a NaN) would
    # come back in the gradient, even where its log-probability is dropped.
    per_value = values.log_prob(torch.where(mask, x, 0.0))
    return torch.where(mask, per_value, 0.0)


def _joint_log_prob(factors: tuple[Distribution, ...], z: Latents) -> Tensor:
    _check_stochastic(factors)
    return torch.stack([log_prob(p, layer) for p, layer in zip(factors, z, strict=True)]).sum(0)


def _check_stochastic(factors: tuple[Distribution, ...]) -> None:
    if not factors:
        raise SpecError(
            "This model is deterministic: it has neither log p(z) nor log q(z | x).",
            remedy="choose model.kind = 'vae'",
        )


class Model(nn.Module, ABC):
    """A latent variable model."""

    event_shape: tuple[int, ...]

    @property
    @abstractmethod
    def facts(self) -> Facts:
        """What this model, as built, declares about itself."""

    def schedule(self, epoch: float) -> dict[str, float]:
        """What changes about the model in the course of training, after `epoch` epochs."""
        return {}

    def follow(self, schedule: Mapping[str, float | Tensor]) -> None:
        """Takes the current values of what `schedule` returns, before every update.

        They are functions of the epoch, and no part of the model's state.
        """

    @abstractmethod
    def noise_spec(self, batch: int, num_samples: int = 1) -> tuple[NoiseSpec, ...]:
        """The noise that `infer` consumes.

        Dimension 0 is the sample and dimension 1 the example, so that noise can be split
        along the batch together with the observation.
        """

    def sample_noise_spec(self, n: int) -> tuple[NoiseSpec, ...]:
        """The noise that `sample(n)` consumes, in the same form, with one sample.

        That of `infer`, unless a prior takes more: a mixture chooses a component too.
        """
        return self.noise_spec(n)

    @abstractmethod
    def encode(self, observation: Observation) -> Encoding:
        """What the encoder says of each example; everything else about x follows from it."""

    @abstractmethod
    def infer(
        self,
        observation: Observation,
        num_samples: int = 1,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
        encoding: Encoding | None = None,
    ) -> Inference:
        """Draws z from q(z | x) and gathers what the objectives need.

        Args:
            observation: A batch of examples.
            num_samples: Samples of z per example.
            noise: What to draw with, as `noise_spec` asks; drawn from `generator` if absent.
            generator: Source of noise, on the device of the observation.
            encoding: What `encode` said of the observation, so that drawing again does not
                encode again; also where a q of one's own is put in.
        """

    def latents(self, codes: Float[Tensor, "batch features"]) -> Latents:
        """Codes, as `embed` gives them, as the z that `decode` takes: one sample of each."""
        return (codes.unsqueeze(0),)

    def infer_at_mean(self, observation: Observation) -> Inference:
        """The inference in which nothing is drawn: z is the mean of every layer of q(z | x).

        Of a flow, which has no mean in closed form, it is what noise of zero becomes.
        """
        like, middle = observation.x, {"normal": 0.0, "uniform": 0.5}
        noise = tuple(
            torch.full(spec.shape, middle[spec.kind], dtype=like.dtype, device=like.device)
            for spec in self.noise_spec(observation.x.shape[0])
        )
        return self.infer(observation, noise=noise)

    @abstractmethod
    def decode(self, z: Latents, c: Float[Tensor, "batch conditions"] | None = None) -> Independent:
        """p(x | z), with batch shape (samples, batch)."""

    @abstractmethod
    def sample(
        self,
        n: int,
        c: Float[Tensor, "n conditions"] | None = None,
        temperature: float = 1.0,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Independent:
        """p(x | z) for n fresh draws of z from the prior, with batch shape (n,).

        `.mean` is the usual picture, `.sample()` a draw of x itself.

        Args:
            n: Number of examples.
            c: Conditions, one row per example.
            temperature: Scales the spread of the prior; below one gives safer samples.
            noise: What to draw with, as `sample_noise_spec(n)` asks.
            generator: Source of noise, on the model's device.
        """

    def code_usage(self, observation: Observation) -> Float[Tensor, "groups classes"]:
        """Average share of every class of discrete codes; a row for each set of classes.

        Raises:
            SpecError: The codes of the model are not discrete.
        """
        raise SpecError(
            "This model has no discrete codes whose use could be counted.",
            found=type(self).__name__,
            remedy="choose model.kind = 'categorical_vae' or 'vq_vae'",
        )

    @abstractmethod
    def embed(self, observation: Observation) -> Float[Tensor, "batch features"]:
        """The deterministic embedding of each example: the same call, the same answer.

        Of several layers, all side by side, the top first.
        """
