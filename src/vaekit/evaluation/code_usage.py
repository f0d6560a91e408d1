"""How evenly discrete codes are used.

    perplexity = exp(-sum_k s_k log s_k),    s_k = share of class k over the whole split

All classes alike give their number, a single one gives 1. A categorical VAE has classes of its own
for every variable, and the mean over variables is reported; a VQ-VAE has one codebook for all.

Reference:
    van den Oord, Vinyals and Kavukcuoglu (2017), Neural Discrete Representation Learning,
    https://arxiv.org/abs/1711.00937
"""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor

from vaekit.data import Observation
from vaekit.errors import DataError
from vaekit.models import Model


@torch.no_grad()
def code_usage(
    model: Model, observations: Iterable[Observation]
) -> Float[Tensor, "groups classes"]:
    """The share of every class under q(z | x), averaged over the examples.

    Raises:
        SpecError: The codes of the model are not discrete.
        DataError: There are no examples.
    """
    total, examples = torch.zeros(()), 0
    for block in observations:
        total = total.to(block.x.device) + model.code_usage(block).double() * len(block)
        examples += len(block)
    if examples == 0:
        raise DataError("There are no examples to count codes of.", expected="one or more")
    return total / examples


def perplexity(usage: Float[Tensor, "groups classes"]) -> Float[Tensor, " groups"]:
    """exp of the entropy of each row of shares.

    Example:
        >>> perplexity(torch.tensor([[0.25, 0.25, 0.25, 0.25]])).item()
        4.0
    """
    return torch.special.entr(usage).sum(-1).exp()
