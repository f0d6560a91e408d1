"""From a folder to what is diagnosed: a run, or an artifact alone."""

from pathlib import Path

from pydantic import ValidationError

from vaekit.diagnosis.subject import Subject
from vaekit.errors import ArtifactError
from vaekit.export import load
from vaekit.recipes import Recipe
from vaekit.runs import Run
from vaekit.training import latest_checkpoint


def open_subject(folder: Path | str) -> Subject:
    """What there is to diagnose in a folder.

    The model is that of the artifact where there is one, else that of the newest checkpoint: a
    run that was stopped by an error is opened, too.

    Args:
        folder: Of a run, or of an artifact alone, which has no log.

    Raises:
        ArtifactError: There is neither, or it is not whole.
        DataError: The data cannot be loaded, or is not what it was.
    """
    path = Path(folder).expanduser()
    if not (path / "recipe.toml").is_file():
        return _of_artifact(path)
    run = Run(path)
    log = run.log if (path / "metrics.jsonl").is_file() else None
    has_checkpoint = latest_checkpoint(path / "checkpoint") is not None
    if run.has_artifact:
        artifact = run.artifact
        done = run.is_finished if has_checkpoint else None
        return Subject(run.recipe, artifact.model, artifact.dataset, artifact.transform, log, done)
    if not has_checkpoint:
        raise ArtifactError(
            "This run has no model to diagnose.",
            where=path,
            expected="a folder artifact/ or checkpoint/",
            found="neither",
            remedy=f"vaekit train --resume {path}",
        )
    return Subject(run.recipe, run.model, run.dataset, run.transform, log, run.is_finished)


def _of_artifact(path: Path) -> Subject:
    artifact = load(path)
    try:
        recipe = Recipe.model_validate(dict(artifact.recipe))
    except ValidationError as error:
        first = error.errors()[0]
        raise ArtifactError(
            "The recipe of the artifact cannot be read by this vaekit, so causes cannot be named.",
            where=f"{path / 'recipe.json'}, key {'.'.join(map(str, first['loc']))}",
            expected=first["msg"],
            remedy=f"use vaekit {artifact.serving.vaekit}, which wrote it",
        ) from error
    return Subject(recipe, artifact.model, artifact.dataset, artifact.transform)
