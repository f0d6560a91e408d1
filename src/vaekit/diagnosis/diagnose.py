"""All checks on one model, and what is left when consequences are told from causes."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from vaekit.diagnosis.checks import CHECKS
from vaekit.diagnosis.finding import Answer, Check, Finding, Healthy, NotApplicable, Statistic
from vaekit.diagnosis.subject import Subject
from vaekit.numerics import fast_float32_products

RANK: Final = {"critical": 0, "serious": 1, "minor": 2}


@final
@dataclass(frozen=True)
class Diagnosis:
    """What was found, what follows from it, what is sound, and what could not be looked at.

    Args:
        name: Of the recipe.
        split: That held-out examples are of.
        examples: How many were looked at.
        answers: Of every check, by its name.
        seconds: What it took.
    """

    name: str
    split: str
    examples: int
    answers: Mapping[str, Answer]
    seconds: float = 0.0

    @property
    def findings(self) -> list[tuple[Check, Finding]]:
        """What is wrong, the most severe first; without what something else explains."""
        named = [(c, f) for c, f in self._found() if c.name not in self.explained]
        return sorted(named, key=lambda pair: RANK[pair[0].severity])

    @property
    def explained(self) -> dict[str, str]:
        """Checks that found something, by name, and the name of the check that explains it."""
        return {
            consequence.name: cause.name
            for consequence, _ in self._found()
            for cause, _ in reversed(self._found())
            if consequence.name in cause.explains
        }

    @property
    def consequences(self) -> list[tuple[Check, Finding, Check]]:
        """What else was found, each with the check that explains it."""
        checks = {check.name: check for check, _ in self._found()}
        by = self.explained
        return [(c, f, checks[by[c.name]]) for c, f in self._found() if c.name in by]

    @property
    def healthy(self) -> list[tuple[Check, Statistic]]:
        """What was looked at and is sound."""
        return [
            (check, answer.statistic)
            for check in CHECKS
            if isinstance(answer := self.answers.get(check.name), Healthy)
        ]

    @property
    def not_checked(self) -> list[tuple[Check, str]]:
        """What could not be looked at, and why."""
        return [
            (check, answer.reason)
            for check in CHECKS
            if isinstance(answer := self.answers.get(check.name), NotApplicable)
        ]

    def statistic(self, name: str) -> Statistic | None:
        """What decided a check, where it could look."""
        answer = self.answers.get(name)
        return None if answer is None or isinstance(answer, NotApplicable) else answer.statistic

    def as_json(self) -> dict[str, Any]:
        """Everything but the pictures; numbers that JSON does not know are None."""
        return {
            "name": self.name,
            "split": self.split,
            "examples": self.examples,
            "findings": [_finding(check, finding) for check, finding in self.findings],
            "explained": [
                {
                    "check": check.name,
                    "by": cause.name,
                    "statistic": _statistic(finding.statistic),
                }
                for check, finding, cause in self.consequences
            ],
            "healthy": [
                {"check": check.name, "statistic": _statistic(statistic)}
                for check, statistic in self.healthy
            ],
            "not_checked": [
                {"check": check.name, "reason": reason} for check, reason in self.not_checked
            ],
            "seconds": round(self.seconds, 2),
        }

    def _found(self) -> list[tuple[Check, Finding]]:
        return [
            (check, answer)
            for check in CHECKS
            if isinstance(answer := self.answers.get(check.name), Finding)
        ]


def diagnose(
    subject: Subject,
    progress: Callable[[str, float], None] = lambda check, share: None,
    checks: Sequence[Check] = CHECKS,
) -> Diagnosis:
    """Looks for everything that is known to go wrong.

    Args:
        subject: A trained model, with its log where there is one.
        progress: Told what is looked for, and which share of the checks is done.
        checks: Which to make.
    """
    start, answers = time.perf_counter(), dict[str, Answer]()
    with fast_float32_products():
        for number, check in enumerate(checks):
            progress(check.title, number / len(checks))
            answers[check.name] = check.examine(subject)
    return Diagnosis(
        name=subject.recipe.name,
        split=subject.split,
        examples=len(subject.shown),
        answers=answers,
        seconds=time.perf_counter() - start,
    )


def _finding(check: Check, finding: Finding) -> dict[str, Any]:
    return {
        "check": check.name,
        "title": check.title,
        "severity": check.severity,
        "symptom": finding.symptom,
        "statistic": _statistic(finding.statistic),
        "cause": finding.cause,
        "remedy": {"settings": list(finding.remedy.settings), "why": finding.remedy.why},
        "evidence": {name: _number(value) for name, value in finding.evidence.items()},
        "per_dimension": {
            name: [_number(value) for value in values]
            for name, values in finding.per_dimension.items()
        },
        "reference": check.reference,
    }


def _statistic(statistic: Statistic) -> dict[str, Any]:
    return {
        "name": statistic.name,
        "value": _number(statistic.value),
        "threshold": statistic.threshold,
        "bad": statistic.bad,
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
