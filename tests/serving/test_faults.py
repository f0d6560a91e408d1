"""What goes wrong around a service that runs: it says so, and answers on."""

import contextlib
import json
import re
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from serving.folders import alias
from serving.own_process import (
    ARTIFACT,
    Running,
    X,
    ask,
    children,
    serving,
    wait_until,
    wait_until_ready,
)

from vaekit.serving.keys import new_key
from vaekit.serving.segments import read

SCORE = "/v1/models/toy/score"
ASKED = {"x": X.tolist(), "num_samples": 2}


def metric(running: Running, name: str, **headers: Any) -> float:
    """The sum of a metric, over its labels."""
    page = running.ask("/metrics", **headers)[1]
    found = re.findall(rf"^vaekit_{name}(?:\{{.*\}})? (\S+)$", page, re.M)
    return sum(map(float, found))


def events(running: Running, event: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, running.lines) if line["event"] == event]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder of models with two versions of one."""
    for version in ("1", "2"):
        shutil.copytree(ARTIFACT, tmp_path / "models" / "toy" / "versions" / version)
    alias(tmp_path / "models", "toy", '{"live": "1"}')
    return tmp_path / "models"


def test_a_damaged_artifact_that_is_dropped_in_changes_nothing(models: Path) -> None:
    (models / "toy" / "aliases.json").unlink()  # what is highest is live
    with serving(str(models)) as running:
        wait_until_ready(running.port)
        before = running.ask(SCORE, ASKED)
        graph = models / "toy" / "versions" / "3" / "onnx" / "fp32" / "score.onnx"
        shutil.copytree(ARTIFACT, models / ".3")
        damaged = bytearray((models / ".3" / graph.relative_to(graph.parents[2])).read_bytes())
        damaged[len(damaged) // 2] ^= 1
        (models / ".3" / graph.relative_to(graph.parents[2])).write_bytes(damaged)
        (models / ".3").rename(graph.parents[2])
        wait_until(lambda: events(running, "refused"))
        (refused,) = events(running, "refused")
        assert refused["what"] == "toy/3"
        assert "score.onnx" in refused["why"]
        wait_until(lambda: metric(running, "refused_versions") == 1)
        assert running.ask(SCORE, ASKED) == before
        assert before[1]["version"] == "2"
        state = running.ask("/admin/models")[1]
        assert state["served"] == {"toy": {"live": "2"}}
        assert "score.onnx" in state["refused"]["toy/3"]
        status, said = running.ask("/admin/models/toy/aliases/live", {"version": "3"}, "PUT")
        assert (status, "nothing was changed" in said["error"]) == (409, True)


# -- two who change the same thing at once --------------------------------------------------------


@pytest.mark.slow
def test_of_two_switches_at_once_each_has_a_truthful_answer(models: Path) -> None:
    """They are done in some order, and both processes end with the last."""
    path, file = "/admin/models/toy/aliases/live", models / "toy" / "aliases.json"

    def change(wanted: str) -> tuple[int, Any]:
        if wanted == "back":
            return running.ask("/admin/models/toy/rollback", method="POST")
        if wanted == "gone":
            return running.ask("/admin/models/toy/aliases/canary", method="DELETE")
        return running.ask(path, {"version": wanted}, "PUT")

    def at_once(*wanted: str) -> list[tuple[int, Any]]:
        with ThreadPoolExecutor(len(wanted)) as pool:
            replies = list(pool.map(change, wanted))
        now = json.loads(file.read_text())  # whole, whenever it is read
        assert {now["live"], now["previous"]} == {"1", "2"}
        for asked, (_, said) in zip(wanted, replies, strict=True):
            if asked == now["live"]:  # the one that came last: it saw its own
                assert said["served"]["toy"]["live"] == asked
        return replies

    with serving(str(models), "--workers", "2") as running:
        wait_until_ready(running.port)
        wait_until(lambda: len(children(running.process.pid)) == 2)
        assert change("2")[0] == 200
        for _ in range(5):
            assert [status for status, _ in at_once("1", "2")] == [200, 200]
            before = json.loads(file.read_text())
            assert [status for status, _ in at_once("back", "back")] == [200, 200]
            assert json.loads(file.read_text()) == before  # there and back again
            running.ask("/admin/models/toy/aliases/canary", {"version": "1"}, "PUT")
            assert sorted(status for status, _ in at_once("gone", "gone")) == [200, 404]
        last = json.loads(file.read_text())["live"]
        wait_until(lambda: {running.ask(SCORE, ASKED)[1]["version"] for _ in range(8)} == {last})
        assert not events(running, "failure")


# -- disks ----------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, _running: Running) -> Iterator[None]:
    """The rest of the disk is taken."""
    with contextlib.suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    yield
    (folder / "filler").unlink()


@contextmanager
def small_files(_folder: Path, running: Running) -> Iterator[None]:
    """The process may not write beyond the start of a file."""
    _, hard = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (4096 + 10, hard))
    yield
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (hard, hard))


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    (tmp_path / "disk").mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path / "disk")]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield tmp_path / "disk"
    subprocess.run(["umount", "--lazy", str(tmp_path / "disk")], check=True)


@pytest.mark.parametrize(("place", "full"), [("tmp_path", small_files), ("tmpfs", small_disk)])
def test_a_full_disk_costs_records_and_no_answer(
    place: str, full: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(place)
    with serving(str(ARTIFACT), "--name", "toy", "--records", str(folder / "records")) as running:

        def count(outcome: str) -> float:
            return metric(running, f'records_total\\{{outcome="{outcome}"\\}}')

        wait_until_ready(running.port)
        assert running.ask(SCORE, ASKED)[0] == 200
        wait_until(lambda: count("written") == 2)
        with full(folder, running):
            for _ in range(60):
                assert running.ask(SCORE, ASKED)[0] == 200
            wait_until(lambda: count("written") + count("dropped_disk") == 122)
            assert count("dropped_disk") > 80
        for _ in range(5):
            assert running.ask(SCORE, ASKED)[0] == 200
        wait_until(lambda: count("written") + count("dropped_disk") == 132)
        written = count("written")
        running.process.terminate()
        assert running.process.wait(30) == 0
    records = read(folder / "records")
    assert len(records) == written
    assert len({record["request_id"] for record in records[-10:]}) == 5  # those after it, too


# -- the log and keys -----------------------------------------------------------------------------


def test_keys_open_and_are_in_no_log_no_answer_and_no_metric(tmp_path: Path) -> None:
    secret, key = new_key("app", ["infer"])
    taken, old = new_key("old", ["infer", "admin"])
    file = tmp_path / "keys"
    file.write_text(f"{key.line}\n{old.line}\n")
    said: list[Any] = []

    def status(given: str | None, path: str = "/v1/models", **header: str) -> int:
        headers = header or ({} if given is None else {"Authorization": f"Bearer {given}"})
        found, reply = running.ask(path, headers=headers)
        said.append(reply)
        return found

    with serving(str(ARTIFACT), "--name", "toy", "--keys", str(file)) as running:
        wait_until_ready(running.port)
        assert status(secret) == status(taken) == status(taken, "/admin/models") == 200
        assert status(secret, "/admin/models") == 403
        assert (
            status(None) == status("vk_wrong") == status(key.digest) == status(secret[:-1]) == 401
        )
        assert status(None, Authorization=f"Basic {secret}") == 401
        running.ask(f"/v1/models/{secret}?key={secret}", headers={"X-Request-Id": secret})
        file.write_text(f"{key.line}\n")
        wait_until(lambda: status(taken) == 401)
        for wrong in (b"\xff\xfe", f"app {secret} infer".encode(), f"{secret} infer x".encode()):
            complaints = len(events(running, "keys"))
            file.write_bytes(wrong)  # is said, and changes nothing
            wait_until(lambda n=complaints: len(events(running, "keys")) > n)
            assert (status(secret), status(taken)) == (200, 401)
        file.write_text("")
        wait_until(lambda: status(secret) == 401)
        page = ask(running.port, "/metrics", headers={"X-API-Key": secret})
        assert page[0] == 401
        file.write_text(f"{key.line}\n")
        wait_until(lambda: status(secret) == 200)
        said.append(running.ask("/metrics", headers={"X-API-Key": secret})[1])
    everything = "".join(running.lines) + json.dumps([*said, page])
    assert "vaekit_requests_total" in everything
    for given in (secret, taken):
        assert given[3:23] not in everything
    assert '"key":"app"' in everything


def test_a_log_that_cannot_be_written_holds_nobody_up(models: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vaekit", "serve", str(models), "--port", str(port)]
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        process = subprocess.Popen(command, stderr=full)
    try:
        wait_until_ready(port)
        alias(models, "toy", '{"live": "2"}')  # what happens beside requests goes on, too
        wait_until(lambda: ask(port, SCORE, ASKED)[1]["version"] == "2")
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
