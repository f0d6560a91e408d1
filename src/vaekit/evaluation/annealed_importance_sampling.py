"""Log-likelihood by annealed importance sampling, for subsets, and a check of it.

A chain is led from the prior to the posterior through p(e) p(x | e)^b, b = 0, ..., 1, by
Hamiltonian Monte Carlo. Its weight is an unbiased estimate of p(x) that needs no encoder:

    log w = sum_t (b_t - b_{t-1}) log p(x | e_{t-1}),    log p(x) ~ log mean over chains of w

e is the noise that the model's prior turns into z, of all layers; it is standard normal whatever
the model is.
Step sizes are tuned on chains of their own beforehand: tuned on the way, they would depend on
the past of the chain, and weights would no longer be unbiased.

The check: for data that the model itself drew, a chain that starts at the true e (an exact draw
from the posterior) and is led back to the prior gives an upper bound on log p(x). Forward and
backward estimates that agree leave no room for error.

References:
    Neal (2001), Annealed Importance Sampling, https://arxiv.org/abs/physics/9803008
    Wu, Burda, Salakhutdinov and Grosse (2017), On the Quantitative Analysis of Decoder-Based
    Generative Models, https://arxiv.org/abs/1611.04273
    Grosse, Ghahramani and Adams (2015), Sandwiching the marginal likelihood using
    bidirectional Monte Carlo, https://arxiv.org/abs/1511.02543
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, final

import torch
from jaxtyping import Float, Float64
from pydantic import Field, PositiveInt
from torch import Tensor

from vaekit.data import Observation
from vaekit.errors import SpecError
from vaekit.evaluation.hamiltonian_monte_carlo import Chains
from vaekit.models import Model
from vaekit.numerics import draw_noise, generator_for, log_mean_exp
from vaekit.spec import Spec

EXAMPLES_AT_A_TIME: Final = 20
"""Part of the definition of a chain's noise."""
_TARGET_ACCEPTANCE, _TUNING_CHAINS, _FIRST_STEP_SIZE = 0.65, 4, 0.1
_STEEPNESS: Final = 4.0  # of the sigmoid that spaces the temperatures

Progress = Callable[[float], None]


class AISSpec(Spec):
    """Choices of annealed importance sampling."""

    examples: PositiveInt = Field(default=100, description="The first so many of the split.")
    chains: PositiveInt = Field(default=16, description="Chains per example.")
    temperatures: PositiveInt = Field(default=500, description="Steps from prior to posterior.")
    leapfrog_steps: PositiveInt = Field(default=10, description="Steps of one HMC transition.")


@final
@dataclass(frozen=True)
class Annealed:
    """Per-example estimates.

    Args:
        log_likelihood: log p(x) in nats; in expectation from below.
        acceptance_rate: Share of proposals that were accepted.
    """

    log_likelihood: Float64[Tensor, " examples"]
    acceptance_rate: Float64[Tensor, " examples"]


def annealed_importance_sampling(
    model: Model,
    observation: Observation,
    spec: AISSpec,
    seed: int,
    progress: Progress = lambda share: None,
) -> Annealed:
    """Estimates log p(x) of every example.

    Args:
        model: A model with a prior whose noise is normal, in evaluation mode.
        observation: The examples, all of which are used.
        spec: Chains, temperatures and leapfrog steps.
        seed: Seed of all chains.
        progress: Told which share is done.

    Raises:
        SpecError: The model has no density, or other noise than normal.
    """
    _check(model)
    pieces = []
    for start in range(0, len(observation), EXAMPLES_AT_A_TIME):
        shown = observation[start : start + EXAMPLES_AT_A_TIME]

        def told(share: float, start: int = start, size: int = len(shown)) -> None:
            progress((start + share * size) / len(observation))

        pieces.append(_Sampler(model, shown, spec, (seed, "ais", start)).forward(told))
    return Annealed(
        torch.cat([piece.log_likelihood for piece in pieces]),
        torch.cat([piece.acceptance_rate for piece in pieces]),
    )


def sandwich(
    model: Model,
    examples: int,
    spec: AISSpec,
    seed: int,
    c: Float[Tensor, "_ conditions"] | None = None,
) -> tuple[Float64[Tensor, " examples"], Float64[Tensor, " examples"]]:
    """Forward and backward estimates of log p(x), for x that the model draws itself.

    In expectation the first is a lower and the second an upper bound.

    Args:
        model: As for `annealed_importance_sampling`.
        examples: How many x are drawn; at most 20.
        spec: Chains, temperatures and leapfrog steps.
        seed: Seed of data and chains.
        c: Conditions of those x, one row each at least, for a model that needs them.
    """
    _check(model)
    examples = min(examples, EXAMPLES_AT_A_TIME)
    c = None if c is None else c[:examples]
    like = next(model.parameters())
    source = generator_for(seed, "simulated", device=like.device)
    noise = draw_noise(model.sample_noise_spec(examples), source, like.device, like.dtype)
    with torch.no_grad(), torch.random.fork_rng(devices=_cuda(like.device)):
        torch.manual_seed(source.initial_seed())  # torch's distributions take no generator
        x = model.sample(examples, c, noise=noise).sample()
    sampler = _Sampler(model, Observation(x, c), spec, (seed, "sandwich", 0))
    position = torch.cat([layer.reshape(examples, -1) for layer in noise], dim=1)
    return sampler.forward().log_likelihood, sampler.backward(position)


def _cuda(device: torch.device) -> list[torch.device]:
    return [device] if device.type == "cuda" else []


def _check(model: Model) -> None:
    specs = model.sample_noise_spec(1)
    if not model.facts.has_density or any(spec.kind != "normal" for spec in specs):
        raise SpecError(
            "Annealed importance sampling needs a prior that is made from normal noise.",
            found=", ".join(f"{spec.kind} noise {spec.name!r}" for spec in specs) or "no noise",
            remedy="leave evaluation.ais out",
        )


class _Sampler:
    """Chains for one small batch, rows in the order (chain, example)."""

    def __init__(
        self, model: Model, observation: Observation, spec: AISSpec, keys: tuple[int | str, ...]
    ) -> None:
        self.model, self.spec, self.keys = model, spec, keys
        self.observation, self.n = observation, len(observation)
        self.device, self.dtype = observation.x.device, next(model.parameters()).dtype
        ends = torch.linspace(-_STEEPNESS, _STEEPNESS, spec.temperatures + 1, dtype=torch.float64)
        levels = torch.sigmoid(ends)
        self.betas = ((levels - levels[0]) / (levels[-1] - levels[0])).tolist()
        self._step_sizes: Tensor | None = None

    def forward(self, progress: Progress = lambda share: None) -> Annealed:
        """From the prior to the posterior."""
        sizes = self.step_sizes(progress)
        chains = self._chains(self.spec.chains, "forward")
        position = chains.normal()
        weights = torch.zeros(len(position), dtype=torch.float64, device=self.device)
        accepted = torch.zeros_like(weights)
        for t in range(1, self.spec.temperatures + 1):
            change = self.betas[t] - self.betas[t - 1]
            weights += change * chains.log_likelihood(position).double()
            position, took = chains.transition(position, self.betas[t], sizes[t - 1])
            accepted += took
            progress((1 + t / self.spec.temperatures) / 2)
        rate = accepted.reshape(-1, self.n).mean(0) / self.spec.temperatures
        return Annealed(log_mean_exp(weights.reshape(-1, self.n)), rate)

    def backward(self, exact: Tensor) -> Float64[Tensor, " examples"]:
        """From exact draws of the posterior, one per example, to the prior: an upper bound."""
        sizes = self.step_sizes()
        chains = self._chains(self.spec.chains, "backward")
        position = exact.repeat(self.spec.chains, 1)
        weights = torch.zeros(len(position), dtype=torch.float64, device=self.device)
        for t in range(self.spec.temperatures, 0, -1):
            position, _ = chains.transition(position, self.betas[t], sizes[t - 1])
            change = self.betas[t - 1] - self.betas[t]
            weights += change * chains.log_likelihood(position).double()
        return -log_mean_exp(weights.reshape(-1, self.n))

    def step_sizes(self, progress: Progress = lambda share: None) -> Tensor:
        """One for every temperature and example, found once on chains of their own."""
        if self._step_sizes is None:
            chains = self._chains(_TUNING_CHAINS, "tuning")
            position = chains.normal()
            size = torch.full((self.n,), _FIRST_STEP_SIZE, dtype=self.dtype, device=self.device)
            found = []
            for t in range(1, self.spec.temperatures + 1):
                found.append(size)
                position, took = chains.transition(position, self.betas[t], size)
                rate = took.reshape(-1, self.n).mean(0)
                size = size * torch.exp(0.1 * (rate - _TARGET_ACCEPTANCE)).to(size.dtype)
                progress(t / self.spec.temperatures / 2)
            self._step_sizes = torch.stack(found)
        return self._step_sizes

    def _chains(self, number: int, purpose: str) -> Chains:
        source = generator_for(*self.keys, purpose, device=self.device)
        return Chains(self.model, self.observation, number, self.spec.leapfrog_steps, source)
