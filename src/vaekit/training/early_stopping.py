"""When to give up: no improvement on the validation split for some evaluations."""

from vaekit.errors import SpecError
from vaekit.training.progress import Progress
from vaekit.training.spec import EarlyStoppingSpec, TrainingSpec


def is_best(spec: EarlyStoppingSpec, progress: Progress, value: float, epoch: float) -> bool:
    """Takes in a validation; says whether it is the best so far, to be remembered.

    Args:
        spec: What counts, and how long to wait.
        progress: Where what is remembered is kept; finished when patience has run out.
        value: The watched value in nats, larger is better.
        epoch: When it was measured.
    """
    best = progress.best_value
    if best is None or value > best + spec.min_improvement_nats:
        progress.best_value, progress.best_epoch = value, epoch
        progress.evaluations_since_best = 0
        return True
    progress.evaluations_since_best += 1
    progress.finished = progress.evaluations_since_best >= spec.patience
    return False


def check_watchable(spec: TrainingSpec, has_validation: bool) -> None:
    """Refuses early stopping without anything to watch.

    Raises:
        SpecError: There is no validation data.
    """
    if spec.early_stopping is not None and not has_validation:
        raise SpecError(
            "Early stopping watches a validation split, and there is none.",
            where="training.early_stopping",
            remedy="give validation data, or leave early_stopping out",
        )
