"""Tables of verdicts, in Markdown and as a tree of every number."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from vaekit.runs.table import markdown
from vaekit.studies.dynamics.claims import claims, questions
from vaekit.studies.dynamics.findings import Findings, Setting, seeds_of
from vaekit.studies.dynamics.measures import changes
from vaekit.studies.dynamics.results import Content, rounded
from vaekit.studies.dynamics.statistics import lagged
from vaekit.studies.dynamics.study import results_in
from vaekit.studies.verdict import Claim, verdict_table

NOTES = (
    "Every cell is measured on test examples; a range is over seeds.",
    "On grey pixels the cross-entropy is no likelihood: nats are comparable within the grid only.",
    "Quality of a decoder: log p(x | z) at the posterior mean. Variances: the mean of log variance "
    "over 512 held-out examples and all dimensions, in natural logarithms.",
    "Curves are judged by their running medians; changes are between means of four readings, which "
    "lie evenly on the logarithm of time.",
)
QUICK = "quick run: an epoch each, nothing to conclude from"


def verdict_page(
    findings: Findings, pages: dict[Setting, list[Claim]], asked: list[Claim], quick: bool
) -> str:
    """The tables, for documents."""
    notes = [*NOTES, *cost(findings)]
    parts = [*((f"**{QUICK}**", "") if quick else ()), *(f"- {note}" for note in notes)]
    if len(pages) > 1:
        parts += ["", "### All grids", "", markdown(_summary(pages))]
    for setting, judged in pages.items():
        parts += ["", f"### {heading(findings, setting)}", "", markdown(_rows(judged))]
    if findings.relatives:
        seeds = ", ".join(map(str, seeds_of(findings.relatives)))
        parts += ["", f"### Other methods (seeds {seeds})", "", markdown(_rows(asked))]
    if findings.linear is not None:
        parts += [
            "",
            "### The linear VAE beside its closed form",
            "",
            markdown(exactness(findings.linear)),
        ]
    return "\n".join(parts) + "\n"


def committed_tables(output: Path) -> str:
    """The tables that follow from a folder of results; nothing is written."""
    findings = Findings(results_in(output))
    pages = {setting: claims(findings, setting) for setting in findings.settings}
    return verdict_page(findings, pages, questions(findings), quick=False)


def exactness(linear: Content) -> list[dict[str, str]]:
    """How far trajectories and gradients are from what is known, at the worst."""
    step, rows = linear["settings"]["step_size"], []
    for kind in dict.fromkeys(one["parameter"] for one in linear["deviations"]):
        found = [one["deviation"] for one in linear["deviations"] if one["parameter"] == kind]
        whole, half = (max(both) for both in zip(*found, strict=True))
        pace = 1 if kind == "log variance" else 4
        for size, worst in ((step / pace, whole), (step / pace / 2, half)):
            what = f"log v(t), descended in {kind}, steps of {size:g}"
            rows.append({"what": what, "largest deviation": f"{worst:.2g}"})
    pairs = [
        (measured, exact)
        for row in linear["gradient"]["rows"]
        for measured, exact in zip(row["measured"], row["exact"], strict=True)
    ]
    worst = max(abs(measured / exact - 1) for measured, exact in pairs)
    what = "reconstruction half over v from e^-6 to e^2, by 32,000 draws"
    return [*rows, {"what": what, "largest deviation": f"{100 * worst:.2g} %"}]


def cost(findings: Findings) -> list[str]:
    """What share of the training time the instruments took, and in which precision it ran."""
    machines = [cell["machine"] for cell in findings.grid if "machine" in cell]
    if not machines:
        return []
    shares = [one["seconds_of_instruments"] / max(one["seconds"], 0.1) for one in machines]
    precisions = " and ".join(sorted({one["precision"] for one in machines}))
    return [
        f"Matrix products ran in {precisions} while training; instruments measure in float32, and "
        f"took {100 * min(shares):.0f} to {100 * max(shares):.0f} % of the time."
    ]


def _summary(pages: dict[Setting, list[Claim]]) -> list[dict[str, str]]:
    """The verdict on every claim, by grid."""
    rows: dict[str, dict[str, str]] = {}
    for setting, judged in pages.items():
        for claim in judged:
            rows.setdefault(claim.text, {"claim": claim.text})[str(setting)] = claim.ruling
    return list(rows.values())


def heading(findings: Findings, setting: Setting) -> str:
    """A grid in words, with seeds and epochs."""
    cells = findings.cells(setting)
    seeds = ", ".join(map(str, seeds_of(cells)))
    lengths = sorted({cell["settings"]["epochs"] for cell in cells})
    epochs = " or ".join(map(str, lengths))
    text = f"{setting}; {len(cells)} cells of {epochs} epochs, seeds {seeds}"
    return text[0].upper() + text[1:]


def verdict_tree(
    findings: Findings, pages: dict[Setting, list[Claim]], asked: list[Claim], quick: bool
) -> dict[str, Any]:
    """Everything that was decided, and by what."""
    linear = findings.linear
    return {
        "quick": quick,
        "grids": [
            {
                "data": setting.data,
                "latent_dim": setting.latent_dim,
                "seeds": seeds_of(findings.cells(setting)),
                "claims": [_tree(claim) for claim in judged],
                "correlation_by_lag": correlation_by_lag(findings, setting),
            }
            for setting, judged in pages.items()
        ],
        "other_methods": [_tree(claim) for claim in asked],
        "linear_deviations": [] if linear is None else linear["deviations"],
    }


def correlation_by_lag(findings: Findings, setting: Setting) -> dict[str, list[dict[str, float]]]:
    """Of changes of quality and of log variance; at positive lags the decoder comes first."""
    return {
        f"beta {beta:g}": [rounded(lagged(*changes(cell))) for cell in cells]
        for beta, cells in findings.by_beta(setting)
    }


def _rows(judged: list[Claim]) -> list[dict[str, str]]:
    return [
        {
            "claim": claim.text,
            "what decides": f"{claim.statistic}: {claim.criterion}",
            "measured": row["measured"],
            "verdict": f"**{claim.ruling}**",
        }
        for claim, row in zip(judged, verdict_table(judged), strict=True)
    ]


def _tree(claim: Claim) -> dict[str, Any]:
    ends = {"above", "below"}
    tree = {key: value for key, value in asdict(claim).items() if key not in ends}
    return {**rounded(tree), "holds": claim.criterion, "ruling": claim.ruling}
