"""The factors of a model whose q(z | x) is a single sequence of codes.

    q(z | x) = 1 for z = z(x), else 0,    KL(q || p) = -log p(z(x))

z are the codes as vectors. Codes are discrete, so that both are probabilities and no densities,
and the KL is the length of the code in nats.
"""

from typing import Any, ClassVar, final

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.distributions import Distribution, register_kl

from vaekit.models.codebook import nearest
from vaekit.priors import CodePrior


@final
class SingleCode(Distribution):
    """q(z | x): all mass on one sequence of codes per example.

    Args:
        codes: Their numbers.
        vectors: Their vectors.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}  # pyright: ignore[reportIncompatibleMethodOverride]

    def __init__(
        self,
        codes: Int64[Tensor, "batch positions"],
        vectors: Float[Tensor, "batch positions dim"],
    ) -> None:
        self.codes, self.vectors = codes, vectors
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
        return SingleCode(self.codes, self.vectors.detach())

    def from_noise(self, noise: Float[Tensor, "samples batch positions"]) -> Tensor:
        return self.vectors.expand(noise.shape[0], *self.vectors.shape)

    def log_prob(self, value: Float[Tensor, "*lead positions dim"]) -> Float[Tensor, "*lead"]:
        """Zero: nothing else is ever drawn."""
        return value.new_zeros(value.shape[:-2])


@final
class CodesOfPrior(Distribution):
    """p(z): the prior's codes, as vectors.

    Args:
        prior: p(k).
        vectors: Of every code.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}  # pyright: ignore[reportIncompatibleMethodOverride]

    def __init__(self, prior: CodePrior, vectors: Float[Tensor, "codes dim"]) -> None:
        self.prior, self.vectors = prior, vectors
        event = torch.Size((prior.positions, vectors.shape[1]))
        super().__init__(event_shape=event, validate_args=False)

    def log_prob(self, value: Float[Tensor, "*lead positions dim"]) -> Float[Tensor, "*lead"]:
        """log p(k) in nats, of the codes that the vectors are."""
        return self.prior.log_prob(nearest(self.vectors, value))


@register_kl(SingleCode, CodesOfPrior)
def _kl_of_single_code(q: SingleCode, p: CodesOfPrior) -> Tensor:
    return -p.prior.log_prob(q.codes)
