"""One contender of the training benchmark, in a process of its own.

    python benchmarks/contenders.py NAME IMAGES BATCH EPOCHS

All train the same VAE (784-512-20-512-784, ReLU, cross-entropy of grey pixels, Adam with 1e-3)
on the same images in the same number of steps. A contender waits for a line on standard input
before every epoch and writes a line of JSON after it, so that epochs of several contenders can
take turns on an otherwise idle machine.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

HIDDEN, LATENT, LEARNING_RATE = 512, 20, 1e-3


class Turns:
    """Whose turn it is, and how long it took."""

    def __init__(self) -> None:
        self._began = 0.0

    def wait(self) -> None:
        """Until the next epoch may begin."""
        _say({"ready": True})
        sys.stdin.readline()
        self._began = time.perf_counter()

    def done(self, loss: float) -> None:
        """An epoch is over."""
        seconds = time.perf_counter() - self._began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        _say({"seconds": seconds, "loss": loss, "peak_bytes": peak})


def _say(message: dict[str, float | bool]) -> None:
    print(json.dumps(message), flush=True)


def vaekit(images: Path, batch_size: int, epochs: int, turns: Turns) -> None:
    """Through the public path, with log, averaged weights and checkpoints."""
    from vaekit import Recipe
    from vaekit.runs import fit, prepare
    from vaekit.training import Listener, Plan, Record

    class TakingTurns(Listener):
        def started(self, plan: Plan) -> None:
            self.steps = plan.steps_per_epoch
            turns.wait()

        def stepped(self, step: int, reported: Record) -> None:
            if step % self.steps == 0:
                turns.done(float(reported["loss_nats"]))
                if step < epochs * self.steps:
                    turns.wait()

    layers = {"kind": "mlp", "hidden": [HIDDEN], "activation": "relu"}
    recipe = Recipe.model_validate(
        {
            "name": "bench",
            "data": {
                "kind": "arrays", "path": str(images), "event": "image", "low": 0, "high": 255,
                "validation": 0.0, "test": 0.0,
            },
            "transform": {"kind": "grey"},
            "model": {
                "kind": "vae", "latent_dim": LATENT, "encoder": layers, "decoder": layers,
                "likelihood": {"kind": "bernoulli"},
            },
            "training": {"epochs": epochs, "batch_size": batch_size},
            "evaluation": {"split": "train"},
        }
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        chosen, path = prepare(recipe, Path(folder) / "run")
        fit(chosen, path, [TakingTurns()])


def plain(images: Path, batch_size: int, epochs: int, turns: Turns) -> None:
    """What a tutorial writes: a module, a DataLoader, a loop."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    class PlainVAE(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Linear(784, HIDDEN)
            self.mu, self.log_var = nn.Linear(HIDDEN, LATENT), nn.Linear(HIDDEN, LATENT)
            self.decoder = nn.Sequential(
                nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 784)
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = torch.relu(self.hidden(x.flatten(1)))
            mu, log_var = self.mu(h), self.log_var(h)
            z = mu + torch.exp(0.5 * log_var) * torch.randn_like(mu)
            fit = nn.functional.binary_cross_entropy_with_logits(
                self.decoder(z), x.flatten(1), reduction="sum"
            )
            kl = -0.5 * torch.sum(1 + log_var - mu.square() - log_var.exp())
            return (fit + kl) / len(x)

    data = TensorDataset(torch.from_numpy(np.load(images)).float() / 255)
    loader = DataLoader(data, batch_size=batch_size, shuffle=True, drop_last=True)
    model = PlainVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for _ in range(epochs):
        turns.wait()
        total = 0.0
        for (x,) in loader:
            optimizer.zero_grad()
            loss = model(x)
            loss.backward()
            optimizer.step()
            total += loss.item()
        turns.done(total / len(loader))


def pythae(images: Path, batch_size: int, epochs: int, turns: Turns) -> None:
    """pythae 0.1.2 with its own trainer and default networks."""
    import logging
    from importlib import import_module

    import torch

    # Not installed where only types are checked.
    data_sets, models, trainers = map(
        import_module, ("pythae.data.datasets", "pythae.models", "pythae.trainers")
    )
    logging.disable(logging.CRITICAL)
    x = torch.from_numpy(np.load(images)).unsqueeze(1).float() / 255
    data = data_sets.BaseDataset(x, torch.zeros(len(x)))
    config = models.VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce")
    with tempfile.TemporaryDirectory() as folder:
        training = trainers.BaseTrainerConfig(
            output_dir=folder,
            num_epochs=epochs,
            learning_rate=LEARNING_RATE,
            per_device_train_batch_size=batch_size,
            no_cuda=not torch.cuda.is_available(),
        )
        trainer = trainers.BaseTrainer(
            models.VAE(config), train_dataset=data, training_config=training
        )
        train_epoch = trainer.train_step

        def taking_turns(epoch: int) -> float:
            turns.wait()
            loss = float(train_epoch(epoch))
            turns.done(loss)
            return loss

        trainer.train_step = taking_turns
        trainer.train()


CONTENDERS: Final[dict[str, Callable[[Path, int, int, Turns], None]]] = {
    "vaekit": vaekit,
    "plain": plain,
    "pythae": pythae,
}

if __name__ == "__main__":
    _, name, images, batch_size, epochs = sys.argv
    CONTENDERS[name](Path(images), int(batch_size), int(epochs), Turns())
