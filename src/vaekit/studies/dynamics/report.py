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
from vaekit.studies.dynamics.claims import claims, questions
from vaekit.studies.dynamics.findings import Findings, Setting, seeds_of
from vaekit.studies.dynamics.results import rounded
from vaekit.studies.dynamics.study import results_in
from vaekit.studies.verdict import Claim, verdict_table

NOTES = (
    "Every cell is measured on test examples; a range is over seeds.",
    "On grey pixels the cross-entropy is no likelihood: nats are comparable within the grid only.",
    "Quality of a decoder: log p(x | z) at the posterior mean. Variances: the mean of log variance "
    "over 512 held-out examples and all dimensions, in natural logarithms.",
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
            figure.text(0.5, 0.5, QUICK, fontsize=22, color="#c2410c", alpha=0.35, **middle)
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
    parts = [*((f"**{QUICK}**",) if quick else ()), *(f"- {note}" for note in NOTES)]
    for setting, judged in pages.items():
        parts += ["", f"### {heading(findings, setting)}", "", markdown(_rows(judged))]
    if findings.relatives:
        seeds = ", ".join(map(str, seeds_of(findings.relatives)))
        parts += ["", f"### Other methods (seeds {seeds})", "", markdown(_rows(asked))]
    return "\n".join(parts) + "\n"


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
            }
            for setting, judged in pages.items()
        ],
        "other_methods": [_tree(claim) for claim in asked],
        "linear_deviations": [] if linear is None else linear["deviations"],
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
