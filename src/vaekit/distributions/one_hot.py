"""Categorical variables as one-hot vectors, and their relaxation.

    hard:      z = onehot(argmax_k (log pi_k + g_k))                     z ~ Categorical(pi)
    relaxed:   y = softmax((log pi + g) / temperature)                   y -> z as it falls to 0
    straight-through:   the value of onehot(argmax y), with the gradient of y

with g_k = -log(-log u_k), u_k uniform: the same noise gives the hard draw and its relaxation.
Log-probability, entropy and divergence are those of the categorical variable, whichever way it
is drawn: a relaxed draw is a device for gradients, and no other model.

References:
    Jang, Gu and Poole (2016), Categorical Reparameterization with Gumbel-Softmax,
    https://arxiv.org/abs/1611.01144
    Maddison, Mnih and Teh (2016), The Concrete Distribution: A Continuous Relaxation of Discrete
    Random Variables, https://arxiv.org/abs/1611.00712
"""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, constraints, register_kl
from torch.nn.functional import one_hot
from torch.types import _size


@final
class OneHot(Distribution):
    """A batch of independent categorical variables.

    Args:
        logits: Unnormalised log-probabilities of the classes.
        temperature: Draws are relaxed at this temperature; hard where absent.
        straight_through: Relaxed draws have the value of the hard ones.

    Example:
        >>> coin = OneHot(torch.tensor([0.0, 0.0]))
        >>> coin.from_noise(torch.tensor([0.1, 0.9]))
        tensor([0., 1.])
    """

    arg_constraints = {  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
        "logits": constraints.real_vector
    }

    def __init__(
        self,
        logits: Float[Tensor, "*shape classes"],
        temperature: float | Float[Tensor, ""] | None = None,
        straight_through: bool = False,
    ) -> None:
        self.logits = logits - logits.logsumexp(-1, keepdim=True)
        self.temperature, self.straight_through = temperature, straight_through
        super().__init__(logits.shape[:-1], logits.shape[-1:], validate_args=False)

    @property
    def has_rsample(self) -> bool:
        return self.temperature is not None

    @property
    def support(self) -> constraints.Constraint:
        return constraints.one_hot

    @property
    def mean(self) -> Tensor:
        """The probabilities of the classes."""
        return self.logits.exp()

    @property
    def variance(self) -> Tensor:
        return self.mean * (1 - self.mean)

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    @property
    def mode(self) -> Tensor:
        """The most probable class, one-hot."""
        return _hardened(self.logits)

    def detached(self) -> "OneHot":
        return self._with(self.logits.detach())

    def expand(self, batch_shape: _size, _instance: None = None) -> "OneHot":
        return self._with(self.logits.expand(*batch_shape, -1))

    def from_noise(self, noise: Float[Tensor, "..."], scale: float = 1.0) -> Float[Tensor, "..."]:
        """The draw that uniform `noise`, a number for each class, becomes.

        Args:
            noise: Between 0 and 1; where it is the same for all classes, the draw is the mode.
            scale: Of the Gumbel noise: 0 for the mode, 1 for a draw.
        """
        scores = self.logits + scale * _gumbel(noise)
        if self.temperature is None:
            return _hardened(scores)
        relaxed = torch.softmax(scores / self.temperature, dim=-1)
        if not self.straight_through:
            return relaxed
        return _hardened(scores) + (relaxed - relaxed.detach())  # the bracket is exactly zero

    def rsample(self, sample_shape: _size = ()) -> Tensor:
        shape = self._extended_shape(torch.Size(sample_shape))
        noise = torch.rand(shape, dtype=self.logits.dtype, device=self.logits.device)
        return self.from_noise(noise)

    def sample(self, sample_shape: _size = ()) -> Tensor:
        with torch.no_grad():
            return self.rsample(sample_shape)

    def log_prob(self, value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Log-probability of one-hot values, in nats."""
        return (value * self.logits).sum(-1)

    def entropy(self) -> Tensor:
        return -(self.mean * self.logits).sum(-1)

    def _with(self, logits: Tensor) -> "OneHot":
        """The same with other logits, which are normalised already."""
        new = OneHot.__new__(OneHot)
        new.logits, new.temperature = logits, self.temperature
        new.straight_through = self.straight_through
        Distribution.__init__(new, logits.shape[:-1], logits.shape[-1:], validate_args=False)
        return new


def _gumbel(noise: Tensor) -> Tensor:
    """Standard Gumbel noise from uniform noise, whose ends would be infinite."""
    limits = torch.finfo(noise.dtype)
    return -torch.log(-torch.log(noise.clamp(limits.tiny, 1 - limits.eps / 2)))


def _hardened(scores: Tensor) -> Tensor:
    return one_hot(scores.argmax(-1), scores.shape[-1]).to(scores.dtype)


@register_kl(OneHot, OneHot)
def _kl_between_one_hots(q: OneHot, p: OneHot) -> Tensor:
    """The sum over classes of q (log q - log p)."""
    return (q.mean * (q.logits - p.logits)).sum(-1)
