"""The autoregressive prior over codes: a masked network reads each code from those before it.

    p(k_i | k_1, ..., k_{i-1}) = softmax(network(k)_i)

Every hidden unit has a number m and sees the codes 1, ..., m; the logits of position i see the
units with m < i. One pass gives all conditionals; drawing takes one pass per position.

Reference:
    Germain, Gregor, Murray and Larochelle (2015), MADE: Masked Autoencoder for Distribution
    Estimation, https://arxiv.org/abs/1502.03509
"""

from collections.abc import Sequence
from typing import Literal, final

import torch
from jaxtyping import Bool, Float, Int64
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from vaekit.priors.code_prior import CodePrior
from vaekit.spec import Spec


@final
class MaskedLinear(nn.Linear):
    """A linear layer without the connections that a mask leaves out.

    Args:
        mask: True where an output may see an input.
    """

    mask: Tensor

    def __init__(self, mask: Bool[Tensor, "outputs inputs"]) -> None:
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, input: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch outputs"]:
        return F.linear(input, self.weight * self.mask, self.bias)


@final
class AutoregressiveCodePrior(CodePrior):
    """p(k) by a masked multi-layer perceptron.

    Args:
        positions: Codes per example.
        classes: Values of one code.
        hidden: Units per hidden layer.
    """

    def __init__(self, positions: int, classes: int, hidden: Sequence[int]) -> None:
        super().__init__(positions, classes)
        before = torch.arange(1, positions + 1).repeat_interleave(classes)  # what an input is
        self.network = nn.Sequential()
        for width in hidden:
            sees = torch.arange(width) % max(positions - 1, 1) + (positions > 1)
            self.network.append(MaskedLinear(sees[:, None] >= before))
            self.network.append(nn.ReLU())
            before = sees
        of_position = torch.arange(1, positions + 1).repeat_interleave(classes)
        self.network.append(MaskedLinear(of_position[:, None] > before))

    def logits(
        self, codes: Int64[Tensor, "*lead positions"]
    ) -> Float[Tensor, "*lead positions classes"]:
        weight = next(self.network.parameters())
        seen = F.one_hot(codes, self.classes).to(weight.dtype).reshape(-1, weight.shape[1])
        return self.network(seen).reshape(*codes.shape, self.classes)


class AutoregressiveCodesSpec(Spec):
    """Choices of an autoregressive prior over codes."""

    kind: Literal["autoregressive"] = "autoregressive"
    hidden: tuple[PositiveInt, ...] = Field(
        default=(512, 512), min_length=1, description="Units per hidden layer of its network."
    )

    def build(self, positions: int, classes: int) -> AutoregressiveCodePrior:
        return AutoregressiveCodePrior(positions, classes, self.hidden)
