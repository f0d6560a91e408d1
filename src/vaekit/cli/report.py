"""What `vaekit train` shows: a progress bar or plain lines, and a table at the end."""

import math
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, final

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID

from vaekit.cli.answers import counted
from vaekit.cli.bar import new_bar
from vaekit.cli.measures import SECONDS_BETWEEN_LINES, measures_table, measuring, protocol_lines
from vaekit.training import Listener, Plan, Record

if TYPE_CHECKING:
    from vaekit.recipes import Recipe
    from vaekit.runs import Run


@final
class Reporter(Listener):
    """Tells a person, in a terminal or in a log file, how a run goes.

    Args:
        quiet: Lines for validations only, even in a terminal.
    """

    def __init__(self, quiet: bool) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self.quiet = quiet
        self.has_bar = self.console.is_terminal and not quiet
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._plan: Plan | None = None
        self._rate = _Rate()
        self._line_at = -math.inf

    def announce(self, recipe: "Recipe", folder: Path) -> None:
        """Says what is about to happen, before data and libraries are loaded."""
        where = f"{recipe.training.device}, {recipe.training.precision}"
        count = recipe.training.threads
        threads = f", {counted(count, 'thread')}" if count and where.startswith("cpu") else ""
        self._print(f"[bold]{recipe.name}[/]  {escape(recipe.description)}".rstrip())
        epochs = counted(recipe.training.epochs, "epoch")
        self._print(f"{epochs} on {where}{threads}; in {escape(str(folder))}")

    # -- training ----------------------------------------------------------------------------

    def started(self, plan: Plan) -> None:
        self._plan = plan
        for warning in plan.warnings:
            self._warn(warning)
        if plan.first_step:
            epoch = plan.first_step / plan.steps_per_epoch
            self._print(f"continuing after step {plan.first_step:,} (epoch {epoch:.1f})")
        self._rate = _Rate(plan.first_step)
        if self.has_bar:
            self._bar = new_bar(self.console, "{task.fields[news]}")
            self._task = self._bar.add_task(
                "training", total=plan.total_steps, completed=plan.first_step, news=""
            )
            self._bar.start()

    def stepped(self, step: int, reported: Record) -> None:
        if self._bar is not None and self._rate.is_due():
            self._bar.update(self._task, completed=step, news=self._news(step, reported))

    def logged(self, record: Record) -> None:
        validates = record["kind"] == "validation"
        late = time.monotonic() - self._line_at > SECONDS_BETWEEN_LINES
        if self.has_bar or not (validates or (late and not self.quiet)):
            return
        self._line_at = time.monotonic()
        self._print(f"epoch {float(record['epoch']):7.2f}  {record['kind']:<10}  {_terms(record)}")

    def finished(self) -> None:
        self._stop_bar()

    def _news(self, step: int, reported: Record) -> str:
        speed = self._rate.at(step) * (self._plan.batch_size if self._plan else 0)
        return "  ".join(filter(None, [_terms(reported), f"{speed:,.0f} examples/s"]))

    # -- evaluation --------------------------------------------------------------------------

    def finishing(self, run: "Run") -> None:
        """Draws, measures, exports and reports a trained run, with a bar of its own."""
        with measuring(self.console, self.has_bar) as progress:
            run.finish(progress)

    def summarise(self, run: "Run") -> None:
        """The table of results, and where everything is."""
        if self._plan is None:
            self._print("this run was trained already; --output FOLDER begins another one")
        results = run.results
        if results is not None:
            title = f"{run.recipe.name} on {results['data']}"
            self.console.print(measures_table(title, results))
            self._print(protocol_lines(results))
        for what, where in {
            "report": run.folder / "report.html",
            "pictures": run.folder / "figures",
            "artifact": run.folder / "artifact",
        }.items():
            self._print(f"{what:<9} {escape(str(where))}")

    # -- the terminal ------------------------------------------------------------------------

    @contextmanager
    def warnings_shown(self) -> Iterator[None]:
        """Inside the block, what libraries warn of becomes a line above the bar."""
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *place, **more: self._warn(str(message))
            yield

    def _warn(self, text: str) -> None:
        self._print(f"[yellow]warning:[/] {escape(' '.join(text.split()))}")

    def _print(self, text: str) -> None:
        self.console.print(text)

    def _stop_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class _Rate:
    """Steps per second, and when it is time to show them again."""

    def __init__(self, step: int = 0) -> None:
        self._step, self._since, self._shown = step, time.monotonic(), -math.inf

    def is_due(self) -> bool:
        """Whether a tenth of a second has passed: the eye needs no more."""
        now = time.monotonic()
        if now - self._shown < 0.1:
            return False
        self._shown = now
        return True

    def at(self, step: int) -> float:
        """Steps per second since the beginning."""
        return (step - self._step) / max(time.monotonic() - self._since, 1e-9)


def _terms(record: Record) -> str:
    """The terms of a log record in nats, as losses."""
    names = {"elbo_nats": "-ELBO", "iwae_nats": "-IWAE", "kl_nats": "KL"}
    if "elbo_nats" not in record:
        names = {"expected_log_likelihood_nats": r"-E\[log p(x|z)]"}
    parts = [
        f"{name} {abs(float(record[key])) if name == 'KL' else -float(record[key]):.2f}"
        for key, name in names.items()
        if key in record
    ]
    return "  ".join(parts)
