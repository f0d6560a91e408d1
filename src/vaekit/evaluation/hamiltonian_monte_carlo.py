"""Hamiltonian Monte Carlo towards p(e) p(x | e)^beta, for many examples side by side.

e is the noise that a model's prior turns into z, of all layers side by side; it is standard
normal whatever the model is. A
proposal follows the dynamics of a particle in the potential

    U(e) = |e|^2 / 2 - beta log p(x | e)

for some leapfrog steps and is accepted with probability min(1, exp(H before - H after)).

Reference:
    Neal (2011), MCMC using Hamiltonian dynamics, https://arxiv.org/abs/1206.1901
"""

import math

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from vaekit.data import Observation
from vaekit.models import Model, log_prob_per_value


class Chains:
    """Several chains for each example; rows in the order (chain, example).

    Args:
        model: What decodes; its prior is made from normal noise.
        observation: The examples.
        number: Chains per example.
        leapfrog_steps: Steps of one proposal.
        source: Source of all noise, on the device of the observation.
    """

    def __init__(
        self,
        model: Model,
        observation: Observation,
        number: int,
        leapfrog_steps: int,
        source: torch.Generator,
    ) -> None:
        self.model, self.number, self.leapfrog_steps = model, number, leapfrog_steps
        self.source, self.dtype = source, next(model.parameters()).dtype
        x, c, mask = observation.x, observation.c, observation.mask
        self.observation = Observation(
            self._repeated(x),
            None if c is None else self._repeated(c),
            None if mask is None else self._repeated(mask),
        )
        self._shapes = [noise.shape for noise in model.sample_noise_spec(len(self.observation))]
        self._sizes = [math.prod(shape[2:]) for shape in self._shapes]

    def normal(self) -> Float[Tensor, "rows latent"]:
        """Positions drawn from the prior, or momenta."""
        return torch.randn(
            (len(self.observation), sum(self._sizes)),
            generator=self.source,
            device=self.source.device,
            dtype=self.dtype,
        )

    @torch.no_grad()
    def log_likelihood(self, position: Float[Tensor, "rows latent"]) -> Float[Tensor, " rows"]:
        """log p(x | e) in nats."""
        return self._log_likelihood(position)

    def transition(
        self, position: Tensor, beta: float, step_size: Float[Tensor, " examples"]
    ) -> tuple[Float[Tensor, "rows latent"], Float64[Tensor, " rows"]]:
        """One proposal of each chain; where it ends, and 1 where it was accepted."""
        size = step_size.repeat(self.number).unsqueeze(1)
        momentum = self.normal()
        energy, slope = self._potential(position, beta)
        before = energy + 0.5 * momentum.square().sum(1).double()
        there, speed = position, momentum - 0.5 * size * slope
        for step in range(self.leapfrog_steps):
            there = there + size * speed
            energy, slope = self._potential(there, beta)
            last = step == self.leapfrog_steps - 1
            speed = speed - (0.5 if last else 1.0) * size * slope
        after = energy + 0.5 * speed.square().sum(1).double()
        coin = torch.rand(len(position), generator=self.source, device=position.device)
        # A trajectory that left the numbers has a NaN here, and is not accepted.
        took = coin.double().log() < before - after
        return torch.where(took.unsqueeze(1), there, position), took.double()

    def _potential(self, position: Tensor, beta: float) -> tuple[Tensor, Tensor]:
        """-log p(e) p(x | e)^beta up to a constant, and its gradient."""
        with torch.enable_grad():
            at = position.detach().requires_grad_()
            energy = 0.5 * at.square().sum(1).double() - beta * self._log_likelihood(at).double()
            (slope,) = torch.autograd.grad(energy.sum(), at)
        return energy.detach(), slope

    def _log_likelihood(self, position: Tensor) -> Tensor:
        layers = position.split(self._sizes, dim=1)
        noise = tuple(e.reshape(shape) for e, shape in zip(layers, self._shapes, strict=True))
        likelihood = self.model.sample(len(position), c=self.observation.c, noise=noise)
        return log_prob_per_value(likelihood, self.observation).flatten(1).sum(1)

    def _repeated(self, part: Tensor) -> Tensor:
        return part.repeat(self.number, *(1 for _ in part.shape[1:]))
