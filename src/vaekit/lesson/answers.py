"""What a quiz asks, and how an answer is judged."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final

from vaekit.lesson.divergence import Divergence
from vaekit.lesson.writing import put_in, result

LETTERS: Final = "abcd"
TOLERANCE: Final = 0.01
"""Nats that a numeric answer may be off: two decimals are enough, rounded either way."""

State: TypeAlias = Literal["right", "wrong", "skipped", "unreadable"]


@final
@dataclass(frozen=True)
class Judgement:
    """What became of an answer, and what there is to say about it."""

    state: State
    remark: str = ""


@final
@dataclass(frozen=True)
class ChoiceQuestion:
    """A question with four answers to choose from.

    Args:
        text: The question.
        choices: The answers; (a) first.
        right: Letter of the right one.
        explanation: Why it is right, and what is wrong with the others.
    """

    text: str
    choices: tuple[str, str, str, str]
    right: str
    explanation: str

    expected = "one of a, b, c, d"

    @property
    def solution(self) -> str:
        """The right answer, as it is shown."""
        return f"({self.right}) {self.choices[LETTERS.index(self.right)]}"

    def judge(self, answer: str) -> Judgement:
        """Compares an answer; capital letters and brackets do not matter."""
        letter = answer.strip().strip("().").lower()
        if not answer.strip():
            return Judgement("skipped")
        if len(letter) != 1 or letter not in LETTERS:
            return Judgement("unreadable")
        return Judgement("right" if letter == self.right else "wrong")


@final
@dataclass(frozen=True)
class KLProblem:
    """A divergence to be computed.

    Args:
        text: The problem.
        dimensions: The q of each latent dimension.
        given_log_variance: Whether log sigma^2 is what the text gives.
    """

    text: str
    dimensions: tuple[Divergence, ...]
    given_log_variance: bool = False

    expected = "a number of nats, as in 1.25"

    @property
    def nats(self) -> float:
        """The answer."""
        return sum(d.nats for d in self.dimensions)

    @property
    def solution(self) -> str:
        """The right answer, as it is shown."""
        return f"{result(self.nats)} nats"

    @property
    def explanation(self) -> str:
        """The computation, a line for each dimension."""
        lines = [
            f"({put_in(d.mu)}² + {put_in(d.sigma**2)} - 1 - {put_in(d.log_variance)}) / 2 "
            f"= {result(d.nats)}"
            for d in self.dimensions
        ]
        start = "KL = (μ² + σ² - 1 - log σ²) / 2 for each dimension:\n"
        total = f"\nand together {result(self.nats)}" if len(lines) > 1 else ""
        return start + "\n".join(lines) + total

    @property
    def mistakes(self) -> Mapping[str, float]:
        """What comes out where one thing is done wrong, by what to say about it."""
        ds = self.dimensions
        found = {
            "That is twice the answer: the factor 1/2 is missing.": 2 * self.nats,
            "That is the answer in bits; nats are asked.": self.nats / math.log(2),
            "That has the sign of the logarithm turned: it is -log σ², which is positive for "
            "a narrow q.": sum(d.nats + d.log_variance for d in ds),
            "That is minus the answer: a divergence is never negative.": -self.nats,
            "That is KL(p || q), the other way round.": sum(_reversed(d) for d in ds),
            "That leaves out the price of the width.": sum(d.from_mean for d in ds),
            "That leaves out the price of the mean.": sum(d.from_width for d in ds),
        }
        if self.given_log_variance:
            taken = sum(_read_as_variance(d) for d in ds)
            found["That takes exp(log σ²) for σ; it is σ² already."] = taken
        else:
            taken = sum(Divergence(d.mu, d.log_variance / 2).nats for d in ds)
            found["That takes σ for σ²: square it first."] = taken
        if len(ds) > 1:
            found["That is the mean over dimensions; they are summed."] = self.nats / len(ds)
        return found

    def judge(self, answer: str) -> Judgement:
        """Compares a number with the answer, and says which slip would explain a wrong one."""
        text = answer.strip().removesuffix("nats").strip()
        if not text:
            return Judgement("skipped")
        try:
            value = float(text)
        except ValueError:
            return Judgement("unreadable")
        if not math.isfinite(value):
            return Judgement("unreadable")
        if abs(value - self.nats) <= TOLERANCE:
            return Judgement("right")
        near = (what for what, slip in self.mistakes.items() if abs(value - slip) <= TOLERANCE)
        return Judgement("wrong", next(near, ""))


def _reversed(d: Divergence) -> float:
    """KL(N(0, 1) || N(mu, sigma^2))."""
    return 0.5 * ((1 + d.mu**2) / d.sigma**2 - 1 + d.log_variance)


def _read_as_variance(d: Divergence) -> float:
    """The KL where exp(log_variance) is taken for the standard deviation."""
    return Divergence(d.mu, 2 * d.log_variance).nats


Question: TypeAlias = ChoiceQuestion | KLProblem
