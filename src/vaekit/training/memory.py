"""What to say when a batch does not fit into memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vaekit.errors import SpecError
from vaekit.training.spec import TrainingSpec


@contextmanager
def memory_explained(spec: TrainingSpec) -> Iterator[None]:
    """Turns a lack of memory into an error that names smaller choices.

    Raises:
        SpecError: An allocation inside the block failed.
    """
    try:
        yield
    except RuntimeError as error:  # the CPU's allocator has no class of its own
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise SpecError(
            "A batch does not fit into memory.",
            where="training.batch_size",
            found=f"batch_size = {spec.batch_size} in {spec.accumulate} piece(s)",
            remedy=_smaller(spec),
        ) from error


def _smaller(spec: TrainingSpec) -> str:
    batch, pieces = spec.batch_size, spec.accumulate
    if pieces == batch:
        return "a smaller model or fewer samples per example: the pieces are single examples"
    advice = f"--set training.accumulate={min(2 * pieces, batch)} (the same batch, piece by piece)"
    if pieces > batch // 2:  # half of the batch could not be cut into so many
        return advice
    return f"{advice}, or --set training.batch_size={batch // 2}"
