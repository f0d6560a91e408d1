"""TensorBoard: event files that `tensorboard --logdir FOLDER` shows.

Scalars with every line of the log, histograms and pictures with every validation, and at the
end the codes, for the embedding projector.
"""

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, final

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from vaekit.errors import MissingExtraError
from vaekit.trackers.snapshot import Snapshot
from vaekit.trackers.subject import Subject
from vaekit.trackers.tracker import Numbers, Tracker, TrackerChoices

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

LARGEST_SPRITE: Final = 8192  # pixels per side that the projector takes


@final
class TensorBoardTracker(Tracker):
    """Writes event files.

    Args:
        subject: The run.
        spec: How it is tracked.
    """

    _writer: "SummaryWriter"

    def __init__(self, subject: Subject, spec: "TensorBoardSpec") -> None:
        super().__init__(subject, spec.images, spec.embeddings)
        self._folder = subject.folder / spec.folder.expanduser()

    def open(self, examples_seen: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._wait_for_the_next_second()
        # What an earlier process told after its last checkpoint is hidden from here on.
        self._writer = SummaryWriter(str(self._folder), purge_step=examples_seen + 1)

    def _wait_for_the_next_second(self) -> None:
        """TensorBoard reads files in the order of their names, which tell the second."""
        names = [path.name for path in self._folder.glob("events.out.tfevents.*")]
        newest = max((int(name.split(".")[3]) for name in names), default=0)
        while newest <= time.time() < newest + 1:
            time.sleep(0.02)

    def numbers(self, examples_seen: int, values: Numbers) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, examples_seen)

    def show(self, examples_seen: int, snapshot: Snapshot) -> None:
        for name, sheet in snapshot.pictures.items():
            self._writer.add_image(name, sheet, examples_seen, dataformats="HWC")
        for name, values in snapshot.histograms.items():
            self._writer.add_histogram(name, values, examples_seen)
        self._writer.flush()

    def close(self, examples_seen: int, snapshot: Snapshot | None, end: str) -> None:
        if snapshot is not None and snapshot.codes is not None:
            self._writer.add_embedding(
                snapshot.codes,
                metadata=None if snapshot.labels is None else snapshot.labels.tolist(),
                label_img=_sprites(snapshot.thumbnails),
                global_step=examples_seen,
                tag="codes",
            )
        self._writer.close()


class TensorBoardSpec(TrackerChoices):
    """Choices of a TensorBoard tracker."""

    kind: Literal["tensorboard"] = "tensorboard"
    folder: Path = Field(
        default=Path("tensorboard"), description="Where to; relative to the folder of the run."
    )
    embeddings: int = Field(
        default=1000, ge=0, description="Held-out examples in histograms and projector."
    )

    def build(self, subject: Subject) -> TensorBoardTracker:
        try:
            import torch.utils.tensorboard  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("tensorboard", "The tracker 'tensorboard'") from error
        return TensorBoardTracker(subject, self)


def _sprites(
    thumbnails: Float[np.ndarray, "examples channels height width"] | None,
) -> Float[Tensor, "examples channels side side"] | None:
    """The thumbnails as squares, so small that the projector takes them all in one picture."""
    if thumbnails is None:
        return None
    largest = LARGEST_SPRITE // math.ceil(math.sqrt(len(thumbnails)))
    side = min(largest, max(thumbnails.shape[2:]))
    return adaptive_avg_pool2d(torch.from_numpy(thumbnails), side)
