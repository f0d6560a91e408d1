"""The bound of a semi-supervised VAE: an exact sum over the classes that are not known.

    L(x, y) = E_q(z|x,y)[log p(x | y, z)] - KL(q(z | x, y) || p(z)) + log p(y)   <= log p(x, y)
    U(x)    = sum_y q(y | x) (L(x, y) - log q(y | x))                            <= log p(x)

With N training examples, M of them labelled, in nats per example of the training split:

    loss = -(1 - M/N) E[U(x)] - M/N E[L(x, y)] + classification_weight E[-log q(y | x)]

The first mean is over examples without a label, the others are over those with one. This is the
objective of the paper (eq. 9) divided by N, with alpha = classification_weight * N; its choice
alpha = 0.1 N is 0.1 here, which was too little (docs/experiments.md). Batches do not have M/N of
labelled examples but `labeled_share`, and every example is weighed so that the expectation is the
loss above. The reported ELBO is the mean of U: of the examples without a label in training, of all
in evaluation mode.

Reference:
    Kingma, Rezende, Mohamed and Welling (2014), Semi-Supervised Learning with Deep Generative
    Models, https://arxiv.org/abs/1406.5298
"""

from typing import ClassVar, Literal, NamedTuple, final

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import Tensor

from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.models import Model, Noise, SemiSupervisedVAE
from vaekit.numerics import draw_noise
from vaekit.objectives.elbo import reported_elbo
from vaekit.objectives.objective import Needs, Objective, Schedule, Terms
from vaekit.spec import Spec


class ClassBounds(NamedTuple):
    """What is known of every example under every class, in nats."""

    fit: Float[Tensor, "batch classes"]
    """E[log p(x | y, z)]."""
    kl: Float[Tensor, "batch classes"]
    """KL(q(z | x, y) || p(z)), and -log p(y)."""
    log_q: Float[Tensor, "batch classes"]
    """log q(y | x)."""

    @property
    def labeled(self) -> Float[Tensor, "batch classes"]:
        """L(x, y)."""
        return self.fit - self.kl

    @property
    def unlabeled(self) -> Float[Tensor, " batch"]:
        """U(x)."""
        return (self.log_q.exp() * (self.labeled - self.log_q)).sum(-1)


def class_bounds(
    model: SemiSupervisedVAE,
    observation: Observation,
    num_samples: int = 1,
    noise: Noise | None = None,
    generator: torch.Generator | None = None,
) -> ClassBounds:
    """The bounds of all classes at once; every class gets the same noise.

    Args:
        model: What is trained.
        observation: A batch.
        num_samples: Samples of z per example and class.
        noise: As `model.noise_spec` asks; that of the class goes unused.
        generator: Source of noise where none is given.
    """
    n, k = len(observation), model.classes
    if noise is None:
        spec = model.noise_spec(n, num_samples)
        noise = draw_noise(spec, generator, observation.x.device, observation.x.dtype)
    encoding = model.encode(observation)
    normal = noise[-1].repeat_interleave(k, dim=0)
    every = torch.eye(k, dtype=normal.dtype, device=normal.device)
    y = every.repeat(num_samples, 1).unsqueeze(1).expand(-1, n, -1)
    inference = model.given(observation, y, normal, encoding)

    def by_class(values: Tensor) -> Tensor:
        return values.reshape(-1, k, n).mean(0).T

    kl = by_class(inference.kl[1].sum(-1)) - inference.prior[0].log_prob(every)
    log_q = inference.posterior[0].log_prob(every.unsqueeze(1)).T
    return ClassBounds(by_class(inference.log_likelihood()), kl, log_q)


@final
class M2(Objective):
    """The bound of labelled and unlabelled examples, and what the classifier learns from labels.

    Args:
        spec: Choices of the objective.
        examples: Training examples N; where they are not known, batches count as fair draws.
    """

    needs = Needs(density=True, latent_class=True)
    monitored = "elbo_nats"

    def __init__(self, spec: "M2Spec", examples: int | None = None) -> None:
        super().__init__()
        self.num_samples, self.share = spec.num_samples, spec.labeled_share
        self.classification_weight = spec.classification_weight
        self.labeled = spec.labeled / examples if examples else spec.labeled_share

    def forward(
        self,
        model: Model,
        observation: Observation,
        schedule: Schedule,
        noise: Noise | None = None,
        generator: torch.Generator | None = None,
    ) -> Terms:
        if not isinstance(model, SemiSupervisedVAE):
            raise SpecError(
                "This objective sums over the classes of a semi-supervised VAE.",
                found=type(model).__name__,
                remedy="choose model.kind = 'semi_supervised_vae'",
            )
        bounds = class_bounds(model, observation, self.num_samples, noise, generator)
        c = observation.c
        label = torch.zeros_like(bounds.log_q) if c is None else c.to(bounds.log_q)
        known = label.sum(-1)
        reported = self._reported(bounds, known)
        if c is not None:
            reported |= self._of_classifier(bounds.log_q.detach(), label, known)
        return Terms({"model": self._loss(bounds, label, known)}, reported)

    def _loss(self, bounds: ClassBounds, label: Tensor, known: Tensor) -> Tensor:
        """Every example has a weight of its own, so that a batch can be cut anywhere."""
        of_unknown = (1 - self.labeled) / (1 - self.share) * (1 - known) * bounds.unlabeled
        of_known = self.labeled / self.share * (label * bounds.labeled).sum(-1)
        of_label = self.classification_weight / self.share * (label * bounds.log_q).sum(-1)
        return -(of_unknown + of_known + of_label).mean()

    def _reported(self, bounds: ClassBounds, known: Tensor) -> dict[str, Tensor]:
        seen = 1 - known if self.training else torch.ones_like(known)
        q = bounds.log_q.exp()
        fit = self._mean((q * bounds.fit).sum(-1), seen, 1 - self.share)
        return reported_elbo(fit, fit - self._mean(bounds.unlabeled, seen, 1 - self.share))

    def _of_classifier(self, log_q: Tensor, label: Tensor, known: Tensor) -> dict[str, Tensor]:
        """How well q(y | x) knows the labels that there are."""
        right = (log_q.argmax(-1) == label.argmax(-1)).to(log_q.dtype)
        return {
            "accuracy": self._mean(right, known, self.share),
            "cross_entropy_nats": -self._mean((label * log_q).sum(-1), known, self.share),
        }

    def _mean(self, values: Tensor, seen: Tensor, share: float) -> Tensor:
        """Over the examples that are seen; zero where none is.

        In training they are that share of a batch, and the pieces of a batch, which may hold none
        of them, average to its mean.
        """
        count = share * len(seen) if self.training else seen.sum().clamp_min(1.0)
        return (values * seen).sum() / count


class M2Spec(Spec):
    """Choices of the bound of a semi-supervised VAE."""

    needs: ClassVar[Needs] = M2.needs
    is_bound: ClassVar[bool] = True

    kind: Literal["m2"] = "m2"
    labeled: PositiveInt = Field(
        default=100,
        description="Training examples M whose label is known, as many of every class; the others "
        "are hidden before training.",
    )
    labels_seed: int = Field(default=0, description="Seed of which those are.")
    labeled_share: float = Field(
        default=0.25, gt=0.0, lt=1.0, description="Share of every batch that has labels."
    )
    classification_weight: NonNegativeFloat = Field(
        default=50.0,
        description="Of -log q(y | x) of labelled examples, in the loss per training example; "
        "the paper's alpha / N.",
    )
    num_samples: PositiveInt = Field(default=1, description="Samples of z per example and class.")

    def labeled_of(self, batch_size: int) -> int:
        """How many examples of a batch have a label.

        Raises:
            SpecError: The share is no whole number of examples.
        """
        exact = self.labeled_share * batch_size
        if abs(exact - round(exact)) > 1e-9 or round(exact) < 1:
            raise SpecError(
                "The share of labelled examples is no whole number of a batch.",
                where="objective.labeled_share with training.batch_size",
                expected="a whole number of examples, one at least",
                found=f"{self.labeled_share:g} of {batch_size} examples",
                remedy="choose shares such as 0.25, and batches that they divide",
            )
        return round(exact)

    def build(self, statistics: Statistics | None = None) -> M2:
        return M2(self, None if statistics is None else statistics.num_examples)
