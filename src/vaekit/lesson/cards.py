"""Flashcards: a term or a question in front, a short answer on the back."""

from typing import Final, NamedTuple


class Card(NamedTuple):
    """A flashcard."""

    front: str
    back: str


CARDS: Final = (
    Card(
        "The ELBO, as two terms",
        "ELBO = E_q[log p(x|z)] - KL(q(z|x) || p(z)): how well the code explains x, less what "
        "the code costs.",
    ),
    Card(
        "What lies between log p(x) and the ELBO?",
        "KL(q(z|x) || p(z|x)). It is zero where the encoder gives the true posterior.",
    ),
    Card(
        "Encoder, or inference network",
        "A network that maps x to the parameters of q(z|x), here μ and s = log σ². One network "
        "serves all x: inference is amortised.",
    ),
    Card(
        "Decoder and likelihood",
        "A network that maps z to the parameters of p(x|z). The likelihood says how x is scored: "
        "a normal distribution for real numbers, Bernoulli for bits.",
    ),
    Card(
        "The reparameterised draw",
        "z = μ + σ · ε with ε ~ N(0, 1). The noise depends on no parameter, so dz/dμ = 1 and "
        "dz/dσ = ε.",
    ),
    Card(
        "KL(N(μ, σ²) || N(0, 1))",
        "(μ² + σ² - 1 - log σ²) / 2 nats. Zero at μ = 0, σ = 1 alone; summed over dimensions.",
    ),
    Card("dKL/dμ and dKL/ds, with s = log σ²", "μ, and (σ² - 1) / 2, which never goes below -1/2."),
    Card(
        "Why log σ²?",
        "A network's output may be any real number; exp(s / 2) is positive for all of them. The KL "
        "needs log σ² anyway.",
    ),
    Card(
        "What does a narrow q cost, at the prior's mean?",
        "About log(1/σ) - 1/2 nats: each halving of σ costs log 2 nats more, which is one bit.",
    ),
    Card(
        "The score-function estimator",
        "d/dθ E_q[f(z)] = E_q[f(z) · d log q(z) / dθ]; for μ of a normal: f(z) · ε / σ. Needs no "
        "derivative of f, so it serves discrete z as well; its variance is large.",
    ),
    Card(
        "What does a baseline do?",
        "Takes a constant b from f in the score-function estimate: (f(z) - b) · d log q / dθ. The "
        "mean stays, since E[d log q / dθ] = 0; the variance falls.",
    ),
    Card(
        "dL/dz, for p(x|z) = N(m(z), τ²)",
        "(m - x) / τ² · dm/dz: the decoder's error in units of the likelihood's variance, sent "
        "back through the decoder.",
    ),
    Card(
        "β in a beta-VAE",
        "Weighs the KL: loss = -E_q[log p(x|z)] + β KL. Only β = 1 gives minus the ELBO; β > 1 "
        "asks for cheaper codes.",
    ),
    Card(
        "Posterior collapse",
        "q(z|x) = p(z) for all x, in some or all dimensions: KL zero, and z says nothing there.",
    ),
    Card(
        "One noise sample for each example: is that enough?",
        "The gradient is unbiased with one, and a minibatch averages over its examples. More "
        "samples lower the variance, not the gap between ELBO and log p(x).",
    ),
)
