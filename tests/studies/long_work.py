"""What processes of tests do: a process imports it by its name."""

import os
import time
from pathlib import Path

from vaekit.training import stoppable


def square(number: int) -> tuple[int, int]:
    return number**2, os.getpid()


def refuse(number: int) -> int:
    if number == 1:
        raise ValueError("one")
    time.sleep(0.1)
    return number


def save_when_stopped(folder: Path, number: int) -> None:
    """Goes on for a minute, unless it is stopped; then it leaves a file."""
    with stoppable() as stop:
        begun = folder / f"{number}.begun"
        begun.with_suffix(".new").write_text(str(os.getpid()), encoding="utf-8")
        begun.with_suffix(".new").rename(begun)
        until = time.monotonic() + 60
        while time.monotonic() < until and not stop.requested:
            time.sleep(0.02)
    (folder / f"{number}.saved").touch()
