"""The uniform prior over codes: every code alike, p(k) = classes^-positions.

Reference:
    van den Oord, Vinyals and Kavukcuoglu (2017), Neural Discrete Representation Learning,
    section 3.1, https://arxiv.org/abs/1711.00937
"""

from typing import Literal, final

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from vaekit.priors.code_prior import CodePrior
from vaekit.spec import Spec


@final
class UniformCodePrior(CodePrior):
    """Nothing is known of the codes."""

    zeros: Tensor

    def __init__(self, positions: int, classes: int) -> None:
        super().__init__(positions, classes)
        self.register_buffer("zeros", torch.zeros(classes), persistent=False)

    def logits(
        self, codes: Int64[Tensor, "*lead positions"]
    ) -> Float[Tensor, "*lead positions classes"]:
        return self.zeros.expand(*codes.shape, -1)


class UniformCodesSpec(Spec):
    """Choices of a uniform prior over codes: none."""

    kind: Literal["uniform"] = "uniform"

    def build(self, positions: int, classes: int) -> UniformCodePrior:
        return UniformCodePrior(positions, classes)
