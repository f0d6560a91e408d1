"""After the walk: what one noise sample hides, and a linear-Gaussian model can tell."""

from dataclasses import replace

from vaekit.lesson.exact import Truth, truth
from vaekit.lesson.gradients import by_hand
from vaekit.lesson.model import PARAMETER_SYMBOLS, Parameters, Setting, forward
from vaekit.lesson.step_of_walk import Step, Update, compared
from vaekit.lesson.writing import Grid, put_in, signed


def hidden(taken: Update, setting: Setting) -> Step:
    """The mean gradient, log p(x), the true posterior and the gap."""
    before, after = (truth(p, setting) for p in (taken.before, taken.after))
    average = mean_slopes(taken.before, setting)
    slopes = tuple(
        (name, signed(one), signed(mean))
        for name, one, mean in zip(
            PARAMETER_SYMBOLS, taken.slopes.values(), average.values(), strict=True
        )
    )
    return Step(
        "What the one draw hides",
        "In this model, all linear and Gaussian, nothing needs to stay unknown: the mean gradient "
        "over the noise, log p(x) and the true posterior p(z|x) have closed forms.",
        (
            Grid(("dL/dθ", f"ε = {put_in(setting.epsilon)}", "mean over ε"), slopes),
            _same_direction(taken.slopes, average),
            Grid(("", "before", "after", "change"), _gap_rows(taken, setting, before, after)),
        ),
        "The gap between log p(x) and the ELBO is exactly KL(q(z|x) || p(z|x)): what the encoder "
        "does not know about the posterior of its own decoder. Networks on images obey the same "
        "identity, but there log p(x) and the gap can only be estimated.",
    )


def mean_slopes(p: Parameters, setting: Setting) -> Parameters:
    """Slopes are quadratic in epsilon, and those have their mean over N(0, 1) at +1 and -1."""
    sides = [by_hand(p, replace(setting, epsilon=side)).values() for side in (1.0, -1.0)]
    return Parameters(*((a + b) / 2 for a, b in zip(*sides, strict=True)))


def _same_direction(one: Parameters, mean: Parameters) -> str:
    pairs = zip(PARAMETER_SYMBOLS, one.values(), mean.values(), strict=True)
    against = [name for name, a, b in pairs if a * b < 0]
    if not against:
        return "This draw pushed every parameter to the side that the mean gradient does."
    return (
        f"This draw pushed {', '.join(against)} to the other side than the mean gradient does. "
        "One draw is right on average, not each time; minibatches and small steps average it."
    )


def _gap_rows(
    taken: Update, setting: Setting, before: Truth, after: Truth
) -> tuple[tuple[str, ...], ...]:
    first, then = (forward(p, setting) for p in (taken.before, taken.after))
    return (
        compared("log p(x)", before.log_likelihood, after.log_likelihood),
        compared("ELBO, exact", before.elbo, after.elbo),
        compared("gap = KL(q || p(z|x))", before.gap, after.gap),
        compared("mean of q(z|x), μ", first.mu, then.mu),
        compared("mean of p(z|x)", before.posterior_mean, after.posterior_mean),
        compared("width of q(z|x), σ", first.sigma, then.sigma),
        compared("width of p(z|x)", before.posterior_deviation, after.posterior_deviation),
    )
