"""A Gaussian prior that depends on the condition: p(z | c) = N(loc(c), diag(scale(c)^2)).

Where z is near depends on what is asked for, and a small network learns how. Its last layer starts
at zero, that is at the standard normal prior.

Reference:
    Sohn, Lee and Yan (2015), Learning Structured Output Representation using Deep Conditional
    Generative Models, https://papers.nips.cc/paper/5775
"""

import itertools
from typing import Literal, final

from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.distributions import Independent

from vaekit.data import Statistics
from vaekit.distributions import Gaussian
from vaekit.errors import SpecError
from vaekit.numerics import at_least_float32, smooth_bound
from vaekit.spec import Spec

MAX_LOG_SCALE = 3.0


@final
class ConditionalGaussianPrior(nn.Module):
    """p(z | c).

    Args:
        network: From c to means and raw log-scales.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, c: Float[Tensor, "batch conditions"] | None = None) -> Independent:
        if c is None:
            raise SpecError("A conditional prior needs its condition.", where="c", found="nothing")
        loc, raw_log_scale = at_least_float32(self.network(c)).chunk(2, dim=-1)
        log_scale = smooth_bound(raw_log_scale, MAX_LOG_SCALE)
        return Independent(Gaussian(loc, log_scale), 1, validate_args=False)


class ConditionalGaussianSpec(Spec):
    """Choices of a conditional Gaussian prior."""

    kind: Literal["conditional_gaussian"] = "conditional_gaussian"
    hidden: tuple[PositiveInt, ...] = Field(
        default=(64,), description="Units per hidden layer, from c to z."
    )

    def check_conditions(self, num_conditions: int) -> None:
        """Refuses data that is conditioned on nothing."""
        if num_conditions == 0:
            raise SpecError(
                "A conditional prior needs something to depend on.",
                where="model.prior.kind = 'conditional_gaussian'",
                expected="transform.condition = ['label'], or names of attributes",
                found="no condition",
                remedy="condition on something, or choose model.prior.kind = 'standard_normal'",
            )

    def build(
        self, latent_dim: int, statistics: Statistics | None = None
    ) -> ConditionalGaussianPrior:
        num_conditions = statistics.num_conditions if statistics else 0
        self.check_conditions(num_conditions)
        widths = (num_conditions, *self.hidden)
        network = nn.Sequential()
        for before, after in itertools.pairwise(widths):
            network.extend([nn.Linear(before, after), nn.ReLU()])
        last = nn.Linear(widths[-1], 2 * latent_dim)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        return ConditionalGaussianPrior(network.append(last))
