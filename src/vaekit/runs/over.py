"""What several runs go over: `--over PATH=...`, of a sweep and of a search.

model.latent_dim=2,8,32                            some values
model.latent_dim=8..64                             whole numbers between two, both included
training.optimizer.learning_rate=1e-4..1e-2:log    numbers between two, by their logarithm
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from vaekit.errors import SpecError

Settings: TypeAlias = dict[str, str]
"""Values as written, by the path of the setting."""


@final
@dataclass(frozen=True)
class Choice:
    """Some values of a setting, as written."""

    values: tuple[str, ...]


@final
@dataclass(frozen=True)
class Range:
    """All numbers between two."""

    low: float
    high: float
    is_log: bool
    is_whole: bool

    @property
    def ends(self) -> tuple[str, str]:
        """The two, as they would be written."""
        as_number = int if self.is_whole else float
        return repr(as_number(self.low)), repr(as_number(self.high))


Axis: TypeAlias = Choice | Range


def choices_over(over: Sequence[str], what: str) -> dict[str, tuple[str, ...]]:
    """Values by the path of their setting, each value once.

    Args:
        over: Texts such as "model.latent_dim=2,8,32".
        what: Who goes over them, for messages, such as "A sweep".

    Raises:
        SpecError: A text names no setting or no values, or a setting comes twice.
    """
    axes: dict[str, tuple[str, ...]] = {}
    form = "PATH=VALUE,VALUE,..., as in model.latent_dim=2,8,32"
    for text, path, values in _parted(over, what, form):
        chosen = _at_commas(values)
        if not all(chosen) or path in axes:
            raise _refused(what, text, form, "the same path again" if path in axes else text)
        axes[path] = tuple(dict.fromkeys(chosen))
    return axes


def axes_over(over: Sequence[str], what: str) -> dict[str, Axis]:
    """Values or ranges by the path of their setting.

    Raises:
        SpecError: As `choices_over`, or a range is none.

    Example:
        >>> axes_over(["a=8..64"], "A search")
        {'a': Range(low=8.0, high=64.0, is_log=False, is_whole=True)}
    """
    axes: dict[str, Axis] = {}
    for path, values in choices_over(over, what).items():
        is_range = len(values) == 1 and ".." in values[0]
        axes[path] = _range(f"{path}={values[0]}", values[0], what) if is_range else Choice(values)
    return axes


def _range(text: str, values: str, what: str) -> Range:
    form = "LOW..HIGH or LOW..HIGH:log, with LOW below HIGH, above 0 for log"
    found = re.fullmatch(r"(.+?)\.\.(.+?)(:log)?", values)
    try:
        ends = [found[1], found[2]] if found else []
        low, high = map(float, ends)
    except ValueError as error:
        raise _refused(what, text, form, values) from error
    is_log = found is not None and found[3] is not None
    if not (math.isfinite(low) and math.isfinite(high) and low < high) or (is_log and low <= 0):
        raise _refused(what, text, form, values)
    return Range(low, high, is_log, all(re.fullmatch(r"[+-]?\d+", end) for end in ends))


def _parted(over: Sequence[str], what: str, form: str) -> Iterator[tuple[str, str, str]]:
    """Each text, its path and what is behind the equals sign."""
    if not over:
        raise SpecError(
            f"{what} needs something to go over.",
            where="--over",
            expected="PATH=VALUE,VALUE,..., as in objective.beta=0.5,1,2",
            found="nothing",
        )
    for text in over:
        path, equals, values = text.partition("=")
        if not (path.strip() and equals):
            raise _refused(what, text, form, text)
        yield text, path.strip(), values


def _refused(what: str, text: str, expected: str, found: str) -> SpecError:
    problem = f"{what} cannot go over this."
    return SpecError(problem, where=f"--over {text}", expected=expected, found=found)


def _at_commas(text: str) -> list[str]:
    """Parts of a text between commas, but not inside of brackets or quotes."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "[{":
            depth += 1
        elif character in "]}":
            depth -= 1
        if character == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]
