"""Training throughput of a recipe on this machine, through the public path: `make bench`.

Trains for some epochs with log, average and checkpoints on, several times, and prints the
median seconds per epoch. Nothing else should run meanwhile.
"""

import argparse
import platform
import statistics
import tempfile
from pathlib import Path

import torch

from vaekit.recipes import load_recipe
from vaekit.runs import fit, prepare


def seconds_per_epoch(name: str, epochs: int, settings: list[str]) -> tuple[float, str]:
    """One run from scratch, its first epoch included; and how it was computed."""
    recipe = load_recipe(name, [*settings, f"training.epochs={epochs}"])
    with tempfile.TemporaryDirectory() as folder:
        chosen, path = prepare(recipe, Path(folder) / "run")
        run = fit(chosen, path)
        training = chosen.training
        how = f"{training.device}, {training.precision}, {training.threads} threads"
        return run.training_seconds / epochs, how


def main() -> None:
    """Measures what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="mnist")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    chosen = parser.parse_args()
    measured = [
        seconds_per_epoch(chosen.recipe, chosen.epochs, chosen.settings)
        for _ in range(chosen.repeats)
    ]
    seconds = sorted(value for value, _ in measured)
    print(f"{chosen.recipe}: {measured[0][1]}; torch {torch.__version__}, {platform.platform()}")
    print(
        f"median {statistics.median(seconds):.3f} s per epoch "
        f"({seconds[0]:.3f} to {seconds[-1]:.3f}, {chosen.repeats} runs of {chosen.epochs} epochs)"
    )


if __name__ == "__main__":
    main()
