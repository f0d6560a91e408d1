"""The study as a list of tasks, of which each leaves one file when it is done.

    <output>/results/<task>.json    what a task found
    <work>/<task>/                  its state while it goes on

A task whose file is there is not done again, whoever computed it: results can be committed, and a
later checkout goes on with what is missing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias, final

from vaekit.errors import ArtifactError
from vaekit.runs.folder import written_to
from vaekit.studies.dynamics.cells import Cell
from vaekit.studies.dynamics.experiment import carry_out
from vaekit.studies.dynamics.frozen import FrozenDecoder, carry_out_frozen
from vaekit.studies.dynamics.linear import LinearCheck, carry_out_linear
from vaekit.studies.dynamics.results import Content, read_result, write_result
from vaekit.studies.processes import in_processes
from vaekit.training import Listener

Task: TypeAlias = Cell | FrozenDecoder | LinearCheck


@final
@dataclass(frozen=True)
class Places:
    """Where results and states lie."""

    output: Path
    work: Path

    def result(self, task: Task) -> Path:
        """The file of a task."""
        return self.output / "results" / f"{task.name}.json"


def missing(tasks: Sequence[Task], places: Places) -> list[Task]:
    """Tasks that have no result yet.

    Raises:
        ArtifactError: A result is of another set-up.
    """
    left = []
    for task in dict.fromkeys(tasks):
        path = places.result(task)
        if not path.exists():
            left.append(task)
            continue
        found = read_result(path)["settings"]
        if found != task.settings:
            raise ArtifactError(
                "The folder holds a result of another set-up, which is not overwritten.",
                where=path,
                expected=task.settings,
                found=found,
                remedy="choose another folder with --output, or the --epochs of that one",
            )
    return left


def perform(task: Task, places: Places, listeners: Sequence[Listener] = ()) -> Path:
    """Does one task and writes its result; goes on where it was stopped."""
    if isinstance(task, Cell):
        content = carry_out(task, places.work, listeners)
    elif isinstance(task, FrozenDecoder):
        content = carry_out_frozen(task, places.work, listeners)
    else:
        content = carry_out_linear(task)
    path = places.result(task)
    with written_to(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_result(path, content)
    return path


def perform_all(
    tasks: Sequence[Task],
    places: Places,
    jobs: int = 1,
    listeners: Callable[[Task], Sequence[Listener]] = lambda _: (),
) -> Iterator[Task]:
    """Does tasks, `jobs` at a time, each on one thread; yields each when it is done.

    Args:
        tasks: What is to be done.
        places: Where.
        jobs: Processes at a time; one works in this process.
        listeners: Who is told about a training; heard with one job only.

    Raises:
        Interrupted: SIGINT or SIGTERM arrived; the same call goes on.
    """
    if jobs == 1:
        for task in tasks:
            perform(task, places, listeners(task))
            yield task
        return
    for task, _ in in_processes(partial(perform, places=places), tasks, jobs):
        yield task


def results_in(output: Path) -> list[Content]:
    """Every result in a folder, whatever was asked for this time."""
    return [read_result(path) for path in sorted((output / "results").glob("*.json"))]
