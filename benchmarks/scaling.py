"""Time and memory of training against the size of the data, in memory and streamed from disk.

Trains the networks of `training_speed.py` (784-512-20, batch 128) on so many MNIST images, each in
a process of its own, epochs in turns; shards on disk hold 5,000 images. Beyond 60,000 images,
MNIST is repeated. Memory is the process's own, without the pages of libraries, at the end of an
epoch. Prints a table, writes `benchmarks/results/scaling.json` and draws
`docs/images/scaling.png`. Part of `make bench`.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table
from training_speed import RESULTS, Contender, machine

from vaekit.data import MnistSpec

SIZES = (10_000, 30_000, 60_000, 240_000)
SHARD = 5_000
WAYS = ("in memory", "streamed")
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "scaling.png"


def written(folder: Path) -> dict[tuple[str, int], Path]:
    """Files of every way and size."""
    dataset = MnistSpec().load()
    splits = [dataset.split(name) for name in ("train", "validation")]
    images = torch.cat([split.rows(0, len(split)).x for split in splits]).squeeze(1).numpy()
    paths: dict[tuple[str, int], Path] = {}
    for size in SIZES:
        chosen = np.resize(images, (size, *images.shape[1:]))
        whole, shards = folder / f"{size}.npy", folder / f"{size}"
        np.save(whole, chosen)
        shards.mkdir()
        for number, start in enumerate(range(0, size, SHARD)):
            np.save(shards / f"{number:03}.npy", chosen[start : start + SHARD])
        paths["in memory", size], paths["streamed", size] = whole, shards
    return paths


def measure(epochs: int) -> list[dict[str, Any]]:
    """Everybody trains an epoch in turn; the first does not count."""
    with tempfile.TemporaryDirectory() as folder:
        contenders = {
            key: Contender("vaekit", "mlp", path, 128, epochs + 1)
            for key, path in written(Path(folder)).items()
        }
        for epoch in range(epochs + 1):
            for contender in contenders.values():
                contender.train_epoch(last=epoch == epochs)
        for contender in contenders.values():
            contender.leave()
    return [
        {
            "way": way,
            "images": size,
            "seconds_per_epoch": statistics.median(e["seconds"] for e in contender.epochs[1:]),
            "private_bytes": max(e["private_bytes"] for e in contender.epochs),
        }
        for (way, size), contender in contenders.items()
    ]


def draw(found: list[dict[str, Any]], path: Path) -> None:
    """Seconds per epoch and peak memory against the number of images."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    time, memory = figure.subplots(1, 2)
    for way, marker in zip(WAYS, "os", strict=True):
        rows = [row for row in found if row["way"] == way]
        thousands = [row["images"] / 1000 for row in rows]
        time.plot(thousands, [row["seconds_per_epoch"] for row in rows], marker=marker, label=way)
        memory.plot(thousands, [row["private_bytes"] / 2**20 for row in rows], marker=marker)
    time.set(ylabel="seconds per epoch", ylim=(0, None))
    memory.set(ylabel="memory of the process (MiB)", ylim=(0, None))
    for axes in (time, memory):
        axes.set_xlabel("thousands of images")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    time.legend(frameon=False)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Measures, prints and draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5, help="that count, after one that does not")
    parser.add_argument("--output", type=Path, default=RESULTS / "scaling.json")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    chosen = parser.parse_args()
    conditions = machine()
    found = measure(chosen.epochs)
    table = Table(title="784-512-20, batch 128")
    for heading in ("", "images", "s/epoch", "us/image", "MiB"):
        table.add_column(heading, justify="right" if heading else "left")
    for row in found:
        seconds = row["seconds_per_epoch"]
        each, memory = f"{seconds / row['images'] * 1e6:.1f}", f"{row['private_bytes'] / 2**20:.0f}"
        table.add_row(row["way"], f"{row['images']:,}", f"{seconds:.2f}", each, memory)
    Console(highlight=False).print(table)
    content = {"machine": conditions, "rounds": found}
    chosen.output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    draw(found, chosen.picture)
    print(f"written to {chosen.output} and {chosen.picture}")


if __name__ == "__main__":
    main()
