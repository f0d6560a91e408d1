"""What the study says: figures, and a table of verdicts that is computed from the results.

<output>/figures/*.png    a set for each grid, and those that all share
<output>/verdict.md       tables of claims, what decides them, the numbers, the verdicts
<output>/verdict.json     the same, with every number
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from vaekit.errors import ArtifactError
from vaekit.figures import save
from vaekit.runs.folder import write, write_json
from vaekit.runs.table import markdown
from vaekit.studies.dynamics import pictures
from vaekit.studies.dynamics.claims import changes, claims, questions
from vaekit.studies.dynamics.findings import Findings, Setting, seeds_of
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


class Written(NamedTuple):
    """What a report consists of."""

    table: list[dict[str, str]]
    files: list[Path]


def report(output: Path, quick: bool = False) -> Written:
    """Draws and judges everything that lies in a folder of results.

    Args:
        output: Folder of the study.
        quick: Say on every figure that the run was a quick one.

    Raises:
        ArtifactError: There are no results.
    """
    findings = Findings(results_in(output))
    if not findings.settings:
        raise ArtifactError(
            "There are no results to report.",
            where=output / "results",
            expected="a file for each cell of the grid",
            remedy="run the command without --report-only",
        )
    files = []
    for name, figure in figures(findings):
        if quick:
            middle = {"ha": "center", "va": "center", "rotation": 15}
            figure.text(0.5, 0.5, QUICK, fontsize=18, color="#c2410c", alpha=0.35, **middle)
        files.append(save(figure, output / "figures" / f"{name}.png"))
    pages = {setting: claims(findings, setting) for setting in findings.settings}
    asked = questions(findings)
    write(output / "verdict.md", verdict_page(findings, pages, asked, quick))
    write_json(output / "verdict.json", verdict_tree(findings, pages, asked, quick))
    table = [row for judged in (*pages.values(), asked) for row in verdict_table(judged)]
    return Written(table, [*files, output / "verdict.md", output / "verdict.json"])


def figures(findings: Findings) -> Iterator[tuple[str, Figure]]:
    """Figures by name, of what there is."""
    for setting in findings.settings:
        end = f"{setting.data}-z{setting.latent_dim}"
        yield f"training-{end}", pictures.training(findings, setting)
        yield f"phase-{end}", pictures.phase(findings, setting)
        yield f"gradients-{end}", pictures.gradients(findings, setting)
        if {0.0, 1.0} <= set(findings.betas(setting)):
            yield f"samples-{end}", pictures.sampled(findings, setting)
        if setting.latent_dim == 2:
            yield f"maps-{end}", pictures.maps(findings, setting)
        if findings.frozen_of(setting):
            yield f"equilibrium-{end}", pictures.equilibrium(findings, setting)
    if findings.linear is not None:
        yield "linear", pictures.linear(findings.linear)
    if findings.relatives:
        yield "relatives", pictures.relatives(findings.relatives)


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
