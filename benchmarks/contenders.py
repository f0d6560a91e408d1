"""One contender of the training benchmark, in a process of its own.

    python benchmarks/contenders.py NAME NETWORKS IMAGES BATCH EPOCHS

All train the same VAE with 20 latents on the same images in the same number of steps: Adam with
1e-3, cross-entropy of grey pixels. NETWORKS is `mlp` (784-512 and back, ReLU) or `conv` (pythae's
own networks for MNIST). A contender waits for a line on standard input before every epoch and
writes a line of JSON after it, so that epochs of several contenders can take turns on an otherwise
idle machine.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

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
        _say({"seconds": seconds, "loss": loss, **memory()})


def memory() -> dict[str, int]:
    """Most memory that this process ever had resident, and what is its own of it now.

    Linux's own figures where there are some: that of `resource` begins at the size of the parent.
    """
    status = Path("/proc/self/status")
    if not status.is_file():
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return {"peak_bytes": peak, "private_bytes": peak}
    lines = [line.split() for line in status.read_text(encoding="ascii").splitlines()]
    kib = {line[0]: int(line[1]) for line in lines if line[0] in ("VmHWM:", "RssAnon:")}
    return {"peak_bytes": kib["VmHWM:"] * 1024, "private_bytes": kib["RssAnon:"] * 1024}


def _say(message: dict[str, float | bool]) -> None:
    print(json.dumps(message), flush=True)


def conv_encoder(out_features: int) -> Any:
    """The layers of pythae's Encoder_Conv_VAE_MNIST, with one head."""
    from torch import nn

    layers: list[nn.Module] = []
    for before, width in zip((1, 128, 256, 512), (128, 256, 512, 1024), strict=True):
        layers += [nn.Conv2d(before, width, 4, 2, 1), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(1024, out_features))


def conv_decoder(bias: bool) -> Any:
    """The layers of pythae's Decoder_Conv_AE_MNIST, without its sigmoid."""
    from torch import nn

    return nn.Sequential(
        nn.Linear(LATENT, 1024 * 4 * 4),
        nn.Unflatten(1, (1024, 4, 4)),
        nn.ConvTranspose2d(1024, 512, 3, 2, 1),
        nn.BatchNorm2d(512),
        nn.ReLU(),
        nn.ConvTranspose2d(512, 256, 3, 2, 1, output_padding=1),
        nn.BatchNorm2d(256),
        nn.ReLU(),
        nn.ConvTranspose2d(256, 1, 3, 2, 1, output_padding=1, bias=bias),
    )


def vaekit(networks: str, images: Path, batch_size: int, epochs: int, turns: Turns) -> None:
    """Through the public path, with log, averaged weights and checkpoints."""
    from torch import nn

    from vaekit import Recipe
    from vaekit.data import Batches, Statistics, statistics
    from vaekit.likelihoods import BernoulliLikelihood
    from vaekit.models import VAE, Decoder, Encoder
    from vaekit.objectives import ELBOSpec
    from vaekit.posteriors import DiagonalGaussianSpec
    from vaekit.priors import StandardNormalPrior
    from vaekit.runs import fit, prepare
    from vaekit.training import Listener, MetricsFile, Plan, Record, Training, TrainingData

    class TakingTurns(Listener):
        def started(self, plan: Plan) -> None:
            self.steps = plan.steps_per_epoch
            turns.wait()

        def stepped(self, step: int, reported: Record) -> None:
            if step % self.steps == 0:
                turns.done(float(reported["loss_nats"]))
                if step < epochs * self.steps:
                    turns.wait()

    def with_own_networks(moments: Statistics) -> VAE:
        start = BernoulliLikelihood((1, 28, 28)).initial_parameters(moments.mean, moments.std)
        return VAE(
            Encoder(conv_encoder(2 * LATENT), moments),
            DiagonalGaussianSpec().build(LATENT),
            StandardNormalPrior(LATENT),
            Decoder(nn.Sequential(conv_decoder(bias=False), nn.Unflatten(1, (1, 1))), start),
            BernoulliLikelihood((1, 28, 28)),
        )

    layers = {"kind": "mlp", "hidden": [HIDDEN], "activation": "relu"}
    raw = {"event": "image", "low": 0, "high": 255}
    if images.is_dir():
        data = {"kind": "shards", "path": str(images / "*.npy"), **raw}
    else:
        data = {"kind": "arrays", "path": str(images), "validation": 0.0, "test": 0.0, **raw}
    recipe = Recipe.model_validate(
        {
            "name": "bench",
            "data": data,
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
        if networks == "mlp":
            fit(chosen, path, [TakingTurns()])
            return
        path.mkdir()
        dataset, spec = chosen.data.load(), chosen.training
        split, transform = dataset.split("train"), chosen.transform.build(dataset)
        Training(
            with_own_networks(statistics(split, transform)).to(spec.device),
            ELBOSpec().build(),
            TrainingData(Batches(split, batch_size, chosen.seed, spec.device), transform),
            spec,
            chosen.seed,
            path,
            [MetricsFile(path / "metrics.jsonl"), TakingTurns()],
        ).run()


def plain(networks: str, images: Path, batch_size: int, epochs: int, turns: Turns) -> None:
    """What a tutorial writes: a module, a DataLoader, a loop."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    class PlainVAE(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            if networks == "conv":
                self.encoder = conv_encoder(2 * LATENT)
                self.decoder = nn.Sequential(conv_decoder(bias=True), nn.Flatten())
            else:
                self.encoder = nn.Sequential(
                    nn.Flatten(), nn.Linear(784, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * LATENT)
                )
                self.decoder = nn.Sequential(
                    nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 784)
                )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            mu, log_var = self.encoder(x).chunk(2, dim=-1)
            z = mu + torch.exp(0.5 * log_var) * torch.randn_like(mu)
            fit = nn.functional.binary_cross_entropy_with_logits(
                self.decoder(z), x.flatten(1), reduction="sum"
            )
            kl = -0.5 * torch.sum(1 + log_var - mu.square() - log_var.exp())
            return (fit + kl) / len(x)

    device = "cuda" if torch.cuda.is_available() else "cpu"
    data = TensorDataset(torch.from_numpy(np.load(images)).unsqueeze(1).float() / 255)
    loader = DataLoader(data, batch_size=batch_size, shuffle=True, drop_last=True)
    model = PlainVAE().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for _ in range(epochs):
        turns.wait()
        total = 0.0
        for (x,) in loader:
            optimizer.zero_grad()
            loss = model(x.to(device))
            loss.backward()
            optimizer.step()
            total += loss.item()
        turns.done(total / len(loader))


def pythae(networks: str, images: Path, batch_size: int, epochs: int, turns: Turns) -> None:
    """pythae 0.1.2 with its own trainer and its own networks."""
    import logging

    import torch

    # Not installed where only types are checked.
    data_sets, models, trainers = map(
        import_module, ("pythae.data.datasets", "pythae.models", "pythae.trainers")
    )
    logging.disable(logging.CRITICAL)
    x = torch.from_numpy(np.load(images)).unsqueeze(1).float() / 255
    data = data_sets.BaseDataset(x, torch.zeros(len(x)))
    config = models.VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce")
    chosen: dict[str, Any] = {}
    if networks == "conv":
        own = import_module("pythae.models.nn.benchmarks.mnist")
        chosen = {
            "encoder": own.Encoder_Conv_VAE_MNIST(config),
            "decoder": own.Decoder_Conv_AE_MNIST(config),
        }
    with tempfile.TemporaryDirectory() as folder:
        training = trainers.BaseTrainerConfig(
            output_dir=folder,
            num_epochs=epochs,
            learning_rate=LEARNING_RATE,
            per_device_train_batch_size=batch_size,
            no_cuda=not torch.cuda.is_available(),
        )
        trainer = trainers.BaseTrainer(
            models.VAE(config, **chosen), train_dataset=data, training_config=training
        )
        train_epoch = trainer.train_step

        def taking_turns(epoch: int) -> float:
            turns.wait()
            loss = float(train_epoch(epoch))
            turns.done(loss)
            return loss

        trainer.train_step = taking_turns
        trainer.train()


CONTENDERS: Final[dict[str, Callable[[str, Path, int, int, Turns], None]]] = {
    "vaekit": vaekit,
    "plain": plain,
    "pythae": pythae,
}

if __name__ == "__main__":
    _, name, networks, images, batch_size, epochs = sys.argv
    CONTENDERS[name](networks, Path(images), int(batch_size), int(epochs), Turns())
