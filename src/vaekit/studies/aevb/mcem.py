"""Monte Carlo EM: samples of the true posterior in place of a recognition network.

    E:  z of every example of a batch moves by one trajectory of Hamiltonian Monte Carlo
        towards p(z | x), from where it was when the example was last seen
    M:  five updates of the generator by the gradient of log p(x, z) at these z

A trajectory has ten leapfrog steps, whose size is tuned on the way to an acceptance rate of 0.9.
Every update counts as a batch of training samples, as it does for the other algorithms.

References:
    Kingma and Welling (2013), Auto-Encoding Variational Bayes, section 5 and appendix E
    Wei and Tanner (1990), A Monte Carlo Implementation of the EM Algorithm,
    https://doi.org/10.1080/01621459.1990.10474930
"""

import math
from pathlib import Path
from typing import Final, final

import torch
from torch import Tensor

from vaekit.data import Observation
from vaekit.errors import Interrupted
from vaekit.evaluation import Chains
from vaekit.models import VAE, log_prob_per_value
from vaekit.numerics import generator_for
from vaekit.studies.aevb.cells import BATCH_SIZE
from vaekit.studies.aevb.setting import Setting, parameters
from vaekit.training import (
    Checkpoint,
    Listener,
    Plan,
    below,
    isolated,
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
    stoppable,
)

LEAPFROG_STEPS: Final = 10
UPDATES_PER_SAMPLE: Final = 5
ACCEPTANCE: Final = 0.9
_FIRST_SIZE, _RATE = 0.1, 0.05
_SAVE_EVERY: Final = 2000  # updates


@final
class MonteCarloEM:
    """Monte Carlo EM in progress.

    Args:
        made: Data and generator; its encoder plays no part.
        folder: Where the state is kept; nowhere if absent.
        listener: Who is told.
        leapfrog_steps: Of a trajectory.
    """

    def __init__(
        self,
        made: Setting,
        folder: Path | None = None,
        listener: Listener | None = None,
        leapfrog_steps: int = LEAPFROG_STEPS,
    ) -> None:
        self.made, self.folder = made, folder
        self.listener = listener or Listener()
        self.leapfrog_steps = leapfrog_steps
        self.batches, self.seed = made.batches, made.recipe.seed
        self.trained = [
            *parameters(made.model.decoder),
            *parameters(made.model.likelihood),
            *parameters(made.model.prior),
        ]
        self.optimizer = made.recipe.training.optimizer.build(self.trained)
        source = generator_for(self.seed, "chains")
        like = self.trained[0]
        z = torch.randn(len(made.train), made.model.latent_dim, generator=source, dtype=like.dtype)
        self.z = z.to(like.device)
        self.log_size = math.log(_FIRST_SIZE)
        self.step = 0

    def run(self, updates: int) -> None:
        """Makes so many updates in all, from the newest state if there is one."""
        self._restore()
        self.listener.started(Plan(updates, self.step, self.batches.steps_per_epoch, BATCH_SIZE))
        with isolated(self.made.recipe.training), stoppable() as stop:
            self.made.model.train()
            saved = self.step
            while self.step < updates:
                self._turn(updates)
                if self.step - saved >= _SAVE_EVERY or stop.requested:
                    self._save()
                    saved = self.step
                if stop.requested:
                    raise Interrupted(f"Stopped after {self.step} of {updates} updates, saved.")
        self._save()
        self.listener.finished()
        self.made.model.eval()

    def _turn(self, updates: int) -> None:
        """One sample of the posterior of a batch, and the updates that it serves."""
        turn = self.step // UPDATES_PER_SAMPLE
        epoch, index = divmod(turn, self.batches.steps_per_epoch)
        source = generator_for(self.seed, "turn", turn, device=self.z.device)
        rows = self.batches.rows(epoch, index)
        shown = self.made.transform(self.batches.take(rows), source)
        shown = shown.to(self.z.device, self.z.dtype)
        z, rate = sampled(
            self.made.model, shown, self.z[rows], self.log_size, self.leapfrog_steps, source
        )
        self.z[rows] = z
        self.log_size += _RATE * (rate - ACCEPTANCE)
        for _ in range(min(UPDATES_PER_SAMPLE, updates - self.step)):
            self._update(shown, z)
            self.step += 1
            self.listener.stepped(self.step, {})

    def _update(self, shown: Observation, z: Tensor) -> None:
        self.optimizer.forget_gradients()
        loss = -expected_joint(self.made.model, shown, z)
        loss.backward()
        self.optimizer.step()

    def _save(self) -> None:
        if self.folder is None:
            return
        self.listener.saving(self.step)
        tensors = {f"model.{n}": t for n, t in self.made.model.state_dict().items()}
        tensors |= {f"optimizer.{n}": t for n, t in self.optimizer.state_dict().items()}
        kept = Checkpoint({**tensors, "z": self.z}, {"log_size": self.log_size})
        save_checkpoint(self.folder, self.step, kept)

    def _restore(self) -> None:
        newest = latest_checkpoint(self.folder) if self.folder else None
        if newest is None:
            return
        tensors, numbers = load_checkpoint(newest)
        self.made.model.load_state_dict(below("model", tensors))
        self.optimizer.load_state_dict(below("optimizer", tensors))
        self.z.copy_(tensors["z"])
        self.log_size, self.step = numbers["log_size"], numbers["step"]


def sampled(
    model: VAE,
    shown: Observation,
    z: Tensor,
    log_size: float,
    leapfrog_steps: int,
    source: torch.Generator,
) -> tuple[Tensor, float]:
    """Where one trajectory of each example ends, and the share that was accepted.

    Args:
        model: What generates; its prior is standard normal.
        shown: The examples.
        z: Where they are.
        log_size: Logarithm of the size of a leapfrog step.
        leapfrog_steps: Of a trajectory.
        source: Of all noise.
    """
    chains = Chains(model, shown, 1, leapfrog_steps, source)
    size = torch.full((len(shown),), math.exp(log_size), dtype=z.dtype, device=z.device)
    there, took = chains.transition(z, 1.0, size)
    return there, took.mean().item()


def expected_joint(model: VAE, shown: Observation, z: Tensor) -> Tensor:
    """log p(x, z) at one z for each example, the mean over them, in nats."""
    likelihood = model.decode((z.unsqueeze(0),), shown.c)
    fit = log_prob_per_value(likelihood, shown).flatten(2).sum(-1).mean()
    return fit + model.prior(shown.c).log_prob(z).mean()
