"""`vaekit diagnose`: what is wrong with a trained model, and what to change."""

import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vaekit.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vaekit.diagnosis import Diagnosis, Remedies

WIDTH: Final = 80
FOUND: Final = 1
"""Exit code of --fail-on-findings."""


def diagnose(
    run: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="Folder of a run, or of an artifact alone."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder of the page and its pictures; by default RUN/diagnosis."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    fail_on_findings: Annotated[
        bool, typer.Option("--fail-on-findings", help="Exit with 1 where something was found.")
    ] = False,
    prove: Annotated[
        bool,
        typer.Option(
            "--prove", help="Instead, provoke every failure, apply its remedy and write the table."
        ),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CASE", help="With --prove: this case; may be repeated."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="With --prove: how many seeds.")] = 3,
) -> None:
    """Say what is wrong with a trained model: symptom, evidence, likely cause, remedy.

    Each remedy is a command that trains the recipe again with a change. Of several findings with
    one root, the root is named. The page, the pictures and findings.json go to RUN/diagnosis. What
    is looked for, and how well it is told apart: docs/failure_modes.md.

    The exit code is 0 with findings, too, unless --fail-on-findings is given.
    """
    if prove:
        _prove(output, only or [], seeds)
        return
    if run is None:
        raise SpecError(
            "There is nothing to diagnose.",
            where="vaekit diagnose",
            expected="the folder of a run, or of an artifact",
            remedy="vaekit diagnose runs/mnist",
        )
    found, remedies, page = _diagnosed(run, output)
    if as_json:
        typer.echo((page.parent / "findings.json").read_text(encoding="utf-8").rstrip())
    else:
        typer.echo("\n".join(report(found, remedies)))
        typer.echo(f"page      {page}")
    if fail_on_findings and found.findings:
        raise typer.Exit(FOUND)


def _diagnosed(run: Path, output: Path | None) -> "tuple[Diagnosis, Remedies, Path]":
    from rich.console import Console

    from vaekit.cli.measures import measuring
    from vaekit.diagnosis import Remedies, open_subject, write_diagnosis
    from vaekit.diagnosis import diagnose as examined
    from vaekit.recipes import to_toml
    from vaekit.runs.folder import write, written_to

    subject = open_subject(run)
    is_run = (run / "recipe.toml").is_file()
    folder = output or (run / "diagnosis" if is_run else run.with_name(f"{run.name}-diagnosis"))
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if console.is_terminal:
        with measuring(console, True) as progress:
            found = examined(subject, progress)
    else:
        found = examined(subject)
    recipe = run / "recipe.toml" if is_run else folder / "recipe.toml"
    if not is_run:  # an artifact has its recipe as JSON, which `vaekit train` does not take
        with written_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
        write(recipe, to_toml(subject.recipe))
    remedies = Remedies(recipe, run.with_name(f"{run.name}-remedied"))
    return found, remedies, write_diagnosis(found, folder, remedies)


# -- the report ----------------------------------------------------------------------------------


def report(found: "Diagnosis", remedies: "Remedies") -> "Iterator[str]":
    """The lines of the report; none is longer than 80 characters, but for commands and paths."""
    named = found.findings
    count = "nothing found" if not named else f"{len(named)} finding{'s' * (len(named) > 1)}"
    yield from _wrapped(
        f"{found.name}: {count}, on {found.examples:,} examples of the {found.split} split."
    )
    for check, finding in named:
        yield ""
        yield f"{check.severity.upper()}: {check.title}"
        yield from _entry("symptom", finding.symptom)
        yield from _entry("decided by", str(finding.statistic))
        yield from _entry("cause", finding.cause)
        yield from _entry("remedy", finding.remedy.why)
        command = remedies.command(finding.remedy)
        yield from _command(command) if command else ()
        yield from _entry("reference", check.reference)
    by = found.explained
    if by:
        yield ""
        yield "Seen as well, and explained by the above:"
        for name, cause in by.items():
            yield from _entry(_words(name), f"follows from {_words(cause)}", width=24)
    yield ""
    if found.healthy:
        yield "Looked for, and not found:"
    for check, statistic in found.healthy:
        yield from _entry(_words(check.name), str(statistic), width=24)
    if found.not_checked:
        yield ""
        yield "Not looked for:"
        for check, reason in found.not_checked:
            yield from _entry(_words(check.name), reason, width=24)
    yield ""


def _words(name: str) -> str:
    return name.replace("_", " ")


def _entry(name: str, text: str, width: int = 14) -> "Iterator[str]":
    yield from _wrapped(f"  {name:<{width - 2}}{text}", indent=width)


def _wrapped(text: str, indent: int = 0) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, subsequent_indent=" " * indent, break_long_words=False, drop_whitespace=True
    )


def _command(command: str) -> "Iterator[str]":
    from vaekit.diagnosis import command_lines

    yield ""
    yield textwrap.indent(command_lines(command), "    ")
    yield ""


# -- the proof -----------------------------------------------------------------------------------


def _prove(output: Path | None, only: list[str], seeds: int) -> None:
    """Provokes failures one after the other; what is finished is kept."""
    from vaekit.diagnosis import CASES, proof_table, prove, write_proof

    names = [case.name for case in CASES]
    unknown = [name for name in only if name not in names]
    if unknown:
        raise SpecError(
            "There is no such case.",
            where="vaekit diagnose --prove --only",
            expected=f"some of {', '.join(names)}",
            found=shlex.join(unknown),
        )
    folder = output or Path("runs", "failures")
    for cell in prove(folder, only or names, range(seeds)):
        line = f"{cell.case:<24} seed {cell.seed}  {cell.stage:<9} {cell.said}"
        print(line, flush=True)
    table = proof_table(folder, range(seeds), only)
    for row in table["failures"]:
        typer.echo(f"{row['case']:<24} {row['verdict']}")
    if not only:
        typer.echo(f"written   {write_proof(folder, range(seeds))}")
