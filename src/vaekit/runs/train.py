"""From a recipe to a run: train, evaluate, draw, report.

The same call continues a run that was stopped, and returns one that is finished.
"""

from collections.abc import Sequence
from pathlib import Path

from vaekit.data import Batches, hide_labels, present
from vaekit.errors import Interrupted
from vaekit.objectives import M2Spec
from vaekit.recipes import Recipe, load_recipe
from vaekit.runs.assembly import assemble
from vaekit.runs.folder import RunFolder
from vaekit.runs.provenance import provenance
from vaekit.runs.run import Run
from vaekit.runs.tracking import subject
from vaekit.training import (
    Frozen,
    Listener,
    MetricsFile,
    Training,
    TrainingData,
    latest_checkpoint,
    resolve,
    warm_start,
)


def train(
    recipe: Recipe | Path | str,
    output: Path | str | None = None,
    listeners: Sequence[Listener] = (),
) -> Run:
    """Trains a recipe, measures, draws, exports and reports the model.

    Args:
        recipe: A recipe, the name of one, or the path of a TOML file.
        output: Folder of the run; by default runs/<name>.
        listeners: Who is told about the course of training.

    Raises:
        SpecError: The recipe cannot be used.
        DataError: The data cannot be read, or is not what it should be.
        ArtifactError: The folder holds another run, or cannot be written to.
        DivergenceError: The loss ran away; the last good state is kept.
        Interrupted: SIGINT or SIGTERM arrived; the state was saved.
        MissingExtraError: The package of a tracker is not installed.
    """
    chosen, folder = prepare(recipe, output)
    run = fit(chosen, folder, listeners)
    run.finish()
    return run


def prepare(recipe: Recipe | Path | str, output: Path | str | None = None) -> tuple[Recipe, Path]:
    """The resolved recipe and the folder of its run; touches nothing."""
    chosen = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    folder = Path("runs", chosen.name) if output is None else Path(output).expanduser()
    chosen = RunFolder(folder).agreed(chosen)
    return chosen.model_copy(update={"training": resolve(chosen.training)}), folder


def fit(recipe: Recipe, folder: Path, listeners: Sequence[Listener] = ()) -> Run:
    """Trains a resolved recipe in a folder, from where it stands to its end."""
    files, run = RunFolder(folder), Run(folder)
    newest = latest_checkpoint(files.checkpoints)
    if newest is not None and run.is_finished:
        return run
    parts = assemble(recipe)
    warm = recipe.training.warm_start
    if newest is None and warm is not None:
        warm_start(parts.model, warm)
    frozen = [] if warm is None else [Frozen(parts.model, warm)]
    dataset, transform, device = parts.dataset, parts.transform, recipe.training.device
    split, labeled = transform.prepare(dataset.split("train")), 0
    if isinstance(recipe.objective, M2Spec):
        labeled = recipe.objective.labeled_of(recipe.training.batch_size)
        split = hide_labels(split, recipe.objective.labeled, recipe.objective.labels_seed)
    validation = dataset.splits.get("validation")
    data = TrainingData(
        Batches(split, recipe.training.batch_size, recipe.seed, device, labeled),
        transform,
        None
        if validation is None
        else lambda: present(validation, transform, recipe.evaluation.seed, device),
    )
    watching = subject(recipe, parts, folder)
    trackers = [spec.build(watching) for spec in recipe.trackers]
    with files.claimed(recipe, provenance(recipe, dataset)):
        training = Training(
            parts.model,
            parts.objective,
            data,
            recipe.training,
            recipe.seed,
            files.checkpoints,
            [MetricsFile(files.metrics_file), *frozen, *listeners, *trackers],
        )
        try:
            training.run()
        except Interrupted as stop:
            raise Interrupted(stop.problem, remedy=f"vaekit train --resume {folder}") from stop
    return run
