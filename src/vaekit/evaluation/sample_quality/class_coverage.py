"""Class coverage: over how many of the classes samples spread.

    coverage = exp(H) / classes,    H = - sum of share ln share over the predicted classes

One where every class has the same share, 1 / classes where all samples are of one class. Data
that is unbalanced itself stays below one: compare with the coverage of the data.
"""

import torch
from jaxtyping import Int64
from torch import Tensor

from vaekit.errors import DataError


def class_coverage(classes: Int64[Tensor, " examples"], num_classes: int) -> float:
    """Effective number of classes, as a share of all.

    Args:
        classes: The predicted class of every example.
        num_classes: How many classes there are.

    Example:
        >>> class_coverage(torch.tensor([0, 0, 1, 1]), num_classes=4)
        0.5
    """
    if len(classes) == 0:
        raise DataError("There are no examples.", expected="at least one")
    shares = class_shares(classes, num_classes)
    return (torch.special.entr(shares).sum().exp() / num_classes).item()


def class_shares(classes: Int64[Tensor, " examples"], num_classes: int) -> Tensor:
    """Which share of the examples is of each class."""
    return torch.bincount(classes, minlength=num_classes).double() / len(classes)
