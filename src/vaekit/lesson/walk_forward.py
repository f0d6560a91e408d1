"""The first four steps of the walk: encode, draw, decode, loss."""

from vaekit.lesson.model import HALF_LOG_TWO_PI, Forward, Parameters, Setting
from vaekit.lesson.step_of_walk import Step
from vaekit.lesson.writing import Equation, put_in


def encoding(p: Parameters, setting: Setting, f: Forward) -> Step:
    """From x to mu, s and sigma."""
    x = put_in(setting.x)
    return Step(
        "Encode: from x to the two numbers of q(z|x)",
        "The encoder looks at x and answers with a normal distribution over z: its mean μ and "
        "the logarithm of its variance, s = log σ².",
        (
            (
                Equation(
                    "μ", "w_μ · x + b_μ", f"{put_in(p.mu_weight)} · {x} + {put_in(p.mu_bias)}", f.mu
                ),
                Equation(
                    "s",
                    "w_s · x + b_s",
                    f"{put_in(p.log_variance_weight)} · {x} + {put_in(p.log_variance_bias)}",
                    f.log_variance,
                ),
                Equation("σ", "exp(s / 2)", f"exp({put_in(f.log_variance)} / 2)", f.sigma),
            ),
        ),
        "The answer is a distribution and not a point: σ says how sure the encoder is. A linear "
        "map may give any number, and s may be any number; σ = exp(s / 2) is positive whatever "
        "comes out.",
    )


def drawing(setting: Setting, f: Forward) -> Step:
    """From noise to z."""
    numbers = f"{put_in(f.mu)} + {put_in(f.sigma)} · {put_in(setting.epsilon)}"
    return Step(
        "Draw: the reparameterised sample z",
        "A sample of q(z|x) is made from noise ε ~ N(0, 1) that was drawn beforehand. Here "
        f"ε = {put_in(setting.epsilon)}.",
        ((Equation("z", "μ + σ · ε", numbers, f.z),),),
        "Given ε, z is an ordinary function of μ and σ with slopes dz/dμ = 1 and dz/dσ = ε, so "
        "the gradient can pass through the draw. Had z been drawn from a random number generator "
        "that only knows μ and σ, there would be nothing to differentiate.",
    )


def decoding(p: Parameters, setting: Setting, f: Forward) -> Step:
    """From z to minus log p(x | z)."""
    x, tau = put_in(setting.x), put_in(setting.likelihood_scale)
    error = (setting.x - f.decoded) / setting.likelihood_scale
    return Step(
        "Decode: how well z explains x",
        "The decoder turns z into the mean m of p(x|z) = N(m, τ²), and x is scored under it. The "
        "score, minus the log-density, is called R; it is the reconstruction term of the loss.",
        (
            (
                Equation(
                    "m",
                    "w_m · z + b_m",
                    f"{put_in(p.decoder_weight)} · {put_in(f.z)} + {put_in(p.decoder_bias)}",
                    f.decoded,
                ),
                Equation("r", "(x - m) / τ", f"({x} - {put_in(f.decoded)}) / {tau}", error),
                Equation(
                    "R",
                    "r² / 2 + log τ + log(2π) / 2",
                    f"{put_in(error)}² / 2 + log {tau} + {put_in(HALF_LOG_TWO_PI)}",
                    f.reconstruction,
                ),
            ),
        ),
        "r is the error counted in standard deviations of the likelihood. A small τ makes the same "
        "error dear: τ sets the exchange rate between reconstruction and KL. R is a density's "
        "logarithm and may be negative.",
    )


def adding_up(setting: Setting, f: Forward) -> Step:
    """From the KL's two pieces to the loss."""
    d, beta = f.divergence, put_in(setting.beta)
    mu, s = put_in(f.mu), put_in(f.log_variance)
    return Step(
        "Loss: add the KL of q from the prior",
        "How far q(z|x) = N(μ, σ²) is from the prior N(0, 1) has a closed form, so that no sample "
        "is needed for it. It comes in two pieces: being away from zero, and having another width "
        "than one.",
        (
            (
                Equation("KL of the mean", "μ² / 2", f"{mu}² / 2", d.from_mean),
                Equation(
                    "KL of the width",
                    "(σ² - 1 - s) / 2",
                    f"({put_in(f.sigma**2)} - 1 - {s}) / 2",
                    d.from_width,
                ),
                Equation(
                    "KL",
                    "their sum",
                    f"{put_in(d.from_mean)} + {put_in(d.from_width)}",
                    d.nats,
                ),
                Equation(
                    "L",
                    "R + β · KL",
                    f"{put_in(f.reconstruction)} + {beta} · {put_in(d.nats)}",
                    f.loss,
                ),
            ),
        ),
        _what_the_loss_is(setting),
    )


def _what_the_loss_is(setting: Setting) -> str:
    if setting.beta == 1:
        return (
            "L is minus a one-sample estimate of the ELBO, in nats: over many draws of ε its mean "
            "is -ELBO, which is never below -log p(x)."
        )
    return (
        f"With β = {put_in(setting.beta)} the loss is not minus an ELBO: it weighs the two terms "
        "by another rate. Only β = 1 makes it a bound of log p(x) whose gap is KL(q || p(z|x))."
    )
