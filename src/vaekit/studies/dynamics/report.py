"""What the study says: figures, and a table of verdicts that is computed from the results.

<output>/figures/*.png    a set for each grid, and those that all share
<output>/verdict.md       tables of claims, what decides them, the numbers, the verdicts
<output>/verdict.json     the same, with every number
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from vaekit.errors import ArtifactError
from vaekit.figures import save
from vaekit.runs.folder import write, write_json
from vaekit.studies.dynamics import pictures
from vaekit.studies.dynamics.claims import claims, questions
from vaekit.studies.dynamics.findings import Findings
from vaekit.studies.dynamics.study import results_in
from vaekit.studies.dynamics.tables import QUICK, verdict_page, verdict_tree
from vaekit.studies.verdict import verdict_table


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
    contents = results_in(output)
    if not contents:
        raise ArtifactError(
            "There are no results to report.",
            where=output / "results",
            expected="a file for each cell of the grid",
            remedy="run the command without --report-only",
        )
    findings, files = Findings(contents), []
    quick = quick or findings.are_quick
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
