"""How formulas, numbers and tables are written, in a terminal and on a page alike.

An equation stands in three lines, so that each can be checked with a pocket calculator:

    mu = w_mu · x + b_mu        the formula
       = 0.5 · 1 + 0.1          the numbers put in
       = 0.600000               the result

Results have six decimals. Numbers that are put in lose their trailing zeros, and stand in
brackets where they are negative. Nothing is computed from rounded numbers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final

DECIMALS: Final = 6
_PLAIN: Final = (1e-4, 1e5)
"""Sizes that are written without a power of ten."""


def result(value: float) -> str:
    """A result, with six decimals, or digits where it is very small or large.

    Example:
        >>> result(0.6), result(-0.0000000001), result(1e9)
        ('0.600000', '-1.000000e-10', '1.000000e+09')
    """
    if value == 0 or _PLAIN[0] <= abs(value) < _PLAIN[1]:
        return f"{value + 0.0:.{DECIMALS}f}"  # adding zero makes -0.0 a zero
    return f"{value:.{DECIMALS}e}"


def put_in(value: float) -> str:
    """A number inside a formula.

    Example:
        >>> put_in(0.5), put_in(-0.30), put_in(2 / 3)
        ('0.5', '(-0.3)', '0.666667')
    """
    text = result(value)
    digits, e, power = text.partition("e")
    text = digits.rstrip("0").rstrip(".") + e + power
    return f"({text})" if value < 0 else text


def signed(value: float) -> str:
    """A change, with its sign.

    Example:
        >>> signed(0.25), signed(-0.25)
        ('+0.250000', '-0.250000')
    """
    return ("+" if value >= 0 else "") + result(value)


def bound(value: float) -> str:
    """The power of ten that a rounding error stays below; not finer than 1e-15.

    The last digits of float64 differ from machine to machine, their size does not.

    Example:
        >>> bound(0.0), bound(2.2e-16), bound(3e-12)
        ('< 1e-15', '< 1e-15', '< 1e-11')
    """
    return f"< 1e{math.floor(math.log10(max(value, 1e-16))) + 1:d}".replace("1e-0", "1e-")


@final
@dataclass(frozen=True)
class Equation:
    """A formula, the same with numbers, and its value.

    Args:
        name: The left side.
        formula: The right side.
        numbers: The right side with numbers; empty where that would say nothing new.
        value: What comes out.
        reason: What the formula says, in words.
    """

    name: str
    formula: str
    numbers: str
    value: float
    reason: str = ""


Role: TypeAlias = Literal["reason", "formula", "result", "space"]


def equation_lines(equations: Sequence[Equation]) -> list[tuple[str, Role]]:
    """Equations below each other, their equals signs in one column; and what each line is.

    Example:
        >>> for line, _ in equation_lines([Equation("z", "μ + σ ε", "1 + 2 · 3", 7.0)]):
        ...     print(line)
        z = μ + σ ε
          = 1 + 2 · 3
          = 7.000000
    """
    width = max(len(equation.name) for equation in equations)
    lines: list[tuple[str, Role]] = []
    for equation in equations:
        if lines:
            lines.append(("", "space"))
        if equation.reason:
            lines.append((equation.reason, "reason"))
        lines.append((f"{equation.name:<{width}} = {equation.formula}", "formula"))
        if equation.numbers:
            lines.append((f"{'':<{width}} = {equation.numbers}", "formula"))
        lines.append((f"{'':<{width}} = {result(equation.value)}", "result"))
    return lines


@final
@dataclass(frozen=True)
class Grid:
    """A table: words to the left, numbers to the right.

    Args:
        headings: One for each column.
        rows: Cells as they are shown.
        words: How many columns, from the left, hold words.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1


def markdown_grid(grid: Grid) -> str:
    """The table as GitHub draws it.

    Example:
        >>> print(markdown_grid(Grid(("what", "nats"), (("KL", "1.0"),))))
        | what | nats |
        | --- | ---: |
        | KL | 1.0 |
    """
    rules = ["---"] * grid.words + ["---:"] * (len(grid.headings) - grid.words)
    rows = [grid.headings, rules, *grid.rows]
    escaped = ([cell.strip().replace("|", r"\|") for cell in cells] for cells in rows)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in escaped)
