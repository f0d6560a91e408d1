"""The one progress bar of the command line."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


def new_bar(console: Console, news: str = "") -> Progress:
    """A bar that goes when it is done; `news` is a text behind it, of the task's fields."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn(news),
        console=console,
        transient=True,
    )
