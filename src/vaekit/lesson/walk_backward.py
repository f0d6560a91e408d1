"""The fifth step of the walk: the gradients, by the chain rule and by autograd."""

from vaekit.lesson.gradients import Chain, by_autograd, by_differences, by_hand, chain
from vaekit.lesson.model import PARAMETER_SYMBOLS, Forward, Parameters, Setting
from vaekit.lesson.step_of_walk import Step
from vaekit.lesson.writing import Equation, Grid, bound, put_in, result


def gradients(p: Parameters, setting: Setting, f: Forward) -> Step:
    """From the loss to the six parameters' gradients, checked twice."""
    back = chain(p, setting, f)
    columns = [by_hand(p, setting), by_autograd(p, setting), by_differences(p, setting)]
    rows = tuple(
        (name, result(hand), result(auto), bound(abs(hand - auto)), result(difference))
        for name, hand, auto, difference in zip(
            PARAMETER_SYMBOLS, *(column.values() for column in columns), strict=True
        )
    )
    headings = ("dL/dθ", "by hand", "autograd", "difference", "central diff.")
    same = (
        " Because x = 1, weight and bias of an encoder output have the same gradient here."
        if setting.x == 1
        else ""
    )
    pull = "is gone, since β = 0" if setting.beta == 0 else "pulls σ towards the prior's 1"
    return Step(
        "Gradients: the chain rule, backwards",
        "The loss is differentiated from its end: m first, then z, then μ and s, then the six "
        "parameters. μ and s reach the loss on two ways, through z and through the KL, and so "
        "have two summands.",
        (
            _backwards(p, setting, f, back),
            _to_parameters(setting, f, back, columns[0]),
            "The same six numbers three times. By hand and autograd are computed apart from each "
            "other in float64, where rounding alone tells them apart; central differences, "
            "(L(θ + h) - L(θ - h)) / 2h with h = 1e-5, use no derivative at all.",
            Grid(headings, rows),
        ),
        "This is all that backpropagation does. dL/ds shows the trade: the first summand, noise "
        "times error, says whether this draw would have liked a wider or a narrower q; the second "
        f"{pull}." + same,
    )


def _backwards(p: Parameters, setting: Setting, f: Forward, back: Chain) -> tuple[Equation, ...]:
    x, tau, beta = (put_in(v) for v in (setting.x, setting.likelihood_scale, setting.beta))
    sigma, epsilon = put_in(f.sigma), put_in(setting.epsilon)
    variance, dz = put_in(f.sigma**2), put_in(back.z)
    return (
        Equation(
            "dL/dm",
            "(m - x) / τ²",
            f"({put_in(f.decoded)} - {x}) / {tau}²",
            back.decoded,
            "from R = (x - m)² / 2τ² + ...",
        ),
        Equation(
            "dL/dz",
            "dL/dm · dm/dz = dL/dm · w_m",
            f"{put_in(back.decoded)} · {put_in(p.decoder_weight)}",
            back.z,
            "from m = w_m · z + b_m",
        ),
        Equation(
            "dL/dμ",
            "dL/dz · dz/dμ + β · dKL/dμ = dL/dz · 1 + β · μ",
            f"{dz} + {beta} · {put_in(f.mu)}",
            back.mu,
            "from z = μ + σ · ε and KL = μ² / 2 + ...",
        ),
        Equation(
            "dL/ds",
            "dL/dz · dz/ds + β · dKL/ds = dL/dz · σ ε / 2 + β · (σ² - 1) / 2",
            f"{dz} · {sigma} · {epsilon} / 2 + {beta} · ({variance} - 1) / 2",
            back.log_variance,
            "from σ = exp(s / 2), so dσ/ds = σ / 2, and KL = (σ² - 1 - s) / 2 + ...",
        ),
    )


def _to_parameters(
    setting: Setting, f: Forward, back: Chain, slopes: Parameters
) -> tuple[Equation, ...]:
    x, z = put_in(setting.x), put_in(f.z)
    dm, dmu, ds = (put_in(v) for v in (back.decoded, back.mu, back.log_variance))
    w_mu, b_mu, w_s, b_s, w_m, b_m = slopes.values()
    return (
        Equation("dL/dw_m", "dL/dm · z", f"{dm} · {z}", w_m, "a weight sees its input, a bias 1"),
        Equation("dL/db_m", "dL/dm", "", b_m),
        Equation("dL/dw_μ", "dL/dμ · x", f"{dmu} · {x}", w_mu),
        Equation("dL/db_μ", "dL/dμ", "", b_mu),
        Equation("dL/dw_s", "dL/ds · x", f"{ds} · {x}", w_s),
        Equation("dL/db_s", "dL/ds", "", b_s),
    )
