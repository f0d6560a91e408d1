"""A search for good settings: an ordinary run for each trial, judged on validation alone.

What was learned about the test split would end up in the choice, so every trial measures the
validation split, whatever the recipe says, and `best.toml` measures what the recipe says. A trial
whose bound at an epoch is below the median of the others there is given up.

    trial000/          the run of the first trial
    search.json        what is searched for; another question is refused
    search.journal     trials, as Optuna keeps them
    search.csv         the same as a table
    best.toml          the recipe with the settings of the best trial
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias, final

from vaekit.errors import ArtifactError, DivergenceError, Interrupted, SpecError
from vaekit.recipes import to_toml
from vaekit.runs.folder import differences, locked, what_is_computed, write, write_json
from vaekit.runs.over import Settings
from vaekit.runs.question import OBJECTIVES, Question, check_question
from vaekit.runs.run import Run
from vaekit.runs.study import ActiveTrial, Study, Tried, check_installed
from vaekit.runs.table import write_csv
from vaekit.runs.train import fit, prepare
from vaekit.training import Listener, Record

BOUNDS: Final = ("elbo_nats", "expected_log_likelihood_nats")
"""What a validation says of a trial: the first that it has."""
Told: TypeAlias = Callable[[int, Settings, int], Sequence[Listener]]
"""Who is told of a trial, given its number, its settings and how many are wanted."""


def search(
    question: Question,
    output: Path | None = None,
    trials: int = 20,
    told: Told = lambda *_: (),
) -> list[Tried]:
    """Tries settings until there are so many trials, those of earlier calls included.

    Args:
        question: What is searched for.
        output: Folder of the trials; by default searches/<name>.
        trials: How many there are in the end.
        told: Who is told of each.

    Raises:
        SpecError: The question makes no sense, or the data has no validation split.
        ArtifactError: The folder belongs to another question.
        MissingExtraError: Optuna is not installed.
        Interrupted: SIGINT or SIGTERM arrived; the same call goes on.
    """
    check_installed()
    check_question(question)
    folder = output or search_folder(question)
    _check_same(question, folder)
    with locked(folder):
        write_json(folder / "search.json", _as_json(question))
        study = Study(folder, question.axes, question.maximize, question.seed, question.prune)
        while sum(one.state != "running" for one in study.tried()) < trials:
            trial = study.next()
            _make(question, trial, folder, told(trial.number, trial.settings, trials))
            _write(question, folder, study.tried())
        return study.tried()


def search_folder(question: Question) -> Path:
    """Where its trials lie by default."""
    return Path("searches", question.base().name)


def trial_folder(folder: Path, number: int) -> Path:
    """Where a trial's run lies."""
    return folder / f"trial{number:03d}"


def best_of(question: Question, tried: Sequence[Tried]) -> Tried | None:
    """The best complete trial, the first of equals."""
    sign = 1 if question.maximize else -1
    complete = [one for one in tried if one.value is not None]
    return max(complete, key=lambda one: sign * (one.value or 0.0), default=None)


def search_rows(folder: Path, question: Question, tried: Sequence[Tried]) -> list[dict[str, Any]]:
    """A line for each trial."""
    return [
        {
            "trial": one.number,
            "state": one.state,
            **one.settings,
            question.objective: one.value,
            "last_bound": one.last_bound,
            "reason": one.reason,
            "folder": str(trial_folder(folder, one.number)),
        }
        for one in tried
    ]


# -- one trial -----------------------------------------------------------------------------------


def _make(
    question: Question, trial: ActiveTrial, folder: Path, listeners: Sequence[Listener]
) -> None:
    """Trains and measures a trial, and writes down what became of it."""
    sign = 1 if question.maximize else -1
    try:
        recipe, place = prepare(question.trial(trial.settings), trial_folder(folder, trial.number))
        run = fit(recipe, place, [*listeners, _Watch(trial, sign)])
        run.finish()
    except _Hopeless:
        trial.give_up()
    except (DivergenceError, SpecError) as error:  # a bad combination is an answer, too
        trial.fail(error.problem)
    except Interrupted as stop:
        remedy = "the same command goes on with this trial"
        raise Interrupted(stop.problem, where=folder, remedy=remedy) from stop
    else:
        trial.complete(_objective(question, run))


def _objective(question: Question, run: Run) -> float:
    results = run.results or {}
    if question.objective not in results:
        numbers = [key for key in OBJECTIVES if key in results]
        raise SpecError(
            "A trial was not measured at what is searched for.",
            where=f"--objective {question.objective}, {run.folder}",
            expected=f"one of {', '.join(numbers)}",
            found=question.objective,
        )
    return float(results[question.objective])


class _Hopeless(Exception):
    """A trial is given up; never leaves this file."""


@final
class _Watch(Listener):
    """Ends a training whose validation bound is worse than that of most."""

    def __init__(self, trial: ActiveTrial, sign: int) -> None:
        self._trial, self._sign = trial, sign

    def logged(self, record: Record) -> None:
        bound = next((record[key] for key in BOUNDS if key in record), None)
        if record["kind"] != "validation" or bound is None:
            return
        if self._trial.is_hopeless(round(float(record["epoch"])), self._sign * float(bound)):
            raise _Hopeless


# -- the folder ----------------------------------------------------------------------------------


def _write(question: Question, folder: Path, tried: list[Tried]) -> None:
    write_csv(folder / "search.csv", search_rows(folder, question, tried))
    best = best_of(question, tried)
    if best is not None:
        recipe = question.asked(best.settings)
        renamed = recipe.model_copy(update={"name": f"{recipe.name}_best"})
        write(folder / "best.toml", to_toml(renamed))


def _as_json(question: Question) -> dict[str, Any]:
    return {
        "recipe": what_is_computed(question.base()),
        "over": {path: value for path, _, value in (t.partition("=") for t in question.over)},
        "objective": question.objective,
        "seed": question.seed,
        "prune": question.prune,
    }


def _check_same(question: Question, folder: Path) -> None:
    file = folder / "search.json"
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    there = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    found = None if there is None else differences(there, _as_json(question))
    if found is None or found:
        raise ArtifactError(
            "The folder holds another search, or something else, and is left alone.",
            where=folder,
            expected="the same question",
            found=("\n" + " " * 12).join(found or ["no search.json"]),
            remedy="choose another folder with --output",
        )
