"""Seconds from the start of `vaekit train mnist` to its first step, on cached data.

A run saves its first checkpoint right before its first step; that is what is waited for.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def seconds_to_first_step() -> float:
    """One run, stopped as soon as it has begun."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Path(folder) / "run" / "checkpoint"
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "vaekit", "train", "mnist", "--output", str(checkpoints.parent)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not (checkpoints.is_dir() and any(checkpoints.iterdir())):
            if process.poll() is not None:
                raise SystemExit(f"the run ended with exit code {process.returncode}")
            time.sleep(0.005)
        taken = time.perf_counter() - began
        process.terminate()
        process.wait()
        return taken


if __name__ == "__main__":
    seconds_to_first_step()  # fetches the data where it is not here yet
    found = sorted(seconds_to_first_step() for _ in range(5))
    print(f"first step after {statistics.median(found):.2f} s ({found[0]:.2f} to {found[-1]:.2f})")
