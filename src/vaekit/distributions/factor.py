"""What vaekit asks of one factor of a prior or a posterior, beyond torch's interface.

A factor is a distribution over one latent layer. Most split over its dimensions, and are
`Independent` of one distribution per dimension (or per one-hot vector); mixtures, flows and full
covariances do not.
Four questions are asked of it: which sample a given noise becomes, what it would be if its
parameters were constants, how probable a sample is, and how far it is from another factor.

A distribution that can be a factor has, beyond torch's interface,

    from_noise(noise)   the reparameterised sample that standard noise becomes; the last
                        dimension of the noise is `noise_size`, where it has such an attribute,
                        else the size of the layer; what is beyond that size makes choices
    mean, stddev        of every dimension by itself; NotImplementedError where there is no
                        closed form, as torch has it
    tempered(factor)    itself, spread by that factor; needed where a factor on the noise is none on
                        the spread
    detached()          itself, without gradients into its parameters; where the names in
                        `arg_constraints` are all there is, it need not say so
"""

from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, kl_divergence

EVENT_FROM: Final = 2
"""The first dimension of z that belongs to the layer: samples and examples come before it."""


def from_noise(
    factor: Distribution, noise: Float[Tensor, "..."], temperature: float | Tensor = 1.0
) -> Float[Tensor, "..."]:
    """The reparameterised sample that `noise` becomes (Kingma and Welling 2013, section 2.4).

    Args:
        factor: What the sample is of.
        noise: Standard normal; see above for its size.
        temperature: Factor on the noise, but for what makes choices (of a component, say).
    """
    base: Any = _base(factor)
    # A temperature in a tensor is that of an exported graph, which has to take any.
    is_plain = not isinstance(temperature, Tensor) and temperature == 1.0
    if not is_plain and hasattr(base, "tempered"):
        return base.tempered(temperature).from_noise(noise)
    if not is_plain:
        parts = noise.tensor_split([*factor.event_shape[-1:]], dim=-1)
        noise = torch.cat([temperature * parts[0], *parts[1:]], dim=-1)
    if not hasattr(base, "from_noise"):
        raise TypeError(f"{type(base).__name__} does not say how noise becomes a sample")
    return base.from_noise(noise)


def noise_size(factor: Distribution) -> int:
    """Numbers of noise, in its last dimension, that one sample takes."""
    base: Any = _base(factor)
    return base.noise_size if hasattr(base, "noise_size") else factor.event_shape[-1]


def moments(factor: Distribution) -> tuple[Tensor, Tensor] | None:
    """Mean and standard deviation of every dimension; None where they have no closed form."""
    try:
        return factor.mean, factor.stddev
    except NotImplementedError:
        return None


def detached(factor: Distribution) -> Distribution:
    """The same factor with its parameters held constant: no gradient flows into them."""
    base: Any = _base(factor)
    if hasattr(base, "detached"):
        constant = base.detached()
    else:
        constant = type(base)(
            **{name: getattr(base, name).detach() for name in base.arg_constraints}
        )
    if not isinstance(factor, Independent):
        return constant
    return Independent(constant, factor.reinterpreted_batch_ndims, validate_args=False)


def log_prob(
    factor: Distribution, z: Float[Tensor, "samples batch *latent"]
) -> Float[Tensor, "samples batch"]:
    """log p(z) in nats, one number per sample and example."""
    if not isinstance(factor, Independent):
        return factor.log_prob(z)
    # Summed here, because torch's Independent cannot sum over a batch of no examples.
    return factor.base_dist.log_prob(z).flatten(EVENT_FROM).sum(-1)


def kl_per_dimension(
    q: Distribution, p: Distribution, z: Float[Tensor, "samples batch *latent"]
) -> tuple[Float[Tensor, "draws batch *split"], bool]:
    """KL(q || p) for every dimension, in nats, and whether it is exact.

    Exact where torch knows a closed form for the pair, otherwise the unbiased estimate
    log q(z) - log p(z) per sample. What is exact has one "draw", whatever the number of samples;
    where a factor depends on samples of another layer, it has one for each of those.
    Where a factor does not split over dimensions there is one number for the whole layer, and
    the shape is (draws, batch, 1).
    """
    try:
        if isinstance(q, Independent) and isinstance(p, Independent):
            split = z.shape[: z.ndim - len(q.base_dist.event_shape)]
            return _for_every_example(kl_divergence(q.base_dist, p.base_dist), split), True
        exact = kl_divergence(q, p)
    except NotImplementedError:
        return kl_estimate(q, p, z), False
    return _for_every_example(exact, z.shape[:EVENT_FROM]).unsqueeze(-1), True


def kl_estimate(
    q: Distribution, p: Distribution, z: Float[Tensor, "samples batch *latent"]
) -> Float[Tensor, "samples batch *split"]:
    """log q(z) - log p(z) for every dimension, or for the layer where they do not split over it."""
    if isinstance(q, Independent) and isinstance(p, Independent):
        return q.base_dist.log_prob(z) - p.base_dist.log_prob(z)
    return (log_prob(q, z) - log_prob(p, z)).unsqueeze(-1)


def _for_every_example(exact: Tensor, shape: torch.Size) -> Tensor:
    """Repeats a divergence over the batch; over samples only where it differs between them."""
    draws = exact.shape[0] if exact.ndim == len(shape) else 1
    return exact.expand(draws, *shape[1:])


def _base(factor: Distribution) -> Distribution:
    return factor.base_dist if isinstance(factor, Independent) else factor
