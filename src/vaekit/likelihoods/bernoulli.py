"""Bernoulli likelihood, for binary values.

    log p(x | z) = sum_i x_i l_i - softplus(l_i),    l = logits

The decoder gives logits, never probabilities: a clamped probability bounds the likelihood
and biases every number derived from it. On grey values in [0, 1] the same expression is the
usual cross-entropy, which is not a likelihood (it does not integrate to one); reports say so.

Reference:
    Kingma and Welling (2013), Auto-Encoding Variational Bayes, appendix C.1,
    https://arxiv.org/abs/1312.6114
"""

from typing import ClassVar, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Bernoulli, Independent

from vaekit.likelihoods.likelihood import Likelihood, ValueRange
from vaekit.spec import Spec


@final
class BernoulliLikelihood(Likelihood):
    """p(x | z) with one independent coin per value."""

    params_per_value = 1
    values = ValueRange(0.0, 1.0)

    def forward(self, parameters: Float[Tensor, "..."]) -> Independent:
        (logits,) = self._per_value(parameters)
        return self._independent(Bernoulli(logits=logits, validate_args=False))

    def initial_parameters(
        self, mean: Float[Tensor, "*event"], std: Float[Tensor, "*event"]
    ) -> Float[Tensor, "1 *event"]:
        # A pixel that is never on would ask for a logit of minus infinity.
        return torch.logit(mean, eps=1e-3).unsqueeze(0)


class BernoulliSpec(Spec):
    """Choices of a Bernoulli likelihood: none."""

    kind: Literal["bernoulli"] = "bernoulli"
    mean_is_all: ClassVar[bool] = True
    """Whether gradients have nothing to train but the mean of p(x | z)."""

    def build(self, event_shape: tuple[int, ...]) -> BernoulliLikelihood:
        return BernoulliLikelihood(event_shape)
