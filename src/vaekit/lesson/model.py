"""A VAE in one dimension, small enough to be computed by hand.

    encoder    mu = w_mu x + b_mu,    s = log sigma^2 = w_s x + b_s
    draw       z = mu + sigma epsilon,    sigma = exp(s / 2)
    decoder    m = w_m z + b_m,    p(x | z) = N(x; m, tau^2),    p(z) = N(0, 1)
    loss       -log p(x | z) + beta KL(N(mu, sigma^2) || N(0, 1))

One number goes in, one noise sample is drawn, one loss comes out. With beta = 1 the loss is minus
a one-sample estimate of the ELBO.

Reference:
    Kingma and Welling (2013), Auto-Encoding Variational Bayes, section 2.3 and appendix B,
    https://arxiv.org/abs/1312.6114
"""

import math
from dataclasses import dataclass, fields
from typing import Final, final

from vaekit.errors import SpecError
from vaekit.lesson.divergence import Divergence

HALF_LOG_TWO_PI: Final = 0.5 * math.log(2 * math.pi)
LARGEST: Final = 1000.0
"""How large a number may be that a learner chooses."""
LARGEST_LOG_VARIANCE: Final = 20.0
"""How far from zero s may be; sigma is between 4.5e-5 and 2.2e4 then."""
LOWEST: Final = {"likelihood_scale": 0.001, "learning_rate": 1e-9, "beta": 0.0}
"""Of the numbers that may not be negative."""


def option(name: str) -> str:
    """What a setting is called on the command line.

    Example:
        >>> option("likelihood_scale")
        '--likelihood-scale'
    """
    return "--" + name.replace("_", "-")


def expected_range(name: str) -> str:
    """Which numbers a setting may be, in words.

    Example:
        >>> expected_range("beta"), expected_range("x")
        ('a number from 0 to 1000', 'a number from -1000 to 1000')
    """
    return f"a number from {LOWEST.get(name, -LARGEST):g} to {LARGEST:g}"


def check_range(name: str, value: float) -> None:
    """Refuses a number that the lesson cannot be computed with.

    Raises:
        SpecError: It is not finite or out of range.
    """
    if not LOWEST.get(name, -LARGEST) <= value <= LARGEST:
        raise SpecError(
            "The lesson cannot be computed with this number.",
            where=f"{name} ({option(name)})",
            expected=expected_range(name),
            found=f"{value:g}",
            remedy=f"choose another, or leave {option(name)} out",
        )


@final
@dataclass(frozen=True)
class Parameters:
    """The six numbers that are trained; also their gradients, one for each."""

    mu_weight: float = 0.5
    mu_bias: float = 0.1
    log_variance_weight: float = -0.3
    log_variance_bias: float = -0.2
    decoder_weight: float = 0.8
    decoder_bias: float = -0.1

    def values(self) -> tuple[float, ...]:
        """All six, in the order of PARAMETER_SYMBOLS."""
        return tuple(getattr(self, field.name) for field in fields(self))


PARAMETER_SYMBOLS: Final = ("w_μ", "b_μ", "w_s", "b_s", "w_m", "b_m")
"""What the parameters are called in formulas."""


@final
@dataclass(frozen=True)
class Setting:
    """What the learner chooses beside the parameters.

    Args:
        x: The one observed number.
        epsilon: The one draw of standard normal noise.
        likelihood_scale: tau, the standard deviation of p(x | z).
        beta: Weight of the KL term; one for the ELBO.
        learning_rate: Step size of gradient descent.

    Raises:
        SpecError: A number is out of range.
    """

    x: float = 1.0
    epsilon: float = 0.5
    likelihood_scale: float = 0.5
    beta: float = 1.0
    learning_rate: float = 0.05

    def __post_init__(self) -> None:
        for field in fields(self):
            check_range(field.name, getattr(self, field.name))


@final
@dataclass(frozen=True)
class Forward:
    """Every number between x and the loss."""

    mu: float
    log_variance: float
    sigma: float
    z: float
    decoded: float
    reconstruction: float
    """-log p(x | z), in nats."""
    divergence: Divergence
    loss: float


def encode(parameters: Parameters, x: float) -> tuple[float, float]:
    """mu and log sigma^2.

    Raises:
        SpecError: exp(log sigma^2) would leave the numbers that can be shown.
    """
    mu = parameters.mu_weight * x + parameters.mu_bias
    log_variance = parameters.log_variance_weight * x + parameters.log_variance_bias
    if not abs(log_variance) <= LARGEST_LOG_VARIANCE:
        raise SpecError(
            "The encoder's log sigma^2 is too far from zero.",
            where=f"log sigma^2 = w_s x + b_s at x = {x:g}",
            expected=f"a number from {-LARGEST_LOG_VARIANCE:g} to {LARGEST_LOG_VARIANCE:g}",
            found=f"{log_variance:g}",
            remedy="choose a smaller --log-variance-weight or --log-variance-bias",
        )
    return mu, log_variance


def forward(parameters: Parameters, setting: Setting) -> Forward:
    """One forward pass with one noise sample.

    Example:
        >>> round(forward(Parameters(), Setting()).loss, 6)
        0.649376
    """
    mu, log_variance = encode(parameters, setting.x)
    sigma = math.exp(log_variance / 2)
    z = mu + sigma * setting.epsilon
    decoded = parameters.decoder_weight * z + parameters.decoder_bias
    fit = reconstruction(setting.x - decoded, setting.likelihood_scale)
    divergence = Divergence(mu, log_variance)
    loss = fit + setting.beta * divergence.nats
    return Forward(mu, log_variance, sigma, z, decoded, fit, divergence, loss)


def reconstruction(error: float, scale: float) -> float:
    """-log N(x; m, scale^2) of the error x - m, in nats."""
    return 0.5 * (error / scale) ** 2 + math.log(scale) + HALF_LOG_TWO_PI


def updated(parameters: Parameters, gradients: Parameters, setting: Setting) -> Parameters:
    """One step of gradient descent: every parameter less learning rate times gradient.

    Raises:
        SpecError: The step leads to where the lesson cannot be computed any more.
    """
    pairs = zip(parameters.values(), gradients.values(), strict=True)
    after = Parameters(*(value - setting.learning_rate * slope for value, slope in pairs))
    try:
        encode(after, setting.x)
    except SpecError as error:
        raise SpecError(
            "The step is so long that the encoder's log sigma^2 leaves every bound.",
            where=f"the update, with learning rate {setting.learning_rate:g}",
            expected=f"a log sigma^2 from {-LARGEST_LOG_VARIANCE:g} to {LARGEST_LOG_VARIANCE:g}",
            found=f"gradients up to {max(map(abs, gradients.values())):.3g} in size",
            remedy="choose a smaller --learning-rate, or a larger --likelihood-scale",
        ) from error
    return after
