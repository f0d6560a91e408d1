"""Training speed of vaekit, a plain loop and pythae, epoch by epoch in turns: `make bench`.

Prints a table for each networks and batch size, and writes `benchmarks/results/training.json`:
seconds per epoch (the median), ratio to each contender, peak memory, and which share of the
machine's own matrix-product roof the useful arithmetic reaches. The roof is measured between the
epochs. Everybody trains on the graphics card where there is one. Run it on an idle machine.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from contenders import CONTENDERS, HIDDEN, LATENT, conv_decoder, conv_encoder
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vaekit.data import MnistSpec
from vaekit.numerics import fast_float32_products

EXAMPLES = {"mlp": 48_000, "conv": 3_840}  # multiples of the batch sizes: the same steps for all
ROUNDS = ("mlp:128", "mlp:1000", "conv:128")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
ROOF_SIZE = 2048 if DEVICE == "cpu" else 8192
RESULTS = Path(__file__).parent / "results"


@final
class Contender:
    """A process that trains an epoch when it is told to."""

    def __init__(
        self, name: str, networks: str, images: Path, batch_size: int, epochs: int
    ) -> None:
        self.name = name
        here = Path(__file__).with_name("contenders.py")
        arguments = [name, networks, str(images), str(batch_size), str(epochs)]
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, str(here), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,  # where progress bars go as well
            text=True,
        )
        self.epochs: list[dict[str, float]] = []
        self._answer()  # ready for its first turn

    def train_epoch(self, last: bool) -> None:
        """Has it train, while everybody else waits."""
        assert self._process.stdin is not None  # noqa: S101
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        self.epochs.append(self._answer())
        if not last:
            self._answer()  # ready for its next turn

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout is not None  # noqa: S101
        for line in self._process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self._complaints.seek(0)
        said = self._complaints.read()[-2000:]
        raise SystemExit(f"{said}\n{self.name} ended with exit code {self._process.wait()}")

    def leave(self) -> None:
        """Waits until its process has ended."""
        self._process.communicate()


@fast_float32_products()
def matrix_flops(dtype: torch.dtype, size: int = ROOF_SIZE) -> float:
    """Floating-point operations per second of one large matrix product."""
    a, b = (torch.randn(size, size).to(DEVICE, dtype) for _ in range(2))
    torch.mm(a, b)
    _wait()
    began = time.perf_counter()
    torch.mm(a, b)
    _wait()
    return 2 * size**3 / (time.perf_counter() - began)


def _wait() -> None:
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def useful_flops_per_example(networks: str) -> float:
    """Multiplications and additions of forward and backward passes.

    The gradient of the input images is of no use, and not counted.
    """
    if networks == "conv":
        encoder, decoder = conv_encoder(2 * LATENT), conv_decoder(bias=True)
    else:
        encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(784, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * LATENT)
        )
        decoder = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 784))
    examples = 2
    with FlopCounterMode(display=False) as counter:
        decoder(encoder(torch.zeros(examples, 1, 28, 28))[:, :LATENT]).sum().backward()
    return counter.get_total_flops() / examples


def compete(
    networks: str, images: Path, batch_size: int, epochs: int, names: list[str]
) -> dict[str, Any]:
    """Everybody trains an epoch in turn; the first epoch is a warm-up and does not count."""
    contenders = [Contender(name, networks, images, batch_size, epochs + 1) for name in names]
    roof: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    for epoch in range(epochs + 1):
        for contender in contenders:
            contender.train_epoch(last=epoch == epochs)
        for name, seen in roof.items():
            seen.append(matrix_flops(getattr(torch, name)))
    for contender in contenders:
        contender.leave()
    work = useful_flops_per_example(networks) * EXAMPLES[networks]
    return {
        "networks": networks,
        "batch_size": batch_size,
        "examples": EXAMPLES[networks],
        "roof_flops": {name: statistics.median(seen) for name, seen in roof.items()},
        "contenders": {contender.name: _summary(contender, work) for contender in contenders},
    }


def _summary(contender: Contender, work: float) -> dict[str, Any]:
    counted = contender.epochs[1:]
    seconds = [epoch["seconds"] for epoch in counted]
    median = statistics.median(seconds)
    return {
        "seconds_per_epoch": median,
        "seconds": seconds,
        "final_loss_nats": counted[-1]["loss"],
        "peak_bytes": counted[-1]["peak_bytes"],
        "useful_flops": work / median,
    }


def machine() -> dict[str, Any]:
    """What the numbers belong to."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    fields = dict(line.split("\t: ", 1) for line in lines if "\t: " in line)
    flags = [f for f in fields.get("flags", "").split() if f.startswith(("avx512", "amx", "avx2"))]
    packages = [name for name in ("vaekit", "torch", "numpy", "pythae") if _has(name)]
    return {
        "processor": fields.get("model name", platform.processor()),
        "card": torch.cuda.get_device_name() if DEVICE == "cuda" else None,
        "cores": os.cpu_count(),
        "flags": flags,
        "load_before": os.getloadavg()[0],
        "platform": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def _has(name: str) -> bool:
    try:
        version(name)
    except ModuleNotFoundError:
        return False
    return True


def show(found: dict[str, Any]) -> Table:
    """A row for each contender."""
    contenders, roof = found["contenders"], found["roof_flops"]
    gigaflops = ", ".join(f"{name} {flops / 1e9:.0f}" for name, flops in roof.items())
    title = f"{found['networks']}, batch {found['batch_size']}, {found['examples']:,} images"
    table = Table(title=f"{title}, {DEVICE}; roof in GFLOP/s: {gigaflops}")
    table.add_column("")
    for heading in (
        "s/epoch", "min to max", "vaekit faster by", "of bf16 roof", "of fp32", "peak MiB", "loss"
    ):  # fmt: skip
        table.add_column(heading, justify="right")
    ours = contenders.get("vaekit", next(iter(contenders.values())))["seconds_per_epoch"]
    for name, c in contenders.items():
        table.add_row(
            name,
            f"{c['seconds_per_epoch']:.2f}",
            f"{min(c['seconds']):.2f} to {max(c['seconds']):.2f}",
            f"{c['seconds_per_epoch'] / ours:.2f}",
            f"{c['useful_flops'] / roof['bfloat16']:.0%}",
            f"{c['useful_flops'] / roof['float32']:.0%}",
            f"{c['peak_bytes'] / 2**20:.0f}",
            f"{c['final_loss_nats']:.2f}",
        )
    return table


def main() -> None:
    """Measures what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5, help="that count, after one that does not")
    parser.add_argument("--rounds", nargs="+", default=ROUNDS, help="NETWORKS:BATCH")
    parser.add_argument("--only", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--output", type=Path, default=RESULTS / "training.json")
    chosen = parser.parse_args()
    conditions = machine()
    rounds: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.npy"
        for networks, batch_size in (entry.split(":") for entry in chosen.rounds):
            rows = MnistSpec().load().split("train").rows(0, EXAMPLES[networks])
            np.save(images, rows.x[:, 0].numpy())
            rounds.append(compete(networks, images, int(batch_size), chosen.epochs, chosen.only))
    console = Console(highlight=False, width=110)
    for found in rounds:
        console.print(show(found))
    chosen.output.parent.mkdir(exist_ok=True)
    content = {"machine": conditions, "rounds": rounds}
    chosen.output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"written to {chosen.output}")


if __name__ == "__main__":
    main()
