"""Work in several processes: all of it is done, and it ends when it is told to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import active_children
from pathlib import Path

import pytest
from studies.long_work import refuse, square

from vaekit.studies.processes import in_processes

TESTS = Path(__file__).parents[1]
PROGRAM = """
import sys
from functools import partial
from pathlib import Path
from studies.long_work import save_when_stopped
from vaekit.errors import Interrupted
from vaekit.studies.processes import in_processes

if __name__ == "__main__":
    try:
        list(in_processes(partial(save_when_stopped, Path(sys.argv[1])), range(6), 2))
    except Interrupted as stop:
        sys.exit(stop.exit_code)
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_item_is_done_once(jobs: int) -> None:
    found = dict(in_processes(square, range(5), jobs))
    assert {number: value for number, (value, _) in found.items()} == {n: n**2 for n in range(5)}
    assert (os.getpid() in {process for _, process in found.values()}) == (jobs == 1)


def test_what_goes_wrong_is_told_and_nothing_goes_on() -> None:
    with pytest.raises(ValueError, match="one"):
        list(in_processes(refuse, range(100), 2))
    assert not active_children()


def is_alive(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """A program whose two processes have begun, and these."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    paths = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    parent = subprocess.Popen(
        [sys.executable, str(program), str(tmp_path)], env={**os.environ, "PYTHONPATH": paths}
    )
    wait_for(lambda: len(list(tmp_path.glob("*.begun"))) == 2)
    children = [int(file.read_text(encoding="utf-8")) for file in tmp_path.glob("*.begun")]
    assert all(map(is_alive, children))
    yield parent, children
    parent.kill()
    parent.wait()
    for number in filter(is_alive, children):
        os.kill(number, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_every_process_save_what_it_is_at(
    at_work: tuple[subprocess.Popen[bytes], list[int]], number: signal.Signals, tmp_path: Path
) -> None:
    parent, children = at_work
    parent.send_signal(number)
    assert parent.wait(20) == 130
    assert {file.name for file in tmp_path.glob("*.saved")} == {"0.saved", "1.saved"}
    assert len(list(tmp_path.glob("*.begun"))) == 2
    assert not any(map(is_alive, children))


def test_processes_do_not_outlive_a_parent_that_was_killed(
    at_work: tuple[subprocess.Popen[bytes], list[int]],
) -> None:
    parent, children = at_work
    parent.kill()
    wait_for(lambda: not any(map(is_alive, children)))
