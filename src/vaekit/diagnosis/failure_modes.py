"""The page of failure modes: the texts of the checks, and the committed numbers of the proof."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from vaekit.diagnosis.checks import CHECKS
from vaekit.diagnosis.finding import Check
from vaekit.runs.table import markdown

WIDTH: Final = 110
_INTRODUCTION: Final = """\
<!-- Written by docs/make_failure_modes.py from failure_modes.json and the checks themselves. -->

# Failure modes

`vaekit diagnose RUN` looks for what goes wrong with variational autoencoders, and names symptom,
evidence, likely cause and a remedy: a change of this very recipe, as a command that can be run.
Where one finding follows from another, the root is named and the rest is listed below it.

Everything here was provoked on purpose. Each recipe below fails in one known way (they lie in
`src/vaekit/diagnosis/provocations/`); under {seeds} seeds it was trained and diagnosed, the remedy
that the doctor printed was applied, and the recipe was trained and diagnosed again. The range is
over seeds. `vaekit diagnose --prove` makes all of it again, in `runs/failures`, and
`docs/make_failure_modes.py runs/failures/failure_modes.json` writes this page.
"""


def failure_modes_page(table: Mapping[str, Any]) -> str:
    """The page in Markdown.

    Args:
        table: What `proof_table` gives.
    """
    parts = [
        _INTRODUCTION.format(seeds=len(table["seeds"])),
        "## All at once\n",
        markdown([_summary(row) for row in table["failures"]]) + "\n",
        _legend(table),
        "## Healthy recipes\n",
        markdown([_healthy(row) for row in table["healthy"]]) + "\n",
        *(part for check in CHECKS for part in _section(check, table["failures"])),
    ]
    return "\n".join(parts)


def _summary(row: Mapping[str, Any]) -> dict[str, str]:
    named = sum(names[:1] == [row["check"]] for names in row["named"])
    return {
        "failure": f"[{row['check']}](#{row['check']})",
        "recipe": f"`{row['case']}`",
        "statistic": row["statistic"],
        "wanted": _wanted(row),
        "failing": _range(row["failing"]),
        "after the remedy": _range(row["remedied"]),
        "healthy": _range(row["healthy"]),
        "named first": f"{named} of {len(row['named'])}",
        "verdict": row["verdict"],
    }


def _legend(table: Mapping[str, Any]) -> str:
    count = sum(row["verdict"] == "proved" for row in table["failures"])
    return (
        f"{count} of {len(table['failures'])} failures are proved: named first under every seed, "
        "back within the\nthreshold after the remedy, and no healthy run beyond it. `healthy` is "
        "over all healthy recipes and\nseeds to which the check applies.\n"
    )


def _healthy(row: Mapping[str, Any]) -> dict[str, str]:
    quiet = sum(not names for names in row["named"].values())
    return {
        "recipe": f"`{row['case']}`",
        "what": row["what"],
        "nothing found": f"{quiet} of {len(row['named'])} seeds",
        "found": ", ".join(sorted({name for names in row["named"].values() for name in names})),
    }


def _section(check: Check, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"## {check.name}\n"
    yield _wrapped(f"**{check.title}.** {check.symptom}") + "\n"
    yield f"- Severity: {check.severity}. Looks at: {check.needs}."
    if check.explains:
        yield _wrapped(f"- Explains: {', '.join(check.explains)}.", indent=2)
    yield _wrapped(f"- Reference: {check.reference}.", indent=2) + "\n"
    for row in rows:
        if row["check"] != check.name:
            continue
        settings = " ".join(f"--set '{setting}'" for setting in row["remedy"])
        yield _wrapped(f"Provoked by {row['provoked_by']} (`{row['case']}`); remedy:") + "\n"
        yield f"    {settings}\n"
        if row["factor"] > 1:
            yield f"It has to be better by a factor of {row['factor']:g} at least.\n"
        yield markdown(list(_measured(row))) + "\n"
        others = [name for names in row["named"] for name in names if name != check.name]
        if row["explained"]:
            seen = f"Seen as well, and explained by it: {', '.join(row['explained'])}."
            yield _wrapped(seen) + "\n"
        if others:
            yield f"Named besides: {', '.join(sorted(set(others)))}.\n"


def _measured(row: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for number, seed in enumerate(row["seeds"]):
        left = row["named_after_remedy"][number]
        yield {
            "seed": str(seed),
            row["statistic"]: _number(row["failing"][number]),
            "after the remedy": _number(row["remedied"][number]),
            "named": ", ".join(row["named"][number]) or "nothing",
            "named after the remedy": "not run" if left is None else ", ".join(left) or "nothing",
        }


def _wrapped(text: str, indent: int = 0) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _wanted(row: Mapping[str, Any]) -> str:
    return f"{'at most' if row['bad'] == 'above' else 'at least'} {row['threshold']:g}"


def _range(values: Sequence[float | None]) -> str:
    """From the smallest to the largest.

    Example:
        >>> _range([1.0, 2.5]), _range([3.0]), _range([])
        ('1 to 2.5', '3', '')
    """
    if not values:
        return ""
    finite = [value for value in values if value is not None]
    if len(finite) < len(values):
        return "not finite" if not finite else f"{min(finite):.3g} to not finite"
    low, high = min(finite), max(finite)
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"


def _number(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.3g}"
