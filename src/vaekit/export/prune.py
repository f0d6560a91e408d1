"""Setting the smallest weights of matrix products to zero, all layers compared at once.

What is left out costs nothing to send, because zeros compress; a dense graph computes with them as
before. Nothing is trained afterwards.

Reference:
    Han, Pool, Tran and Dally (2015), Learning both Weights and Connections for Efficient Neural
    Networks, https://arxiv.org/abs/1506.02626
"""

import copy

import torch
from torch import nn

from vaekit.errors import SpecError
from vaekit.models import Model


@torch.no_grad()
def pruned(model: Model, share: float) -> Model:
    """A copy without that share of the weights of its matrix products, the smallest ones.

    Args:
        model: With masked weights as plain ones (`trace.for_export`); zeros count as weights.
        share: Between 0 and 1.

    Raises:
        SpecError: There are no matrix products.
    """
    smaller = copy.deepcopy(model)
    weights = [layer.weight for layer in smaller.modules() if isinstance(layer, nn.Linear)]
    if not weights:
        raise SpecError(
            "There is nothing in this model to prune.",
            where="--prune",
            expected="matrix products",
            found="none (convolutions keep their weights)",
            remedy="leave --prune out",
        )
    sizes = torch.cat([weight.abs().flatten() for weight in weights])
    kept = torch.ones_like(sizes)
    kept[sizes.argsort()[: round(share * len(sizes))]] = 0.0
    for weight, mask in zip(weights, kept.split([w.numel() for w in weights]), strict=True):
        weight.mul_(mask.reshape(weight.shape))
    return smaller


def check_share(share: float) -> None:
    """Complains of what is no share.

    Raises:
        SpecError: It is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise SpecError(
            "This share of the weights cannot be pruned.",
            where="--prune",
            expected="a number between 0 and 1, as in 0.5",
            found=share,
        )


def pruned_name(share: float) -> str:
    """What the variant is called.

    Example:
        >>> pruned_name(0.5), pruned_name(0.975)
        ('pruned50', 'pruned97_5')
    """
    return f"pruned{100 * share:g}".replace(".", "_")
