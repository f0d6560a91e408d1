"""Who is told what, in which order, and who may fail."""

import signal
import warnings
from pathlib import Path

import pytest
from training.small_run import STEPS_PER_EPOCH, TOTAL_STEPS, SignalAfter, changed, small_run

from vaekit.errors import Interrupted
from vaekit.training import Listener, Plan, Record

METHODS = ("started", "logged", "stepped", "saving", "finished")


class Diary(Listener):
    """Writes down what it is told; fails where it is asked to."""

    def __init__(
        self, diary: list[str], name: str = "", fails: str = "", may_fail: bool = False
    ) -> None:
        self.diary, self.name, self.fails, self.may_fail = diary, name, fails, may_fail

    def _told(self, method: str, detail: object) -> None:
        self.diary.append(f"{self.name}{method} {detail}".strip())
        if method == self.fails:
            raise ConnectionError("the tracker is away")

    def started(self, plan: Plan) -> None:
        self._told("started", plan.first_step)

    def stepped(self, step: int, reported: Record) -> None:
        assert int(reported.get("step", 0)) <= step
        self._told("stepped", step)

    def logged(self, record: Record) -> None:
        self._told("logged", record["kind"])

    def saving(self, step: int) -> None:
        self._told("saving", step)

    def finished(self) -> None:
        self._told("finished", "")


def test_the_order_of_calls(tmp_path: Path) -> None:
    diary: list[str] = []
    spec = changed(epochs=1, checkpoint_every_seconds=0.0)
    small_run(tmp_path, spec, [Diary(diary)]).run()
    assert diary == [
        "started 0",
        "saving 0",
        *["stepped 1", "saving 1"],
        *["stepped 2", "saving 2"],
        *["stepped 3", "saving 3"],
        *["logged training", "stepped 4", "saving 4"],
        *["stepped 5", "saving 5"],
        *["logged training", "logged validation", "stepped 6", "saving 6"],
        "saving 6",
        "finished",
    ]


def test_one_after_another_and_backwards_at_the_end() -> None:
    diary: list[str] = []
    small_run(spec=changed(epochs=1), listeners=[Diary(diary, "a "), Diary(diary, "b ")]).run()
    assert diary[:2] == ["a started 0", "b started 0"]
    assert diary[-2:] == ["b finished", "a finished"]
    inner = diary[2:-2]
    assert [line.replace("a ", "b ") for line in inner[::2]] == inner[1::2]


def test_going_on_tells_where(tmp_path: Path) -> None:
    diary: list[str] = []
    with pytest.raises(Interrupted):
        small_run(tmp_path, listeners=[SignalAfter(8, signal.SIGINT)]).run()
    small_run(tmp_path, listeners=[Diary(diary)]).run()
    assert diary[:2] == ["started 8", "stepped 9"]


def test_a_finished_run_says_that_it_starts_and_finishes(tmp_path: Path) -> None:
    diary: list[str] = []
    small_run(tmp_path).run()
    small_run(tmp_path, listeners=[Diary(diary)]).run()
    assert diary == [f"started {TOTAL_STEPS}", "finished"]


@pytest.mark.parametrize("method", METHODS)
def test_one_that_may_fail_is_left_out(method: str, tmp_path: Path) -> None:
    """Everybody else is told everything; the run is the same."""
    calm: list[str] = []
    small_run(tmp_path / "calm", listeners=[Diary(calm)]).run()
    diary: list[str] = []
    weak: list[str] = []
    listeners = [Diary(weak, fails=method, may_fail=True), Diary(diary)]
    training = small_run(tmp_path / "shaken", listeners=listeners)
    with pytest.warns(RuntimeWarning, match="the tracker is away") as warned:
        assert training.run().finished
    assert len(warned) == 1
    assert "Diary failed and is left out; training goes on" in str(warned[0].message)
    assert diary == calm
    assert weak[-1].startswith(method)
    assert sum(line.startswith(method) for line in weak) == 1


@pytest.mark.parametrize("method", METHODS)
def test_others_stop_the_run(method: str, tmp_path: Path) -> None:
    diary: list[str] = []
    listeners = [Diary(diary, "a "), Diary(diary, "b ", fails=method), Diary(diary, "c ")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConnectionError):
            small_run(tmp_path, listeners=listeners).run()
    # Whoever was told of the start is told of the end, the one that failed included.
    told = [line.split()[0] for line in diary if "started" in line]
    assert told == (["a", "b"] if method == "started" else ["a", "b", "c"])
    ended = [line.split()[0] for line in diary if "finished" in line]
    assert ended == told[::-1]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, SystemExit])
def test_a_wish_to_leave_is_no_failure(failure: type[BaseException]) -> None:
    class Leaving(Listener):
        may_fail = True

        def stepped(self, step: int, reported: Record) -> None:
            raise failure

    with pytest.raises(failure):
        small_run(listeners=[Leaving()]).run()


def test_the_plan() -> None:
    plans: list[Plan] = []

    class Plans(Listener):
        def started(self, plan: Plan) -> None:
            plans.append(plan)

    small_run(listeners=[Plans()]).run()
    assert plans == [Plan(TOTAL_STEPS, 0, STEPS_PER_EPOCH, 7)]


def test_the_base_class_does_nothing() -> None:
    assert small_run(listeners=[Listener()]).run().finished
