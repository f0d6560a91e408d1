"""The one fixed presentation of a split that numbers are computed on.

Evaluation needs random transforms too (dynamic binarisation), but has to see the same draw
every time: "the test set drawn once with a stated seed".
"""

from collections.abc import Iterator
from copy import deepcopy

import torch

from vaekit.data.observation import Observation
from vaekit.data.splits import Split
from vaekit.data.transforms import Transform
from vaekit.numerics import generator_for


def present(
    split: Split,
    transform: Transform,
    seed: int,
    device: torch.device | str,
    most: int | None = None,
    rows_per_block: int = 1000,
) -> Iterator[Observation]:
    """The examples of a split in their original order, drawn once.

    The draw depends on `seed` and `rows_per_block`, and on nothing else: it is made on the
    CPU, so that it is the same whatever the device. Labels in the same order are
    `split.labels()`.

    Args:
        split: What to present, prepared or not.
        transform: How to present it.
        seed: Seed of the draw.
        device: Where observations are needed.
        most: The first so many examples alone.
        rows_per_block: Examples per observation; the last one may have fewer. Numbers are
            comparable at the default only.
    """
    on_cpu = deepcopy(transform).cpu()
    prepared = on_cpu.prepare(split)
    left = len(split) if most is None else most
    for index, rows in enumerate(prepared.blocks(rows_per_block)):
        noise = generator_for(seed, "present", index)
        yield on_cpu(rows.to("cpu"), noise).to(device)[:left]
        left -= len(rows)
        if left <= 0:
            return  # before the next block is read
