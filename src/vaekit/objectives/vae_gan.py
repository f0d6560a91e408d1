"""VAE-GAN: an opponent's features say how far a reconstruction is off, and its verdict counts.

A discriminator D learns to tell data x from reconstructions x' and from samples x" of the prior;
what it sees of x and x' in its hidden layers f replaces the distance in values:

    encoder:        beta KL + w_f |f(x) - f(x')|^2 / 2
    decoder:        w_f |f(x) - f(x')|^2 / 2 + w_a (softplus(-D(x')) + softplus(-D(x"))) / 2
    discriminator:  softplus(-D(x)) + (softplus(D(x')) + softplus(D(x"))) / 2

The encoder does not feel the opponent, as published; a prior that is learned does, by its samples,
and under a VampPrior the encoder with it. A weight on the likelihood of the values
(`pixel_weight`) makes it the loss that first stages of latent diffusion are trained with; there
the opponent joins late, after `adversarial_after` epochs. What is minimised is no bound on
log p(x), whatever the weights: `elbo_nats` is reported beside it, of the model's own likelihood.

References:
    Larsen et al. (2016), Autoencoding beyond Pixels Using a Learned Similarity Metric,
    https://arxiv.org/abs/1512.09300
    Rombach et al. (2022), High-Resolution Image Synthesis with Latent Diffusion Models,
    https://arxiv.org/abs/2112.10752
"""

from typing import ClassVar, Literal, final

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeFloat, model_validator
from torch import Tensor, nn
from torch.nn.functional import softplus

from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.models import Inference, Model, Noise
from vaekit.networks import (
    ConvSpec,
    Discriminator,
    NetworkSpec,
    Verdict,
    feature_error,
    refuse_spatial,
)
from vaekit.numerics import at_least_float32
from vaekit.objectives.beta import BetaSpec, ConstantBeta
from vaekit.objectives.elbo import mean_kl, reported_elbo
from vaekit.objectives.objective import Needs, Objective, Schedule, Terms
from vaekit.spec import Spec


@final
class VAEGAN(Objective):
    """Features and verdicts of an opponent in place of a likelihood.

    Args:
        spec: Weights.
        discriminator: The opponent.
        statistics: Moments of the training data, by which it is shown centred values.
    """

    needs = Needs(density=True, continuous_latent=True)
    monitored = "elbo_nats"
    num_samples = 1
    mean: Tensor
    spread: Tensor

    def __init__(
        self, spec: "VAEGANSpec", discriminator: Discriminator, statistics: Statistics
    ) -> None:
        super().__init__()
        self.spec, self.discriminator = spec, discriminator
        self.register_buffer("mean", statistics.mean.clone())
        self.register_buffer("spread", statistics.spread)

    def schedule(self, epoch: float) -> dict[str, float]:
        joined = epoch >= self.spec.adversarial_after
        return {
            "beta": self.spec.beta.at(epoch),
            "adversarial_weight": self.spec.adversarial_weight * joined,
        }

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        return {"discriminator": list(self.discriminator.parameters())}

    def forward(
        self,
        model: Model,
        observation: Observation,
        schedule: Schedule,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Terms:
        spec = self.spec
        inference = model.infer(observation, 1, noise, generator)
        data, rebuilt, seen, fresh = self._verdicts(model, inference, generator)
        kl = mean_kl(inference)
        fit = inference.log_likelihood().mean()
        error = feature_error(tuple(f.detach() for f in data.features), rebuilt.features).mean()
        deceived = 0.5 * (softplus(-seen.logits) + softplus(-fresh.logits)).mean()
        loss = schedule["beta"] * kl + spec.feature_weight * error + inference.penalty
        loss = loss + schedule["adversarial_weight"] * deceived
        if spec.pixel_weight:
            loss = loss - spec.pixel_weight * fit
        caught = 0.5 * (softplus(seen.logits) + softplus(fresh.logits)).mean()
        right = 0.5 * ((data.logits > 0).float().mean() + (fresh.logits < 0).float().mean())
        reported = {
            **reported_elbo(fit, kl),
            "feature_error_nats": error.detach(),
            "adversarial_nats": deceived.detach(),
            "discriminator_accuracy": right.detach(),
            **inference.reported,
        }
        losses = {"model": loss, "discriminator": softplus(-data.logits).mean() + caught}
        return Terms(losses, reported)

    def _verdicts(
        self, model: Model, inference: Inference, generator: torch.Generator | None
    ) -> list[Verdict]:
        """In one pass: of data, reconstructions, the same without a way to the encoder, samples."""
        observation = inference.observation
        still = tuple(layer.detach() for layer in inference.z)
        again = model.decode(still, observation.c)
        fresh = model.sample(len(observation), observation.c, generator=generator)
        images = (observation.x, inference.likelihood.mean[0], again.mean[0], fresh.mean)
        shown = torch.cat([self._shown(image, observation) for image in images])
        logits, features = self.discriminator(shown)
        parts = zip(*(at_least_float32(f).chunk(len(images)) for f in features), strict=True)
        verdicts = zip(at_least_float32(logits).chunk(len(images)), parts, strict=True)
        return [Verdict(logit, part) for logit, part in verdicts]

    def _shown(
        self, image: Float[Tensor, "batch *event"], observation: Observation
    ) -> Float[Tensor, "batch *event"]:
        centred = (image - self.mean) / self.spread
        return centred if observation.mask is None else centred.where(observation.mask, 0.0)


class VAEGANSpec(Spec):
    """Choices of the VAE-GAN."""

    needs: ClassVar[Needs] = VAEGAN.needs
    is_bound: ClassVar[bool] = False

    kind: Literal["vae_gan"] = "vae_gan"
    beta: BetaSpec = Field(default=ConstantBeta(), description="Of the KL: a number or a schedule.")
    feature_weight: NonNegativeFloat = Field(
        default=1.0, description="Of the distance in the discriminator's hidden layers."
    )
    adversarial_weight: NonNegativeFloat = Field(
        default=1.0, description="Of deceiving the discriminator."
    )
    adversarial_after: NonNegativeFloat = Field(
        default=0.0, description="Epochs after which that counts; the discriminator learns before."
    )
    pixel_weight: NonNegativeFloat = Field(
        default=0.0, description="Of minus the expected log-likelihood of the values."
    )
    discriminator: NetworkSpec = Field(
        default=ConvSpec(channels=(32, 64), activation="leaky_relu"),
        description="Its network; images go with 'conv', vectors with 'mlp'.",
    )

    @model_validator(mode="after")
    def _can_learn(self) -> "VAEGANSpec":
        if self.discriminator.uses_batch_statistics:
            raise ValueError(
                "the discriminator sees data and imitations in one batch, so it cannot have "
                "discriminator.normalization = 'batch'; choose 'layer' or 'group'"
            )
        refuse_spatial("is no verdict", discriminator=self.discriminator)
        if self.feature_weight == 0 and self.pixel_weight == 0:
            raise ValueError(
                "nothing would compare data with reconstructions: feature_weight or pixel_weight "
                "must be above 0"
            )
        return self

    def build(self, statistics: Statistics | None = None) -> VAEGAN:
        """The objective; the discriminator's weights come from torch's generator.

        Raises:
            SpecError: The discriminator is no network for such examples.
        """
        if statistics is None:
            raise SpecError(
                "The discriminator is built for the shape of the data.",
                where="objective.kind = 'vae_gan'",
                expected="statistics of the training data",
            )
        network = self.discriminator.build_encoder(tuple(statistics.mean.shape), 1)
        return VAEGAN(self, Discriminator(network), statistics)
