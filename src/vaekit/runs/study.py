"""The memory of a search: which settings were tried, and which come next. Speaks to Optuna.

Trials are proposed by the tree-structured Parzen estimator. Its noise in trial t follows from
(seed, t), and everything it learns from lies in a journal on disk, so that a search that was
stopped proposes what an uninterrupted one would have.

Reference:
    Bergstra et al. (2011), Algorithms for Hyper-Parameter Optimization,
    https://papers.nips.cc/paper/4443-algorithms-for-hyper-parameter-optimization
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

from vaekit.errors import MissingExtraError
from vaekit.numerics import derive_seed
from vaekit.runs.over import Axis, Choice, Settings

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.trial import FrozenTrial

TrialState: TypeAlias = Literal["running", "complete", "pruned", "failed"]
JOURNAL = "search.journal"
FIRST_WITHOUT_PRUNING = 5


@final
@dataclass(frozen=True)
class Tried:
    """What is known of one trial."""

    number: int
    settings: Settings
    state: TrialState
    value: float | None
    """The objective, of complete trials."""
    last_bound: float | None
    """The last validation bound that was reported, with the sign of the objective."""
    reason: str
    """Why a trial failed."""


@final
class Study:
    """Trials of one search, on disk.

    Args:
        folder: Where the journal lies.
        axes: What is gone over.
        maximize: Whether a larger objective is better.
        seed: Of what is proposed.
        prune: Whether trials below the median are given up.

    Raises:
        MissingExtraError: Optuna is not installed.
    """

    def __init__(
        self, folder: Path, axes: Mapping[str, Axis], maximize: bool, seed: int, prune: bool
    ) -> None:
        check_installed()
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.ERROR)  # it would tell what we tell
        median = optuna.pruners.MedianPruner(n_startup_trials=FIRST_WITHOUT_PRUNING)
        self._axes, self._seed = axes, seed
        self._study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(folder / JOURNAL))),
            study_name="search",
            direction="maximize" if maximize else "minimize",
            load_if_exists=True,
            pruner=median if prune else optuna.pruners.NopPruner(),
        )

    def next(self) -> "ActiveTrial":
        """The trial that was left in the middle, or else a new one."""
        import optuna

        known = self._study.get_trials(deepcopy=False)
        running = [trial for trial in known if not trial.state.is_finished()]
        number = running[0].number if running else len(known)
        noise = derive_seed(self._seed, "trial", number) % 2**32
        self._study.sampler = optuna.samplers.TPESampler(seed=noise)
        trial = optuna.Trial(self._study, running[0]._trial_id) if running else self._study.ask()
        settings = {path: _suggested(trial, path, axis) for path, axis in self._axes.items()}
        return ActiveTrial(trial, settings)

    def tried(self) -> list[Tried]:
        """Every trial, in order."""
        return [self._read(trial) for trial in self._study.get_trials(deepcopy=False)]

    def _read(self, trial: "FrozenTrial") -> Tried:
        states: dict[str, TrialState] = {
            "COMPLETE": "complete",
            "PRUNED": "pruned",
            "FAIL": "failed",
        }
        reported = trial.intermediate_values
        return Tried(
            trial.number,
            {
                path: _text(trial.params[path], axis)
                for path, axis in self._axes.items()
                if path in trial.params
            },
            states.get(trial.state.name, "running"),
            trial.value if trial.state.name == "COMPLETE" else None,
            reported[max(reported)] if reported else None,
            trial.user_attrs.get("reason", ""),
        )


@final
class ActiveTrial:
    """A trial that is being made."""

    def __init__(self, trial: "Trial", settings: Settings) -> None:
        self._trial, self.settings = trial, settings
        self.number = trial.number

    def is_hopeless(self, epoch: int, value: float) -> bool:
        """Takes in a validation; says whether the trial is worse than half of the others."""
        reported = self._trial.study.trials[self.number].intermediate_values
        if epoch not in reported:  # told again after a checkpoint
            self._trial.report(value, epoch)
        return bool(self._trial.should_prune())  # numpy's, sometimes

    def complete(self, value: float) -> None:
        self._trial.study.tell(self._trial, value)

    def give_up(self) -> None:
        """The trial is pruned."""
        self._tell_state("PRUNED")

    def fail(self, reason: str) -> None:
        self._trial.set_user_attr("reason", reason)
        self._tell_state("FAIL")

    def _tell_state(self, name: str) -> None:
        from optuna.trial import TrialState

        self._trial.study.tell(self._trial, state=TrialState[name])


def check_installed() -> None:
    """Raises MissingExtraError where there is no Optuna."""
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("search", "A search") from error


def _suggested(trial: "Trial", path: str, axis: Axis) -> str:
    if isinstance(axis, Choice):
        return trial.suggest_categorical(path, axis.values)
    if axis.is_whole:
        value = trial.suggest_int(path, int(axis.low), int(axis.high), log=axis.is_log)
    else:
        value = trial.suggest_float(path, axis.low, axis.high, log=axis.is_log)
    return _text(value, axis)


def _text(value: Any, axis: Axis) -> str:
    """A value as a person would write it: six digits are enough, inside the range."""
    if isinstance(axis, Choice) or axis.is_whole:
        return str(value)
    short = f"{value:.6g}"
    return short if axis.low <= float(short) <= axis.high else repr(value)
