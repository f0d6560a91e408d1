"""One training step of the one-dimensional VAE, told in six steps and an epilogue.

A step says what is computed, shows formulas, numbers and results, and says why it matters. What
it shows is data (`Step`), which the terminal and the page print alike; sentences that depend on
the numbers are chosen by the numbers.
"""

from typing import Final

from vaekit.lesson.gradients import by_hand
from vaekit.lesson.model import Parameters, Setting, forward, updated
from vaekit.lesson.step_of_walk import Step, Update
from vaekit.lesson.walk_afterwards import hidden
from vaekit.lesson.walk_backward import gradients
from vaekit.lesson.walk_forward import adding_up, decoding, drawing, encoding
from vaekit.lesson.walk_update import update
from vaekit.lesson.writing import Grid, result

INTRODUCTION: Final = (
    "One number x is observed. An encoder says what z may have been, one z is drawn, a decoder "
    "says how well that z explains x, and the loss is made of both. Here every part is one line, "
    "so that every number can be followed."
)
SKETCH: Final = """\
x ─ encoder ─> μ, s ─ draw ─> z ─ decoder ─> m ──> R = -log N(x; m, τ²)
                │      ↑                           │
                │      ε                           ↓
                └──> KL(N(μ, σ²) || N(0, 1)) ───> L = R + β · KL"""
"""Which number is made from which."""
NOTATION: Final = (
    "s = log σ². ε is the noise, τ the standard deviation of the likelihood, β the weight of the "
    "KL, η the learning rate. Weights w and biases b belong to μ, s and m."
)
ROUNDING: Final = (
    "Computed in float64 and shown with six decimals; what is very large or small, with a power "
    "of ten. log is the natural logarithm, so the loss and its terms are in nats."
)


def given(parameters: Parameters, setting: Setting) -> tuple[Grid, Grid]:
    """What was chosen, as two tables: the setting and the parameters."""
    chosen = (
        setting.x,
        setting.epsilon,
        setting.likelihood_scale,
        setting.beta,
        setting.learning_rate,
    )
    w_mu, b_mu, w_s, b_s, w_m, b_m = map(result, parameters.values())
    return (
        Grid(("x", "ε", "τ", "β", "η"), (tuple(map(result, chosen)),), words=0),
        Grid(
            ("", "of μ", "of s", "of m"),
            (("weight w", w_mu, w_s, w_m), ("bias b", b_mu, b_s, b_m)),
        ),
    )


def walk(parameters: Parameters, setting: Setting) -> list[Step]:
    """The six steps, and what one noise sample hides.

    Raises:
        SpecError: The numbers leave what can be computed, before or after the update.
    """
    passed = forward(parameters, setting)
    slopes = by_hand(parameters, setting)
    taken = Update(parameters, slopes, updated(parameters, slopes, setting))
    return [
        encoding(parameters, setting, passed),
        drawing(setting, passed),
        decoding(parameters, setting, passed),
        adding_up(setting, passed),
        gradients(parameters, setting, passed),
        update(taken, setting),
        hidden(taken, setting),
    ]
