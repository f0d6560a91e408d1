"""The promises every likelihood p(x | z) keeps.

A likelihood turns decoder outputs into a distribution over one example. It returns
`Independent`, so that `log_prob` is in nats per example and `base_dist.log_prob` is in nats
per value (which masks, mixed columns and attribution need).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from vaekit.numerics import at_least_float32


@dataclass(frozen=True)
class ValueRange:
    """Which observed values a likelihood can score; None means unbounded."""

    low: float | None = None
    high: float | None = None
    whole: bool = False

    def __str__(self) -> str:
        kind = "whole numbers" if self.whole else "numbers"
        low = "" if self.low is None else f" from {self.low:g}"
        high = "" if self.high is None else f" up to {self.high:g}"
        return f"{kind}{low}{high}" if low or high else f"any {kind}"

    def contains(self, values: Float[Tensor, "..."]) -> bool:
        """Whether every value can be scored; what is not finite never can."""
        finite = bool(values.isfinite().all())
        low = self.low is None or bool((values >= self.low).all())
        high = self.high is None or bool((values <= self.high).all())
        whole = not self.whole or bool((values == values.round()).all())
        return finite and low and high and whole


class Likelihood(nn.Module, ABC):
    """Builds p(x | z) from what the decoder says of each value.

    Args:
        event_shape: Shape of one example.
    """

    params_per_value: int
    """How many numbers the decoder gives for each observed value."""
    values: ValueRange

    def __init__(self, event_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.event_shape = tuple(event_shape)

    @abstractmethod
    def forward(self, parameters: Float[Tensor, "..."]) -> Independent:
        """Builds p(x | z), one distribution per leading index.

        Args:
            parameters: Shape (*lead, params_per_value, *event_shape); half precision is
                raised to float32.
        """

    @abstractmethod
    def initial_parameters(
        self, mean: Float[Tensor, "*event"], std: Float[Tensor, "*event"]
    ) -> Float[Tensor, "params *event"]:
        """Parameters whose distribution has the data's mean: where the decoder starts.

        Its standard deviation is the data's as nearly as the family allows. A likelihood that
        has a parameter of its own starts that too.

        Args:
            mean: Mean of every value over the training data.
            std: Standard deviation of every value over the training data.
        """

    def _independent(self, values: Distribution) -> Independent:
        return Independent(values, len(self.event_shape), validate_args=False)

    def _per_value(self, parameters: Tensor) -> tuple[Tensor, ...]:
        return at_least_float32(parameters).unbind(dim=-len(self.event_shape) - 1)
