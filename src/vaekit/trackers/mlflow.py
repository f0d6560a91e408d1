"""MLflow: a run in an experiment, in the run's own folder or on a server.

The recipe becomes parameters, the log metrics, pictures artifacts. In the run's own folder
MLflow writes plain files. It would rather have a database, for which sqlalchemy and alembic
have to be installed, and takes files only where it is told that they are meant.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, final

from pydantic import Field

from vaekit.errors import MissingExtraError
from vaekit.trackers.run_ids import keep_id, known_id
from vaekit.trackers.snapshot import Snapshot
from vaekit.trackers.subject import Subject
from vaekit.trackers.tracker import Numbers, Tracker, TrackerChoices

if TYPE_CHECKING:
    from mlflow import MlflowClient

PARAMETERS_AT_ONCE: Final = 100  # as many as MLflow takes
LONGEST_PARAMETER: Final = 6000
SETTINGS: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # a run tracked in its own folder tells nobody else
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # training waits meanwhile: seconds, not minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
"""What MLflow is told unless the environment says otherwise."""


@final
class MLflowTracker(Tracker):
    """Tells an MLflow tracking store.

    Args:
        subject: The run.
        spec: How it is tracked.
    """

    _client: "MlflowClient"
    _run_id: str

    def __init__(self, subject: Subject, spec: "MLflowSpec") -> None:
        super().__init__(subject, spec.images)
        self._spec = spec
        self._told: dict[str, int] = {}

    def open(self, examples_seen: int) -> None:
        self._client = _client(self._spec.tracking_uri or _own_store(self.subject.folder))
        destination = f"mlflow {self._spec.tracking_uri or 'here'} {self._spec.experiment}"
        known = known_id(self.subject.folder, destination)
        if known is None:
            self._run_id = self._new_run()
            keep_id(self.subject.folder, destination, self._run_id)
        else:
            self._run_id = known
            self._client.update_run(known, status="RUNNING")
            self._told = self._last_told()

    def numbers(self, examples_seen: int, values: Numbers) -> None:
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000
        # A resumed run repeats what came after its checkpoint, and MLflow forgets nothing.
        fresh = {k: v for k, v in values.items() if self._told.get(k, -1) < examples_seen}
        metrics = [Metric(name, value, now, examples_seen) for name, value in fresh.items()]
        self._client.log_batch(self._run_id, metrics=metrics)

    def show(self, examples_seen: int, snapshot: Snapshot) -> None:
        for name, sheet in snapshot.pictures.items():
            file = f"{name}/{examples_seen:012d}.png"
            self._client.log_image(self._run_id, sheet, artifact_file=file)

    def close(self, examples_seen: int, snapshot: Snapshot | None, end: str) -> None:
        self._client.set_terminated(self._run_id, end)

    def _new_run(self) -> str:
        from mlflow.entities import Param

        experiment = self._client.get_experiment_by_name(self._spec.experiment)
        where = (
            self._client.create_experiment(self._spec.experiment)
            if experiment is None
            else experiment.experiment_id
        )
        run = self._client.create_run(where, run_name=self.subject.name)
        parameters = [Param(name, text) for name, text in _flat(self.subject.recipe)]
        for start in range(0, len(parameters), PARAMETERS_AT_ONCE):
            some = parameters[start : start + PARAMETERS_AT_ONCE]
            self._client.log_batch(run.info.run_id, params=some)
        return run.info.run_id

    def _last_told(self) -> dict[str, int]:
        names = self._client.get_run(self._run_id).data.metrics
        histories = {n: self._client.get_metric_history(self._run_id, n) for n in names}
        return {name: max(m.step for m in history) for name, history in histories.items()}


class MLflowSpec(TrackerChoices):
    """Choices of an MLflow tracker."""

    kind: Literal["mlflow"] = "mlflow"
    tracking_uri: str | None = Field(
        default=None,
        description="Server or store, such as http://host:5000; by default files in the folder "
        "mlflow of the run.",
    )
    experiment: str = Field(default="vaekit", min_length=1, description="What the run belongs to.")

    def build(self, subject: Subject) -> MLflowTracker:
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        try:
            import mlflow  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("mlflow", "The tracker 'mlflow'") from error
        return MLflowTracker(subject, self)


def _own_store(folder: Path) -> str:
    return (folder / "mlflow").resolve().as_uri()


def _client(uri: str) -> "MlflowClient":
    from mlflow import MlflowClient

    with _files_allowed():
        return MlflowClient(tracking_uri=uri)


@contextmanager
def _files_allowed() -> Iterator[None]:
    """MLflow is asked at the moment a store is opened whether it may be one of files."""
    name = "MLFLOW_ALLOW_FILE_STORE"
    before = os.environ.get(name)
    os.environ[name] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _flat(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf of a tree by its path, as a text."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", str(value)[:LONGEST_PARAMETER]
