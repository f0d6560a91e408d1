"""A run on disk: its recipe, log and results, and the model it trained."""

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, final

from vaekit.artifacts import SUMS
from vaekit.data import Dataset, Transform
from vaekit.errors import ArtifactError
from vaekit.evaluation import Progress, Results, evaluate
from vaekit.export import Artifact, Trained, export, load
from vaekit.models import Model
from vaekit.objectives import bound_notes
from vaekit.recipes import Recipe
from vaekit.runs.assembly import Assembly, assemble
from vaekit.runs.folder import RunFolder, write, write_json
from vaekit.runs.tracking import subject
from vaekit.trackers import tell_results
from vaekit.training import (
    Record,
    kept_weights,
    latest_checkpoint,
    load_checkpoint,
    read_metrics,
)
from vaekit.training.checkpoint import Checkpoint

if TYPE_CHECKING:
    from vaekit.figures import Picture


@final
class Run:
    """What one training run left behind, read when it is asked for.

    Args:
        folder: Where it lies.
    """

    def __init__(self, folder: Path) -> None:
        self._files = RunFolder(folder)
        self.folder = folder

    @cached_property
    def recipe(self) -> Recipe:
        """The resolved recipe."""
        return self._files.recipe()

    @property
    def log(self) -> list[Record]:
        """The lines of `metrics.jsonl`."""
        return read_metrics(self._files.metrics_file)

    @property
    def is_finished(self) -> bool:
        """Whether training has come to its end."""
        return bool(self._checkpoint().numbers["finished"])

    @property
    def training_seconds(self) -> float:
        """Time spent in training steps and validation, pauses left out."""
        return float(self._checkpoint().numbers["seconds"])

    @cached_property
    def _assembly(self) -> Assembly:
        return assemble(self.recipe)

    @property
    def dataset(self) -> Dataset:
        return self._assembly.dataset

    @property
    def transform(self) -> Transform:
        return self._assembly.transform

    @cached_property
    def model(self) -> Model:
        """The trained model, with the weights that are kept, ready to use."""
        model = self._assembly.model
        model.load_state_dict(kept_weights(self._checkpoint().tensors))
        return model.eval()

    @property
    def results(self) -> Results | None:
        """What the model was measured at; None before `evaluate`."""
        file = self._files.results_file
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None

    def evaluate(self, progress: Progress = lambda measure, share: None) -> Results:
        """Measures the model as the recipe says, keeps the results and tells the trackers.

        Args:
            progress: Told what is being measured, and which share of it is done.
        """
        device = self.recipe.training.device
        spec = self.recipe.evaluation
        results = evaluate(self.model, self.dataset, self.transform, spec, device, progress)
        results["training_seconds"] = self.training_seconds
        results["notes"] += bound_notes(self.recipe.objective)
        write_json(self._files.results_file, results)
        self._tell_trackers(results)
        return results

    def finish(self, progress: Progress = lambda measure, share: None) -> None:
        """Draws, measures, exports and reports a trained run; does nothing twice."""
        if self.results is None:
            progress("pictures", 0.0)
            self.draw()
            self.evaluate(progress)
        if not self.has_artifact:
            progress("artifact", 0.0)
            self.export()
        if not self.has_report:
            progress("report", 0.0)
            self.report()

    def draw(self) -> list[Path]:
        """Draws the pictures of the run into its folder; returns where they are."""
        from vaekit.runs.pictures import save_pictures  # matplotlib would delay the first step

        return save_pictures(self._pictures, self._files.figures)

    @property
    def has_report(self) -> bool:
        """Whether there is a `report.html`."""
        return self._files.report_file.is_file()

    def report(self) -> Path:
        """Writes `report.html`, with the results there are; returns where it is."""
        from vaekit.runs.report import report_html

        file = self._files.provenance_file
        origin = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        results = self.results or {}
        page = report_html(self.recipe, self.dataset, results, origin, self._pictures)
        write(self._files.report_file, page)
        return self._files.report_file

    @cached_property
    def _pictures(self) -> "list[Picture]":
        from vaekit.runs.pictures import pictures

        return pictures(self.model, self.dataset, self.transform, self.recipe, self.log)

    def _tell_trackers(self, results: Results) -> None:
        if self.recipe.trackers:
            watching = subject(self.recipe, self._assembly, self.folder)
            seen = int(self.log[-1]["examples_seen"])
            tell_results(self.recipe.trackers, watching, seen, results)

    @property
    def has_artifact(self) -> bool:
        """Whether the trained model was exported."""
        return (self._files.artifact / SUMS).is_file()

    @property
    def artifact(self) -> Artifact:
        """The exported model, verified and loaded."""
        return load(self._files.artifact)

    def export(self) -> Path:
        """Writes `artifact/`, the folder that everything downstream takes.

        Raises:
            ArtifactError: Training has not come to its end.
        """
        if not self.is_finished:
            raise ArtifactError(
                "This run is still training, so its model is not exported.",
                where=self.folder,
                remedy=f"vaekit train --resume {self.folder}",
            )
        provenance = json.loads(self._files.provenance_file.read_text(encoding="utf-8"))
        trained = Trained(
            recipe=self.recipe.model_dump(mode="json"),
            model=self.model,
            transform=self.transform,
            dataset=self.dataset,
            results=self.results or {},
            provenance=provenance,
        )
        return export(self._files.artifact, trained)

    def _checkpoint(self) -> Checkpoint:
        newest = latest_checkpoint(self._files.checkpoints)
        if newest is None:
            raise ArtifactError(
                "This run has no checkpoint yet.",
                where=self._files.checkpoints,
                remedy=f"vaekit train --resume {self.folder}",
            )
        return load_checkpoint(newest)


def open_run(folder: Path | str) -> Run:
    """The run in a folder.

    Raises:
        ArtifactError: There is no run in it.
    """
    run = Run(Path(folder))
    _ = run.recipe  # complains where there is none
    return run
