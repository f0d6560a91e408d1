"""Four divergences from the standard normal, worked."""

from typing import Final

from vaekit.lesson.divergence import Divergence
from vaekit.lesson.writing import Equation, equation_lines, put_in

WORKED: Final = {
    (2.0, 0.5): (
        "off centre",
        "Nearly all of it is the mean: two deviations from the prior's centre cost 2 nats. The "
        "width, half the prior's, costs little.",
    ),
    (3.0, 0.1): (
        "far out and narrow",
        "The mean costs more than twice as much as before, for 3² against 2², and now the width "
        "counts too: knowing z to a tenth of the prior's deviation is information, and it is "
        "charged.",
    ),
    (0.0, 1.0): (
        "the prior itself",
        "Free of charge, and worth nothing: if the encoder answers so for every x, z does not "
        "depend on x.",
    ),
    (0.0, 0.1): (
        "narrow, at the prior's mean",
        "No distance, only precision. It is the same price of the width as in the second setting: "
        "the two prices do not know of each other.",
    ),
}
"""What each worked setting is called and teaches, by mu and sigma."""


def worked_lines(mu: float, sigma: float) -> str:
    """The divergence of one setting, worked."""
    d = Divergence.of(mu, sigma)
    equations = (
        Equation("of the mean", "μ² / 2", f"{put_in(mu)}² / 2", d.from_mean),
        Equation(
            "of the width",
            "(σ² - 1 - log σ²) / 2",
            f"({put_in(sigma**2)} - 1 - {put_in(d.log_variance)}) / 2",
            d.from_width,
        ),
    )
    lines = [line for line, _ in equation_lines(equations)]
    return "\n".join([*lines, "", f"KL           = {d.nats:.10f} nats"])


def gaussian_name(mu: float, sigma: float) -> str:
    """What a Gaussian is called."""
    return f"N({mu:g}, {sigma:g}²)"
