"""The sixth step of the walk: the update, and whether it was a good one."""

from vaekit.lesson.exact import loss_over_noise
from vaekit.lesson.model import PARAMETER_SYMBOLS, Setting, forward
from vaekit.lesson.step_of_walk import Step, Update, compared
from vaekit.lesson.writing import Grid, put_in, result, signed


def update(taken: Update, setting: Setting) -> Step:
    """The new parameters, and the loss with them."""
    rows = zip(
        PARAMETER_SYMBOLS,
        taken.before.values(),
        taken.slopes.values(),
        taken.after.values(),
        strict=True,
    )
    first, then = (forward(p, setting).loss for p in (taken.before, taken.after))
    averages = [loss_over_noise(p, setting) for p in (taken.before, taken.after)]
    forecast = -setting.learning_rate * sum(slope**2 for slope in taken.slopes.values())
    losses = (
        compared("L at the same noise", first, then),
        ("  forecast: -η |gradient|²", "", "", signed(forecast)),
        compared("mean of L over fresh noise", averages[0].mean, averages[1].mean),
        compared("  its standard deviation", *(a.deviation for a in averages)),
    )
    return Step(
        "Update: a step against the gradient",
        f"Every parameter moves against its slope, θ ← θ - η · dL/dθ, with η = "
        f"{put_in(setting.learning_rate)}. This is plain gradient descent; Adam would rescale "
        "each slope first.",
        (
            Grid(
                ("θ", "before", "dL/dθ", "after"),
                tuple((name, result(a), signed(b), result(c)) for name, a, b, c in rows),
            ),
            "Was it a good step? The loss with the new parameters: at the same noise, and its mean "
            "over all noise, in closed form. A straight line along the gradient forecasts a "
            "change of -η |gradient|²; the bend of the loss makes the difference.",
            Grid(("nats", "before", "after", "change"), losses),
        ),
        _judged(then - first, averages[1].mean - averages[0].mean),
    )


def _judged(same: float, fresh: float) -> str:
    if same == 0 and fresh == 0:
        return "The gradient is zero here, so nothing moved: this draw calls for no change."
    if same >= 0:
        return (
            "The loss at this very noise did not fall: the step was too long for the bend of the "
            "loss, and a smaller η is called for. A gradient promises a fall for short steps only."
        )
    if fresh < 0:
        return (
            "At the same noise the loss fell, as a short step against the gradient must. What "
            "training is after is the mean over fresh noise; it fell as well, by another amount, "
            "since one draw only estimates its gradient."
        )
    return (
        "At the same noise the loss fell, but its mean over fresh noise rose: this one draw "
        "pointed elsewhere than the average does. Single steps may do that; over many draws the "
        "gradients average to the right one."
    )
