"""Weights & Biases: a run in a project, kept in the run's folder or sent as it goes.

Offline, which is the default, nothing leaves the machine; `wandb sync` sends it later.
"""

import os
import secrets
from typing import TYPE_CHECKING, Literal, final

from pydantic import Field

from vaekit.errors import MissingExtraError, SpecError
from vaekit.trackers.run_ids import keep_id, known_id
from vaekit.trackers.snapshot import Snapshot
from vaekit.trackers.subject import Subject
from vaekit.trackers.tracker import Numbers, Tracker, TrackerChoices

if TYPE_CHECKING:
    from wandb import Run


@final
class WandbTracker(Tracker):
    """Tells Weights & Biases.

    Args:
        subject: The run.
        spec: How it is tracked.
    """

    _run: "Run"

    def __init__(self, subject: Subject, spec: "WandbSpec") -> None:
        super().__init__(subject, spec.images, spec.embeddings)
        self._spec = spec

    def open(self, examples_seen: int) -> None:
        import wandb

        folder, online = self.subject.folder, self._spec.mode == "online"
        # Where it could not write, W&B itself would quietly take a temporary folder.
        (folder / "wandb").mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(
            project=self._spec.project,
            mode=self._spec.mode,
            dir=folder,
            id=self._id(),
            resume="allow" if online else None,
            name=self.subject.name,
            config=dict(self.subject.recipe),
            settings=wandb.Settings(silent=True, console="off", disable_git=True, save_code=False),
        )
        self._run.define_metric("*", step_metric="examples_seen")

    def numbers(self, examples_seen: int, values: Numbers) -> None:
        self._log(examples_seen, dict(values))

    def show(self, examples_seen: int, snapshot: Snapshot) -> None:
        import wandb

        pictures = {name: wandb.Image(sheet) for name, sheet in snapshot.pictures.items()}
        spread = {name: wandb.Histogram(v.tolist()) for name, v in snapshot.histograms.items()}
        self._log(examples_seen, {**pictures, **spread})

    def close(self, examples_seen: int, snapshot: Snapshot | None, end: str) -> None:
        self._run.finish(exit_code=0 if end == "FINISHED" else 1)

    def _log(self, examples_seen: int, values: dict[str, object]) -> None:
        # The step has to grow: what a resumed run repeats is then known, and dropped.
        self._run.log({**values, "examples_seen": examples_seen}, step=examples_seen)

    def _id(self) -> str:
        destination = f"wandb {self._spec.project}"
        known = known_id(self.subject.folder, destination)
        if known is None:
            known = secrets.token_hex(4)
            keep_id(self.subject.folder, destination, known)
        return known


class WandbSpec(TrackerChoices):
    """Choices of a Weights & Biases tracker."""

    kind: Literal["wandb"] = "wandb"
    project: str = Field(default="vaekit", min_length=1, description="What the run belongs to.")
    mode: Literal["offline", "online"] = Field(
        default="offline", description="Kept in the run's folder, or sent as it goes."
    )
    embeddings: int = Field(default=1000, ge=0, description="Held-out examples in histograms.")

    def build(self, subject: Subject) -> WandbTracker:
        if self.mode == "offline":
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # it would go to the network
        try:
            import wandb
        except ImportError as error:
            raise MissingExtraError("wandb", "The tracker 'wandb'") from error
        if self.mode == "online" and not wandb.login(prompt=False, verify=False):
            raise SpecError(
                "Weights & Biases does not know who you are.",
                where="a tracker of kind wandb",
                remedy="run `wandb login`, or choose mode = 'offline'",
            )
        return WandbTracker(subject, self)
