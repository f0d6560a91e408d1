"""A diagnosis on disk: findings.json, the pictures, and one page that needs nothing else."""

import shlex
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, final

from jinja2 import Environment, StrictUndefined, Template

from vaekit.diagnosis.diagnose import Diagnosis
from vaekit.diagnosis.finding import Check, Finding, Remedy, in_digits
from vaekit.figures import Embedded, embedded, report_style, save
from vaekit.runs.folder import write, write_json, written_to


@final
class Remedies:
    """The command that trains the recipe again with a change.

    Args:
        recipe: Where the recipe of the run lies.
        output: Folder of the new run.
    """

    def __init__(self, recipe: Path, output: Path) -> None:
        self.recipe, self.output = recipe, output

    def command(self, remedy: Remedy) -> str:
        """The whole command; empty where no setting helps."""
        if not remedy.settings:
            return ""
        settings = (f"--set {shlex.quote(setting)}" for setting in remedy.settings)
        where = shlex.quote(str(self.recipe)), shlex.quote(str(self.output))
        return f"vaekit train {where[0]} {' '.join(settings)} --output {where[1]}"


def command_lines(command: str) -> str:
    r"""A command that can be copied, a setting on each line.

    Example:
        >>> print(command_lines("vaekit train r.toml --set a=1 --output r-2"))
        vaekit train r.toml \
          --set a=1 \
          --output r-2
    """
    return " \\\n  --".join(command.split(" --"))


def write_diagnosis(diagnosis: Diagnosis, folder: Path, remedies: Remedies) -> Path:
    """Writes everything into a folder; returns where the page is.

    Raises:
        ArtifactError: It cannot be written to.
    """
    with written_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    tree = diagnosis.as_json()
    shown: list[Embedded | None] = []
    for item, (_, finding) in zip(tree["findings"], diagnosis.findings, strict=True):
        item["remedy"]["command"] = remedies.command(finding.remedy)
        picture = None if finding.picture is None else finding.picture()
        shown.append(None if picture is None else embedded(picture))
        if picture is not None:
            item["picture"] = save(picture.figure, folder / f"{item['check']}.png").name
    write_json(folder / "findings.json", tree)
    page = folder / "index.html"
    write(page, _page(diagnosis, tree, shown))
    return page


def _page(diagnosis: Diagnosis, tree: dict[str, Any], shown: list[Embedded | None]) -> str:
    found: list[tuple[Check, Finding]] = diagnosis.findings
    return _template().render(
        diagnosis=diagnosis,
        style=report_style(),
        found=[
            (check, finding, item, picture)
            for (check, finding), item, picture in zip(found, tree["findings"], shown, strict=True)
        ],
    )


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(command_lines=command_lines, in_digits=in_digits, words=_words)
    file = resources.files("vaekit.diagnosis") / "page.html.jinja"
    return environment.from_string(file.read_text(encoding="utf-8"))


def _words(name: str) -> str:
    """The name of a number, whose unit comes last."""
    name, unit = (name[: -len("_nats")], ", in nats") if name.endswith("_nats") else (name, "")
    return name.replace("_", " ").replace("kl", "KL") + unit
