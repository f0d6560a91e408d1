"""How often a model that has classes finds that of an example, its label unseen.

accuracy = 1/N sum_n [argmax_y q(y | x_n) = label of x_n]
"""

from collections.abc import Iterable

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from vaekit.data import Observation
from vaekit.errors import DataError, SpecError
from vaekit.models import Model, SemiSupervisedVAE


@torch.no_grad()
def classified(
    model: Model, observations: Iterable[Observation], labels: Int64[Tensor, " examples"]
) -> Bool[Tensor, " known"]:
    """Whether the most probable class is the label, for every example whose label is known.

    Args:
        model: A semi-supervised VAE, in evaluation mode.
        observations: The examples in order; what they say of their class is not looked at.
        labels: Their classes; -1 where it is not known.

    Raises:
        SpecError: The model has no classes.
        DataError: There are not as many labels as examples.
    """
    if not isinstance(model, SemiSupervisedVAE):
        raise SpecError(
            "This model does not classify.",
            found=type(model).__name__,
            remedy="choose model.kind = 'semi_supervised_vae'",
        )
    shown = (Observation(block.x, mask=block.mask) for block in observations)
    found = [model.classify(block).argmax(-1).cpu() for block in shown]
    if sum(map(len, found)) != len(labels):
        raise DataError(
            "Labels do not match the examples.",
            expected=f"{sum(map(len, found))} labels",
            found=len(labels),
        )
    known = labels.cpu() >= 0
    return (torch.cat(found) == labels.cpu())[known] if found else known
