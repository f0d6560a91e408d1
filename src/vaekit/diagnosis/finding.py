"""What a check answers: a finding with its remedy, nothing, or why it could not look."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias, final

import numpy as np

from vaekit.diagnosis.subject import Subject
from vaekit.figures import Picture

Severity: TypeAlias = Literal["critical", "serious", "minor"]


@final
@dataclass(frozen=True)
class Statistic:
    """The number that decides.

    Args:
        name: What it is, in words, with its unit.
        value: What was measured.
        threshold: Where the trouble begins.
        bad: On which side of the threshold the trouble is.
    """

    name: str
    value: float
    threshold: float
    bad: Literal["above", "below"]

    @property
    def is_bad(self) -> bool:
        """Whether the number lies on the wrong side; one that is no number does."""
        if np.isnan(self.value):
            return True
        if self.bad == "above":
            return self.value > self.threshold
        return self.value < self.threshold

    @property
    def measured(self) -> str:
        """The number, and what is wanted of it."""
        wanted = {"above": "at most", "below": "at least"}[self.bad]
        return f"{in_digits(self.value)} ({wanted} {self.threshold:g} wanted)"

    def __str__(self) -> str:
        return f"{self.name}: {self.measured}"


def in_digits(value: float) -> str:
    """A number for people: four digits, or all before the point where they can be read.

    Example:
        >>> in_digits(0.0012345), in_digits(193800.2), in_digits(9.3e20)
        ('0.001234', '193,800', '9.3e+20')
    """
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e12 else f"{value:.4g}"


@final
@dataclass(frozen=True)
class Remedy:
    """A change of the recipe.

    Args:
        settings: As `--set` takes them; empty where no setting of the recipe would help.
        why: What it does, in a sentence.
    """

    settings: tuple[str, ...]
    why: str


@final
@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Args:
        symptom: What can be seen, in a sentence, with the numbers.
        statistic: What decided.
        cause: What most likely led to it, in this recipe.
        remedy: What to change in this recipe.
        evidence: Further numbers, named with their unit.
        per_dimension: Numbers for every latent dimension, code or the like, by name.
        picture: Draws what there is to see; None where there is nothing.
    """

    symptom: str
    statistic: Statistic
    cause: str
    remedy: Remedy
    evidence: Mapping[str, float] = field(default_factory=dict)
    per_dimension: Mapping[str, list[float]] = field(default_factory=dict)
    picture: Callable[[], Picture] | None = None


@final
@dataclass(frozen=True)
class NotApplicable:
    """Why a check could not look.

    Args:
        reason: In a few words, after the name of the check and a colon.
    """

    reason: str


@final
@dataclass(frozen=True)
class Healthy:
    """That a check has looked and found nothing.

    Args:
        statistic: What decided.
    """

    statistic: Statistic


Answer: TypeAlias = Finding | NotApplicable | Healthy


class Check(ABC):
    """One failure that can be looked for. A check has no state."""

    name: ClassVar[str]
    """As in tables: a word of letters and underscores."""
    title: ClassVar[str]
    """What is wrong, in a few words."""
    severity: ClassVar[Severity]
    """How much of the model is lost to it."""
    symptom: ClassVar[str]
    """What a person sees, whatever the run."""
    needs: ClassVar[str]
    """What it looks at."""
    explains: ClassVar[tuple[str, ...]]
    """Names of checks whose findings follow from this one."""
    reference: ClassVar[str]
    """Where it is described."""

    @abstractmethod
    def examine(self, subject: Subject) -> Answer:
        """Looks at a trained model."""
