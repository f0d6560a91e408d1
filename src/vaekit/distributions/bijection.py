"""Invertible maps with a log-determinant: what flows are made of.

A bijection leads from u to z and back, and says log |det dz/du|, by which the density of u
becomes that of z:

    log p(z) = log p(u) - log |det dz/du|

Reference:
    Rezende and Mohamed (2015), Variational Inference with Normalizing Flows,
    https://arxiv.org/abs/1505.05770
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Literal, TypeAlias, cast, final

from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

Context: TypeAlias = Float[Tensor, "*batch features"]
Mapped: TypeAlias = tuple[Tensor, Tensor]
"""A point (*lead, latent), and log |det dz/du| there (*lead)."""


class Bijection(nn.Module, ABC):
    """A smooth invertible map between vectors of one size, given a context or none."""

    @abstractmethod
    def forward(self, u: Float[Tensor, "*lead latent"], context: Context | None = None) -> Mapped:
        """z, and log |det dz/du|."""

    @abstractmethod
    def inverse(self, z: Float[Tensor, "*lead latent"], context: Context | None = None) -> Mapped:
        """u, and log |det dz/du| of the way from there to z, as `forward` gives it."""


@final
class Composition(Bijection):
    """One bijection after the other.

    Args:
        parts: The one that u meets first, first.
    """

    def __init__(self, parts: Iterable[Bijection]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, u: Float[Tensor, "*lead latent"], context: Context | None = None) -> Mapped:
        log_det = u.new_zeros(u.shape[:-1])
        for part in self.parts:
            u, change = part(u, context)
            log_det = log_det + change
        return u, log_det

    def inverse(self, z: Float[Tensor, "*lead latent"], context: Context | None = None) -> Mapped:
        log_det = z.new_zeros(z.shape[:-1])
        for part in reversed([*self.parts]):
            z, change = cast(Bijection, part).inverse(z, context)
            log_det = log_det + change
        return z, log_det


@final
class Constant(Bijection):
    """A bijection with its parameters held constant: gradients pass through u and z alone."""

    def __init__(self, bijection: Bijection) -> None:
        super().__init__()
        self.bijection = bijection

    def forward(self, u: Float[Tensor, "*lead latent"], context: Context | None = None) -> Mapped:
        return self._mapped("forward", u, context)

    def inverse(self, z: Float[Tensor, "*lead latent"], context: Context | None = None) -> Mapped:
        return self._mapped("inverse", z, context)

    def _mapped(
        self, way: Literal["forward", "inverse"], value: Tensor, context: Tensor | None
    ) -> Mapped:
        constants = {name: tensor.detach() for name, tensor in self.named_parameters()}
        return functional_call(_OneWay(self.bijection, way), constants, (value, context))


class _OneWay(nn.Module):
    """One of the two ways as the call of a module, which is what torch can hand parameters to."""

    def __init__(self, bijection: Bijection, way: Literal["forward", "inverse"]) -> None:
        super().__init__()
        self.bijection, self.way = bijection, way

    def forward(self, value: Tensor, context: Tensor | None) -> Mapped:
        return getattr(self.bijection, self.way)(value, context)
