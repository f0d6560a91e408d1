"""Flows against a distribution that is known: an affine map of Gaussians, a Gaussian."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Independent, MultivariateNormal

from vaekit.distributions import (
    Bijection,
    Composition,
    Context,
    Flow,
    Gaussian,
    Mapped,
    detached,
    from_noise,
    moments,
)
from vaekit.numerics import generator_for

SIZE = 3


class Affine(Bijection):
    """z = L u + context, with a lower triangular L."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        square = torch.randn(SIZE, SIZE, generator=generator_for(seed), dtype=torch.float64)
        self.factor = nn.Parameter(square.tril() + 2 * torch.eye(SIZE))
        self.inversions = 0

    def forward(self, u: Float[Tensor, "*lead latent"], context: Context | None = None) -> Mapped:
        shift = 0.0 if context is None else context
        return u @ self.factor.T + shift, self._log_det().expand(u.shape[:-1])

    def inverse(self, z: Float[Tensor, "*lead latent"], context: Context | None = None) -> Mapped:
        self.inversions += 1
        shift = 0.0 if context is None else context
        u = (z - shift) @ torch.linalg.inv(self.factor).T
        return u, self._log_det().expand(z.shape[:-1])

    def _log_det(self) -> Tensor:
        return torch.linalg.slogdet(self.factor)[1]


def base() -> Independent:
    zeros = torch.zeros(SIZE, dtype=torch.float64)
    return Independent(Gaussian(zeros, zeros), 1, validate_args=False)


def test_density_is_that_of_the_image() -> None:
    first, second = Affine(0), Affine(1)
    flow = Flow(base(), Composition([first, second]))
    factor = second.factor @ first.factor
    exact = MultivariateNormal(torch.zeros(SIZE).double(), factor @ factor.T)
    z = torch.randn(5, 4, SIZE, generator=generator_for(2), dtype=torch.float64)
    torch.testing.assert_close(flow.log_prob(z), exact.log_prob(z))
    noise = torch.randn(5, SIZE, generator=generator_for(3), dtype=torch.float64)
    torch.testing.assert_close(from_noise(flow, noise), noise @ factor.T)


def test_context_is_told_to_each_member_of_the_batch() -> None:
    context = torch.randn(4, SIZE, generator=generator_for(2), dtype=torch.float64)
    affine = Affine(0)
    zeros = torch.zeros(4, SIZE, dtype=torch.float64)
    flow = Flow(Independent(Gaussian(zeros, zeros), 1), Composition([affine]), context)
    assert (flow.batch_shape, flow.event_shape) == ((4,), (SIZE,))
    z = torch.randn(5, 4, SIZE, generator=generator_for(3), dtype=torch.float64)
    exact = MultivariateNormal(context, affine.factor @ affine.factor.T)
    torch.testing.assert_close(flow.log_prob(z), exact.log_prob(z))


def test_only_foreign_draws_are_inverted() -> None:
    affine = Affine(0)
    flow = Flow(base(), affine)
    z = flow.rsample(torch.Size([6]))
    own = flow.log_prob(z)
    assert affine.inversions == 0
    torch.testing.assert_close(flow.log_prob(z.clone()), own)
    assert affine.inversions == 1
    flow.rsample(torch.Size([6]))
    torch.testing.assert_close(flow.log_prob(z), own)  # an older draw is any other z
    assert affine.inversions == 2


def test_detached_has_no_slope_into_parameters_or_context() -> None:
    affine = Affine(0)
    context = torch.ones(SIZE, dtype=torch.float64, requires_grad=True)
    constant = detached(Flow(base(), affine, context))
    z = torch.ones(2, SIZE, dtype=torch.float64)
    assert not constant.log_prob(z).requires_grad
    assert not from_noise(constant, z).requires_grad
    (slope,) = torch.autograd.grad(constant.log_prob(z.requires_grad_()).sum(), z)
    expected = -torch.linalg.inv(affine.factor @ affine.factor.T) @ (z[0] - context)
    torch.testing.assert_close(slope[0], expected.detach())
    assert affine.factor.requires_grad


def test_has_no_moments_to_give() -> None:
    assert moments(Flow(base(), Affine(0))) is None
    with pytest.raises(NotImplementedError):
        _ = Flow(base(), Affine(0)).mean
