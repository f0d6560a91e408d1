"""How sparse codes are: whether an example uses few of the dimensions that all of them use.

Of the d active dimensions, each divided by its standard deviation over the data, so that none
counts for more than another because of its scale:

    hoyer(y) = (sqrt(d) - |y|_1 / |y|_2) / (sqrt(d) - 1),    y_i = E[z_i | x] / std_i

averaged over examples: 1 where each code has a single number that is not zero, 0 where all have
the same size. Gaussian codes of many dimensions have 1 - sqrt(2 / pi) = 0.2 or a little more,
those of a Laplace distribution 1 - sqrt(1 / 2) = 0.3. Dimensions that are not active are left
out: their numbers are noise around a constant, which the division would make as large as any.

References:
    Hoyer (2004), Non-negative Matrix Factorization with Sparseness Constraints, section 3.1
    Mathieu, Rainforth, Siddharth and Teh (2019), Disentangling Disentanglement in Variational
    Autoencoders, section 5.3 (of codes), https://arxiv.org/abs/1812.02833
"""

from jaxtyping import Float64
from torch import Tensor


def hoyer_sparsity(
    codes: Float64[Tensor, "examples latent"], least_variance: float
) -> float | None:
    """Mean Hoyer sparsity of the codes of a split; None with fewer than two active dimensions.

    Args:
        codes: One row for each example.
        least_variance: Dimensions of more are active.

    Example:
        >>> import torch
        >>> round(hoyer_sparsity(torch.eye(3).double(), least_variance=0.01), 6)
        1.0
    """
    variance = codes.var(dim=0, correction=0)
    active = variance > least_variance
    d = int(active.sum())
    if d < 2:
        return None
    y = codes[:, active] / variance[active].sqrt()
    sizes = y.abs().sum(1) / y.norm(dim=1)
    # A code of zeros alone has no direction, and is left out.
    return ((d**0.5 - sizes) / (d**0.5 - 1)).nanmean().item()
