"""Numbers as they are printed."""

import math
from typing import Any, TypeGuard

from vaekit.figures.style import MINUS


def number(value: float, decimals: int = 2) -> str:
    """Fixed decimals, a proper minus, commas for thousands.

    Example:
        >>> number(1234.567), number(float("inf")), number(-0.001)
        ('1,234.57', '∞', '0.00')
    """
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else f"{MINUS if value < 0 else ''}∞"
    text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def any_number(value: float) -> str:
    """A number of which nothing is known: whole numbers whole, others to four digits.

    Example:
        >>> any_number(12000), any_number(0.00012345), any_number(3.14159)
        ('12,000', '0.0001234', '3.142')
    """
    if isinstance(value, int) or not math.isfinite(value):
        return number(value, 0)
    return f"{value:,.4g}".replace("-", MINUS)


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    Example:
        >>> duration(0.43), duration(193.2), duration(7300)
        ('0.4 s', '3 min 13 s', '2 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min"


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether a JSON value is a number; truth values are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
