"""Wake-sleep: two networks that teach each other, none of them the bound.

    wake:   z ~ q(z | x) of data x,         minimise  -log p(x, z)    in the generator alone
    sleep:  z, x ~ p(x, z), a dream,        minimise  -log q(z | x)   in the recognition network

Neither draw carries a gradient, so that the two losses, added up, reach different weights: the
sum is one loss for one optimiser. The wake phase is a gradient of the bound in the generator; the
sleep phase lowers KL(p(z | x) || q(z | x)) on dreams, where the bound asks for the other
divergence on data, so that the two together ascend no one function. Both leave an exact posterior
alone. `elbo_nats` is reported all the same: it is the bound of the model as it stands.

Reference:
    Hinton, Dayan, Frey and Neal (1995), The "Wake-Sleep" Algorithm for Unsupervised Neural
    Networks, https://doi.org/10.1126/science.7761831
"""

from dataclasses import replace
from typing import ClassVar, Literal, final

import torch
from jaxtyping import Float
from pydantic import PositiveInt
from torch import Tensor
from torch.distributions import Distribution

from vaekit.data import Observation, Statistics
from vaekit.distributions import from_noise, log_prob
from vaekit.models import VAE, Inference, Model, Noise
from vaekit.numerics import draw_noise
from vaekit.objectives.elbo import mean_kl, reported_elbo
from vaekit.objectives.objective import Needs, Objective, Schedule, Terms
from vaekit.spec import Spec


@final
class WakeSleep(Objective):
    """The two phases of wake-sleep, on every batch.

    Args:
        num_samples: Samples of z per example in the wake phase.
    """

    needs = Needs(
        density=True, separate_layers=True, continuous_latent=True, separate_networks=True
    )
    monitored = "elbo_nats"

    def __init__(self, num_samples: int) -> None:
        super().__init__()
        self.num_samples = num_samples

    def forward(
        self,
        model: Model,
        observation: Observation,
        schedule: Schedule,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Terms:
        awake = _awake(model, observation, self.num_samples, noise, generator)
        fit = awake.log_likelihood().mean()
        wake = -(fit + awake.log_prior().mean())
        z, dream = _dream(model, awake, generator)
        sleep = -log_prob(_recognised(model, dream), z).mean()
        reported = {
            **reported_elbo(fit, mean_kl(awake)),
            "wake_nats": wake.detach(),
            "sleep_nats": sleep.detach(),
            **awake.reported,
        }
        return Terms({"model": wake + sleep}, reported)


def _awake(
    model: Model,
    observation: Observation,
    num_samples: int,
    noise: Noise | None,
    generator: torch.Generator | None,
) -> Inference:
    """Data explained; gradients lead into the generator alone."""
    with torch.no_grad():
        encoding = model.encode(observation)
    awake = model.infer(observation, num_samples, noise, generator, encoding)
    if not any(layer.requires_grad for layer in awake.z):
        return awake
    z = tuple(layer.detach() for layer in awake.z)  # of a posterior with weights of its own
    return replace(awake, z=z, likelihood=model.decode(z, observation.c))


@torch.no_grad()
def _dream(
    model: Model, awake: Inference, generator: torch.Generator | None
) -> tuple[Float[Tensor, "1 batch *latent"], Observation]:
    """z and x of the generator, as many as there are data, under their conditions and gaps.

    x comes from torch's own generator, which training seeds at every update.
    """
    seen = awake.observation
    spec = model.sample_noise_spec(len(seen))
    (standard,) = draw_noise(spec, generator, seen.x.device, awake.z[0].dtype)
    z = from_noise(awake.prior[0], standard)
    x = model.decode((z,), seen.c).sample()[0]
    return z, replace(seen, x=x.to(seen.x.dtype))


def _recognised(model: Model, dream: Observation) -> Distribution:
    """q(z | x) of a dream."""
    if isinstance(model, VAE):  # without decoding again
        return model.posterior(*model.encode(dream))
    return model.infer(dream).posterior[0]


class WakeSleepSpec(Spec):
    """Choices of wake-sleep."""

    needs: ClassVar[Needs] = WakeSleep.needs
    is_bound: ClassVar[bool] = False

    kind: Literal["wake_sleep"] = "wake_sleep"
    num_samples: PositiveInt = 1

    def build(self, statistics: Statistics | None = None) -> WakeSleep:
        return WakeSleep(self.num_samples)
