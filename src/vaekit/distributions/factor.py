"""What vaekit asks of one factor of a prior or a posterior, beyond torch's interface.

A factor is an `Independent` distribution over the dimensions of one latent layer. Three
questions are asked of it: which sample a given noise becomes, what it would be if its
parameters were constants, and how far it is from another factor, dimension by dimension.
"""

from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, kl_divergence

from vaekit.distributions.gaussian import Gaussian


def from_noise(factor: Independent, noise: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """The reparameterised sample that `noise` becomes (Kingma and Welling 2013, section 2.4)."""
    base = factor.base_dist
    if not isinstance(base, Gaussian):
        raise TypeError(f"{type(base).__name__} does not say how noise becomes a sample")
    return base.from_noise(noise)


def detached(factor: Independent) -> Independent:
    """The same factor with its parameters held constant: no gradient flows into them."""
    base = factor.base_dist
    parameters = {name: getattr(base, name).detach() for name in base.arg_constraints}
    return Independent(
        type(base)(**parameters), factor.reinterpreted_batch_ndims, validate_args=False
    )


def kl_per_dimension(
    q: Independent, p: Independent, z: Float[Tensor, "samples batch *latent"]
) -> tuple[Float[Tensor, "draws batch *latent"], bool]:
    """KL(q || p) for every dimension, in nats, and whether it is exact.

    Exact where torch knows a closed form for the pair (then there is one "draw", whatever
    the number of samples), otherwise the unbiased estimate log q(z) - log p(z) per sample.
    """
    try:
        exact = kl_divergence(q.base_dist, p.base_dist)
    except NotImplementedError:
        return _log_prob_per_dimension(q, z) - _log_prob_per_dimension(p, z), False
    return exact.expand(1, *z.shape[1:]), True


def _log_prob_per_dimension(factor: Independent, z: Tensor) -> Tensor:
    base: Distribution = factor.base_dist
    return base.log_prob(z)
