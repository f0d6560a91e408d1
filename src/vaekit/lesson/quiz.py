"""Six questions about one training step, and four divergences to compute."""

import math
from collections.abc import Sequence
from random import Random
from typing import Final

from vaekit.lesson.answers import ChoiceQuestion, KLProblem, Question
from vaekit.lesson.divergence import Divergence

CHOICE_QUESTIONS: Final = (
    ChoiceQuestion(
        "Why does an encoder give log σ² (or log σ) and not σ itself?",
        (
            "Because the KL contains no σ, only its logarithm",
            "Because any real number may come out of a network, and exp makes it a positive σ",
            "Because gradients with respect to σ do not exist",
            "Because σ would have to be below 1",
        ),
        "b",
        "The output of a linear layer has no sign; exp(s / 2) is positive for every s. It helps "
        "twice: the KL needs log σ², which is then at hand without a logarithm, and its slope in s "
        "stays above -1/2, while its slope in σ, σ - 1/σ, has no bound as σ goes to 0.",
    ),
    ChoiceQuestion(
        "What does z = μ + σ · ε change, compared with drawing z from N(μ, σ²) directly?",
        (
            "The distribution of z",
            "Nothing: both ways can be differentiated as they are",
            "It removes the noise from training",
            "For a given ε, z is a differentiable function of μ and σ",
        ),
        "d",
        "z has the same distribution either way. But the randomness now sits in ε, which depends "
        "on no parameter, so dz/dμ = 1 and dz/dσ = ε, and the chain rule goes through the draw.",
    ),
    ChoiceQuestion(
        "Without a baseline, what happens to the variance of the score-function estimate of "
        "d E[f(z)] / dμ as σ becomes small?",
        (
            "It grows like f(μ)² / σ²",
            "It goes to zero",
            "It stays the same, since the estimate is unbiased",
            "It depends on the derivative of f alone",
        ),
        "a",
        "One draw of the estimate is f(z) · ε / σ: the factor 1/σ multiplies all of f, even a "
        "constant that has no gradient. Unbiased means right on average, and says nothing of the "
        "variance. A baseline takes the constant away; the reparameterised estimate f'(z) never "
        "had it.",
    ),
    ChoiceQuestion(
        "KL(q(z|x) || p(z)) is zero for every x. What does z know about x?",
        (
            "Everything: the encoder is perfect",
            "It depends on the decoder",
            "Nothing: q(z|x) is the prior, whatever x is",
            "As much as the reconstruction term says",
        ),
        "c",
        "A KL of zero means that q(z|x) equals p(z). If that is so for every x, a draw of z says "
        "nothing about x: posterior collapse. The KL is what the code costs, and a code for "
        "nothing carries nothing.",
    ),
    ChoiceQuestion(
        "What is log p(x) - ELBO, exactly?",
        (
            "KL(q(z|x) || p(z|x))",
            "KL(q(z|x) || p(z))",
            "The reconstruction error",
            "The Monte Carlo error of one draw of ε",
        ),
        "a",
        "The gap is the divergence from the true posterior. KL(q(z|x) || p(z)) is a term of the "
        "ELBO instead. More draws of ε make the estimate of the ELBO sharper, and leave the gap as "
        "it is.",
    ),
    ChoiceQuestion(
        "After an update the loss at the same ε fell. What is certain about the mean of the loss "
        "over fresh noise?",
        (
            "It fell by the same amount",
            "It fell, but by less",
            "Nothing: one draw only estimates its gradient",
            "It rose",
        ),
        "c",
        "The gradient of one draw is right on average. A single one may point away from the mean "
        "gradient, and then the mean of the loss can rise although this draw's fell. Minibatches "
        "and small steps average that out.",
    ),
)


def quiz_questions(seed: int) -> tuple[Question, ...]:
    """The whole quiz; the seed decides the numbers of the KL problems."""
    return (*CHOICE_QUESTIONS, *kl_problems(seed))


def kl_problems(seed: int) -> tuple[KLProblem, ...]:
    """Four divergences: only a mean, mean and width, from an encoder's output, two dimensions."""
    random = Random(seed)
    mean = _one_of(random, [-3, -2.5, -2, -1.5, 1.5, 2, 2.5, 3])
    return (
        KLProblem(
            f"q(z|x) = N({mean:g}, 1²). How large is KL(q || N(0, 1)), in nats?",
            (Divergence.of(mean, 1.0),),
        ),
        _mean_and_width(random),
        _encoder_output(random),
        _two_dimensions(random),
    )


def _mean_and_width(random: Random) -> KLProblem:
    mu, sigma = _one_of(random, [-2, -1, 1, 2]), _one_of(random, [0.1, 0.2, 0.25, 0.5, 2])
    return KLProblem(
        f"q(z|x) = N({mu:g}, {sigma:g}²). How large is KL(q || N(0, 1)), in nats?",
        (Divergence.of(mu, sigma),),
    )


def _encoder_output(random: Random) -> KLProblem:
    mu, s = _one_of(random, [-1.5, -0.5, 0.5, 1.5]), _one_of(random, [-4, -3, -2, -1.5, 1])
    return KLProblem(
        f"The encoder gives μ = {mu:g} and log σ² = {s:g}. How large is KL(q || N(0, 1)), in nats?",
        (Divergence(mu, s),),
        given_log_variance=True,
    )


def _two_dimensions(random: Random) -> KLProblem:
    mu = (_one_of(random, [-2, -1, 1, 2]), _one_of(random, [-0.5, 0, 0.5]))
    sigma = (_one_of(random, [0.1, 0.2, 0.5]), _one_of(random, [0.8, 1, 1.5]))
    return KLProblem(
        f"A code of two dimensions: z_0 ~ N({mu[0]:g}, {sigma[0]:g}²), "
        f"z_1 ~ N({mu[1]:g}, {sigma[1]:g}²), independent. How large is KL(q || N(0, I)), in nats?",
        tuple(Divergence.of(m, s) for m, s in zip(mu, sigma, strict=True)),
    )


def _one_of(random: Random, values: Sequence[float]) -> float:
    # Python promises that random() stays the same from version to version, not that choice() does.
    return values[math.floor(random.random() * len(values))]
