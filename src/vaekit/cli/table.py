"""Tables in a terminal, for the verbs that make several runs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

COLUMNS: Final = {
    "nll_nats": ("NLL", 1, ".2f"),
    "elbo_nats": ("-ELBO", -1, ".2f"),
    "kl_nats": ("rate KL", 1, ".2f"),
    "expected_log_likelihood_nats": ("distortion", -1, ".2f"),
    "active_units": ("active", 1, "d"),
    "mse": ("MSE", 1, ".4g"),
    "training_seconds": ("seconds", 1, ".0f"),
}
"""What a result is called in a table, the sign it is shown with, and its form."""


def results_columns(results: Mapping[str, Any] | None) -> dict[str, Any]:
    """Those results that a table of runs has columns for."""
    return {key: results[key] for key in COLUMNS if key in results} if results else {}


def show_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Prints rows; results and settings get short names, everything else is shown as it is."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    keys = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for key in keys:
        heading = COLUMNS[key][0] if key in COLUMNS else shortened(key, keys)
        table.add_column(escape(heading), justify="right")
    for row in rows:
        table.add_row(*(escape(_shown(key, row.get(key))) for key in keys))
    Console(highlight=False).print(table)


def shortened(key: str, keys: Sequence[str]) -> str:
    """The end of a setting's path, from where no other column ends like it."""
    parts = key.split(".")
    ends = (".".join(parts[start:]) for start in reversed(range(len(parts))))
    others = [f".{other}" for other in keys if other != key]
    return next((end for end in ends if not any(o.endswith(f".{end}") for o in others)), key)


def _shown(key: str, value: Any) -> str:
    if value is None:
        return ""
    if key not in COLUMNS:
        return str(value)
    _, sign, form = COLUMNS[key]
    return format(sign * value, form)
