"""The gradient of one step three times: by the chain rule, by autograd, by finite differences.

    dL/dm  = (m - x) / tau^2                     dL/dw_m = dL/dm z,     dL/db_m = dL/dm
    dL/dz  = dL/dm w_m
    dL/dmu = dL/dz + beta mu                     dL/dw_mu = dL/dmu x,   dL/db_mu = dL/dmu
    dL/ds  = dL/dz sigma epsilon / 2
             + beta (sigma^2 - 1) / 2            dL/dw_s = dL/ds x,     dL/db_s = dL/ds

mu and s reach the loss on two ways each, through z and through the KL: two summands.

Reference:
    Kingma and Welling (2013), Auto-Encoding Variational Bayes, section 2.4,
    https://arxiv.org/abs/1312.6114
"""

from dataclasses import dataclass, fields, replace
from typing import Final, final

from vaekit.lesson.model import Forward, Parameters, Setting, forward

STEP: Final = 1e-5
"""To either side, of the finite differences: an error of about 1e-10 where numbers are near one."""


@final
@dataclass(frozen=True)
class Chain:
    """The derivatives that all parameters' gradients are made of, the loss's end first."""

    decoded: float
    """dL/dm"""
    z: float
    """dL/dz"""
    mu: float
    """dL/dmu"""
    log_variance: float
    """dL/ds"""


def chain(parameters: Parameters, setting: Setting, passed: Forward) -> Chain:
    """Walks back from the loss to mu and s."""
    decoded = (passed.decoded - setting.x) / setting.likelihood_scale**2
    z = decoded * parameters.decoder_weight
    return Chain(
        decoded=decoded,
        z=z,
        mu=z + setting.beta * passed.divergence.slope_in_mu,
        log_variance=z * passed.sigma * setting.epsilon / 2
        + setting.beta * passed.divergence.slope_in_log_variance,
    )


def by_hand(parameters: Parameters, setting: Setting) -> Parameters:
    """The gradient by the chain rule, one number for each parameter."""
    passed = forward(parameters, setting)
    back = chain(parameters, setting, passed)
    return Parameters(
        mu_weight=back.mu * setting.x,
        mu_bias=back.mu,
        log_variance_weight=back.log_variance * setting.x,
        log_variance_bias=back.log_variance,
        decoder_weight=back.decoded * passed.z,
        decoder_bias=back.decoded,
    )


def by_autograd(parameters: Parameters, setting: Setting) -> Parameters:
    """The gradient that PyTorch finds, in float64, of a loss made of vaekit's own distributions."""
    import torch
    from torch.distributions import kl_divergence

    from vaekit.distributions import Gaussian

    leaves = torch.tensor(parameters.values(), dtype=torch.float64, requires_grad=True)
    w_mu, b_mu, w_s, b_s, w_m, b_m = leaves
    given = torch.tensor(
        [setting.x, setting.epsilon, setting.likelihood_scale, 0.0], dtype=torch.float64
    )
    x, epsilon, scale, zero = given
    posterior = Gaussian(w_mu * x + b_mu, (w_s * x + b_s) / 2)
    z = posterior.from_noise(epsilon)
    fit = Gaussian(w_m * z + b_m, scale.log()).log_prob(x)
    loss = setting.beta * kl_divergence(posterior, Gaussian(zero, zero)) - fit
    (slopes,) = torch.autograd.grad(loss, leaves)
    return Parameters(*slopes.tolist())


def by_differences(parameters: Parameters, setting: Setting) -> Parameters:
    """(L(theta + h) - L(theta - h)) / 2h for each parameter, the others held."""

    def slope(name: str) -> float:
        value = getattr(parameters, name)
        higher, lower = (
            forward(replace(parameters, **{name: value + side}), setting).loss
            for side in (STEP, -STEP)
        )
        return (higher - lower) / (2 * STEP)

    return Parameters(*(slope(field.name) for field in fields(parameters)))
