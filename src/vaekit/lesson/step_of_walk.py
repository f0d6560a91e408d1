"""What a step of the walk is made of: sentences, equations and tables, as data."""

from dataclasses import dataclass
from typing import TypeAlias, final

from vaekit.lesson.model import Parameters
from vaekit.lesson.writing import Equation, Grid, result, signed

Block: TypeAlias = tuple[Equation, ...] | Grid | str


@final
@dataclass(frozen=True)
class Step:
    """One step of the walk.

    Args:
        title: What it is called.
        what: What is computed, in words.
        blocks: Equations, tables and sentences, in the order of reading.
        why: Why it matters.
    """

    title: str
    what: str
    blocks: tuple[Block, ...]
    why: str


@final
@dataclass(frozen=True)
class Update:
    """The step that was taken: parameters and slopes before, parameters after."""

    before: Parameters
    slopes: Parameters
    after: Parameters


def compared(name: str, before: float, after: float) -> tuple[str, ...]:
    """A row of a table: a number before and after the update, and its change."""
    return name, result(before), result(after), signed(after - before)
