"""Importance-sampled NLL: vaekit against pythae, same images, networks and k, in turns.

The weights of a pythae VAE (784-512-20, its default networks), trained for some epochs, are put
into a vaekit VAE of the same form, so that both estimate the same number; pythae returns it with
the other sign, and the table shows what each library says. Part of `make bench`.
"""

import argparse
import json
import statistics
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from contenders import HIDDEN, LATENT
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from training_speed import RESULTS, machine

from vaekit.data import MnistSpec, Observation, Statistics
from vaekit.evaluation import importance_sampling
from vaekit.models import VAE, VAESpec
from vaekit.networks import MLPSpec
from vaekit.posteriors import DiagonalGaussianSpec


def trained_by_hand(theirs: nn.Module, images: Tensor, steps: int) -> None:
    """Some steps of Adam on a pythae model, so that the numbers are not those of noise."""
    data_sets = import_module("pythae.data.datasets")
    optimizer = torch.optim.Adam(theirs.parameters(), lr=1e-3)
    for step in range(steps):
        rows = torch.randint(len(images), (128,), generator=torch.Generator().manual_seed(step))
        batch = images[rows]
        loss = theirs(data_sets.BaseDataset(batch, torch.zeros(len(batch)))[:]).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def as_vaekit(theirs: Any) -> VAE:
    """The same functions in a vaekit VAE."""
    layers = MLPSpec(hidden=(HIDDEN,), activation="relu")
    spec = VAESpec(
        latent_dim=LATENT,
        encoder=layers,
        decoder=layers,
        # pythae bounds nothing; these bounds are too far away to be felt.
        posterior=DiagonalGaussianSpec(min_log_scale=-40, max_log_scale=40),
    )
    shape = (1, 28, 28)
    ours = spec.build(shape, Statistics(torch.zeros(shape), torch.ones(shape)))
    into, out = _linear(ours.encoder), _linear(ours.decoder)
    hidden, mean, log_var = (
        theirs.encoder.layers[0][0],
        theirs.encoder.embedding,
        theirs.encoder.log_var,
    )
    first, last = (layer[0] for layer in theirs.decoder.layers)
    with torch.no_grad():
        into[0].weight.copy_(hidden.weight)
        into[0].bias.copy_(hidden.bias)
        into[1].weight.copy_(torch.cat([mean.weight, 0.5 * log_var.weight]))
        into[1].bias.copy_(torch.cat([mean.bias, 0.5 * log_var.bias]))
        out[0].weight.copy_(first.weight)
        out[0].bias.copy_(first.bias)
        out[1].weight.copy_(last.weight)
        ours.decoder.output_bias.copy_(last.bias.reshape(ours.decoder.output_bias.shape))
    return ours.eval()


def _linear(part: nn.Module) -> list[nn.Linear]:
    return [module for module in part.modules() if isinstance(module, nn.Linear)]


def main() -> None:
    """Measures what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=RESULTS / "evaluation.json")
    chosen = parser.parse_args()
    conditions = machine()
    models = import_module("pythae.models")
    torch.manual_seed(0)
    config = models.VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce")
    theirs = models.VAE(config)
    dataset = MnistSpec().load()
    pixels = dataset.split("train").rows(0, 10_000).x > 127
    trained_by_hand(theirs, pixels.float(), steps=600)
    theirs.eval()
    ours = as_vaekit(theirs)
    x = (dataset.split("test").rows(0, chosen.images).x > 127).float()
    seconds: dict[str, list[float]] = {"vaekit": [], "pythae": []}
    says: dict[str, float] = {}
    for _ in range(chosen.rounds + 1):  # the first round is a warm-up
        began = time.perf_counter()
        estimate = importance_sampling(ours, [Observation(x)], chosen.samples, seed=0)
        seconds["vaekit"].append(time.perf_counter() - began)
        says["vaekit"] = -estimate.log_likelihood.mean().item()
        began = time.perf_counter()
        with torch.no_grad():
            says["pythae"] = float(theirs.get_nll(x, n_samples=chosen.samples, batch_size=100))
        seconds["pythae"].append(time.perf_counter() - began)
    medians = {name: statistics.median(taken[1:]) for name, taken in seconds.items()}
    table = Table(title=f"NLL of {chosen.images} binary images, k = {chosen.samples}")
    for heading in ("", "seconds", "vaekit faster by", "says"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, taken in medians.items():
        ratio = f"{taken / medians['vaekit']:.1f}"
        table.add_row(name, f"{taken:.2f}", ratio, f"{says[name]:.2f}")
    Console(highlight=False).print(table)
    content = {
        "machine": conditions,
        "images": chosen.images,
        "num_samples": chosen.samples,
        "seconds": {name: taken[1:] for name, taken in seconds.items()},
        "says_nats": says,
    }
    chosen.output.parent.mkdir(exist_ok=True)
    chosen.output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
