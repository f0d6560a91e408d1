"""InfoVAE: a weight on the KL term, and the distance of all codes together from the prior.

    loss = -E_q[log p(x | z)] + kl_weight KL(q(z | x) || p(z)) + mmd_weight MMD^2(q(z), p(z))

where q(z) is the average of q(z | x) over examples. In the paper's letters kl_weight is 1 - alpha
and mmd_weight is alpha + lambda - 1: (1, 0) is the ELBO, (0, large) the MMD-VAE. MMD is the maximum
mean discrepancy with a kernel k of the squared distance r^2, in units of what two draws of a
standard normal in d dimensions are apart on average:

    MMD^2 = E k(z, z') - 2 E k(z, y) + E k(y, y'),    z, z' ~ q(z),    y, y' ~ p(z)
    k = exp(-u) ("rbf") or 1 / (1 + u) ("imq"),    u = r^2 / (2 d bandwidth^2)

It is estimated from the codes of a batch and as many draws of the prior, without the pairs of a
code with itself: unbiased, hence now and then below zero. A batch of one example has no pairs and
says nothing.

References:
    Zhao, Song and Ermon (2017), InfoVAE: Information Maximizing Variational Autoencoders, eq. 6,
    https://arxiv.org/abs/1706.02262
    Gretton et al. (2012), A Kernel Two-Sample Test, eq. 3
    Tolstikhin et al. (2018), Wasserstein Auto-Encoders (the inverse multiquadratic kernel),
    https://arxiv.org/abs/1711.01558
"""

from typing import ClassVar, Literal, TypeAlias, final

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor
from torch.distributions import Distribution

from vaekit.data import Observation, Statistics
from vaekit.distributions import from_noise, noise_size
from vaekit.models import Model, Noise
from vaekit.numerics import draw_noise
from vaekit.objectives.elbo import mean_kl, reported_elbo
from vaekit.objectives.objective import Needs, Objective, Schedule, Terms
from vaekit.spec import Spec

Kernel: TypeAlias = Literal["imq", "rbf"]


@final
class InfoVAE(Objective):
    """The reconstruction, with codes that are the prior's taken together.

    Args:
        spec: Weights and kernel.
    """

    needs = Needs(density=True, continuous_latent=True)
    monitored = "elbo_nats"

    def __init__(self, spec: "InfoVAESpec") -> None:
        super().__init__()
        self.spec = spec
        # The last two are for the draw of the prior that an example's code is compared with: one
        # is enough for most, and none takes more than two (a mixture chooses a component too).
        self.num_samples = spec.num_samples + 2

    def forward(
        self,
        model: Model,
        observation: Observation,
        schedule: Schedule,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Terms:
        spec, x = self.spec, observation.x
        if noise is None:
            shapes = model.noise_spec(len(observation), self.num_samples)
            noise = draw_noise(shapes, generator, x.device, x.dtype)
        codes = tuple(layer[: spec.num_samples] for layer in noise)
        inference = model.infer(observation, spec.num_samples, codes)
        fit = inference.log_likelihood().mean()
        kl = mean_kl(inference)
        mmd = torch.zeros_like(fit)
        for p, z, layer in zip(inference.prior, inference.z, noise, strict=True):
            mmd = mmd + self._mmd(z, _draws(p, layer[spec.num_samples :]))
        loss = spec.kl_weight * kl + spec.mmd_weight * mmd - fit
        return Terms({"model": loss}, {**reported_elbo(fit, kl), "mmd_squared": mmd.detach()})

    def _mmd(self, z: Tensor, y: Tensor) -> Tensor:
        """Of one layer: codes and draws of the prior, each (samples, batch, *latent)."""
        y = y.expand_as(z)
        return mmd_squared(z.flatten(2), y.flatten(2), self.spec.kernel, self.spec.bandwidth).mean()


def _draws(prior: Distribution, noise: Float[Tensor, "two batch latent"]) -> Tensor:
    side_by_side = torch.cat([*noise], dim=-1).unsqueeze(0)
    return from_noise(prior, side_by_side[..., : noise_size(prior)])


def mmd_squared(
    z: Float[Tensor, "*lead n d"], y: Float[Tensor, "*lead n d"], kernel: Kernel, bandwidth: float
) -> Float[Tensor, "*lead"]:
    """The unbiased estimate of MMD^2 between what z and what y was drawn from."""
    n, d = z.shape[-2:]
    if n < 2:
        return torch.zeros_like(z[..., 0, 0])

    def similarity(a: Tensor, b: Tensor) -> Tensor:
        # Not by way of inner products, whose differences lose the digits of short distances.
        distance = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
        apart = distance.square() / (2 * d * bandwidth**2)
        return torch.exp(-apart) if kernel == "rbf" else 1 / (1 + apart)

    # A point is as similar to itself as can be: one, on each of n places of the diagonal.
    within = (similarity(z, z) + similarity(y, y)).sum((-2, -1)) - 2 * n
    return within / (n * (n - 1)) - 2 * similarity(z, y).mean((-2, -1))


class InfoVAESpec(Spec):
    """Choices of the InfoVAE."""

    needs: ClassVar[Needs] = InfoVAE.needs

    kind: Literal["infovae"] = "infovae"
    kl_weight: NonNegativeFloat = Field(
        default=1.0, description="Weight of KL(q(z | x) || p(z)): 1 - alpha."
    )
    mmd_weight: NonNegativeFloat = Field(
        default=100.0, description="Weight of MMD^2(q(z), p(z)): alpha + lambda - 1."
    )
    kernel: Kernel = Field(default="imq", description="imq has heavier tails than rbf.")
    bandwidth: PositiveFloat = Field(
        default=1.0, description="Of the kernel; 1 suits a prior of scale one."
    )
    num_samples: PositiveInt = Field(default=1, description="Samples of z per example.")

    @property
    def is_bound(self) -> bool:
        """Whether minus the loss, once schedules have ended, bounds log p(x) from below."""
        return self.kl_weight >= 1.0

    def build(self, statistics: Statistics | None = None) -> InfoVAE:
        return InfoVAE(self)
