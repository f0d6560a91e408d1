"""How much a bound loses because one encoder serves all examples.

The encoder's answer for an example is taken as a starting point, and improved for that example
alone by stochastic gradient ascent on its ELBO, in the family of q that the model has. The gain
is the amortization gap; what it leaves to log p(x) is the family's own.

    gap(x) = max_q ELBO(x; q) - ELBO(x; q(z | x))

Optimisation ends somewhere below the maximum, so in expectation the gap is at least what is
reported. Both ELBOs are averages over the same fresh samples, not the ones that were optimised on.

Reference:
    Cremer, Li and Duvenaud (2018), Inference Suboptimality in Variational Autoencoders,
    https://arxiv.org/abs/1801.03558
"""

from collections.abc import Callable, Iterator
from typing import Final

import torch
from jaxtyping import Float64
from torch import Tensor

from vaekit.data import Observation
from vaekit.errors import SpecError
from vaekit.evaluation.memory import rows_within
from vaekit.models import Encoding, Model, Noise
from vaekit.numerics import draw_noise, generator_for

STEPS: Final = 300
LEARNING_RATE: Final = 0.03
SAMPLES_PER_STEP: Final = 8
SAMPLES_TO_MEASURE: Final = 500


def amortization_gap(
    model: Model,
    observation: Observation,
    seed: int,
    progress: Callable[[float], None] = lambda share: None,
) -> Float64[Tensor, " examples"]:
    """The gap of every example, in nats.

    Args:
        model: A model with a density, in evaluation mode.
        observation: A batch of examples; a few hundred at most.
        seed: Seed of all samples.
        progress: Told which share is done.

    Raises:
        SpecError: The model's codes are discrete.
    """
    if model.facts.latent == "discrete":
        raise SpecError(
            "The amortization gap is found by moving q along the gradient of the ELBO, and hard "
            "draws of discrete codes have none.",
            remedy="leave evaluation.amortization_examples at 0",
        )
    with torch.no_grad():
        start = model.encode(observation)
    refined = _refined(model, observation, start, seed, progress)
    before, after = (_elbo(model, observation, encoding, seed) for encoding in (start, refined))
    return after - before


def _refined(
    model: Model,
    observation: Observation,
    start: Encoding,
    seed: int,
    progress: Callable[[float], None],
) -> Encoding:
    """The encoding after gradient ascent on each example's own ELBO."""
    with torch.enable_grad():
        encoding = tuple(part.detach().clone().requires_grad_() for part in start)
        optimizer = torch.optim.Adam(encoding, lr=LEARNING_RATE)
        decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
        noise = model.noise_spec(len(observation), SAMPLES_PER_STEP)
        device, dtype = observation.x.device, encoding[0].dtype
        # What autograd keeps is as much again as what is computed.
        most = rows_within(model, observation) // (2 * SAMPLES_PER_STEP)
        for step in range(STEPS):
            source = generator_for(seed, "refinement", step, device=device)
            drawn = draw_noise(noise, source, device, dtype)
            for part, gradient in zip(
                encoding, _gradients(model, observation, encoding, drawn, most), strict=True
            ):
                part.grad = gradient
            optimizer.step()
            decay.step()
            progress((step + 1) / STEPS)
    return tuple(part.detach() for part in encoding)


def _gradients(
    model: Model, observation: Observation, encoding: Encoding, noise: Noise, most: int
) -> Iterator[Tensor]:
    """Of minus each example's ELBO, with respect to its encoding; `most` examples at a time."""
    pieces = []
    for start in range(0, len(observation), max(1, most)):
        rows = slice(start, start + max(1, most))
        some = tuple(part[rows].detach().requires_grad_() for part in encoding)
        drawn = tuple(layer[:, rows] for layer in noise)
        inference = model.infer(observation[rows], SAMPLES_PER_STEP, drawn, encoding=some)
        kl = torch.cat([layer.mean(0).flatten(1) for layer in inference.kl], dim=1).sum()
        loss = kl - inference.log_likelihood().mean(0).sum()
        pieces.append(torch.autograd.grad(loss, some))  # no gradient reaches the weights
    return map(torch.cat, zip(*pieces, strict=True))


@torch.no_grad()
def _elbo(
    model: Model, observation: Observation, encoding: Encoding, seed: int
) -> Float64[Tensor, " examples"]:
    """ELBO of each example; the same seed draws the same noise."""
    n, device = len(observation), observation.x.device
    most = max(1, min(SAMPLES_TO_MEASURE, rows_within(model, observation) // n))
    total = torch.zeros(n, dtype=torch.float64, device=device)
    source = generator_for(seed, "refined", device=device)
    noise = draw_noise(model.noise_spec(n, SAMPLES_TO_MEASURE), source, device, encoding[0].dtype)
    for start in range(0, SAMPLES_TO_MEASURE, most):
        piece = tuple(part[start : start + most] for part in noise)
        size = min(most, SAMPLES_TO_MEASURE - start)
        inference = model.infer(observation, size, piece, encoding=encoding)
        kl = torch.cat([layer.double().mean(0).flatten(1) for layer in inference.kl], 1).sum(1)
        total += inference.log_likelihood().double().sum(0) - size * kl
    return total / SAMPLES_TO_MEASURE
