"""What a run shows: a bar in a terminal, plain lines elsewhere or when asked to be quiet."""

import re
import warnings

import pytest

from vaekit.cli.report import Reporter
from vaekit.training import Plan, Record

PLAN = Plan(total_steps=40, first_step=10, steps_per_epoch=20, batch_size=8, warnings=("[odd]",))
COLOR = re.compile(r"\x1b\[[0-9;]*3[0-9]m")


def record(kind: str) -> Record:
    terms = {"elbo_nats": -93.456, "expected_log_likelihood_nats": -70.0, "kl_nats": 23.456}
    return {"kind": kind, "step": 20, "epoch": 1.0, "seconds": 1.0, **terms}


def shown(quiet: bool, capsys: pytest.CaptureFixture[str]) -> str:
    reporter = Reporter(quiet)
    reporter.started(PLAN)
    for step in range(11, 41):
        reporter.stepped(step, record("training"))
    reporter.logged(record("training"))
    reporter.logged(record("validation"))
    reporter.finished()
    return capsys.readouterr().out


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")


@pytest.mark.usefixtures("terminal")
def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    output = shown(quiet=False, capsys=capsys)
    assert "training" in output
    assert "examples/s" in output
    assert "-ELBO 93.46  KL 23.46" in output
    assert "left" in output
    assert "validation" not in output
    assert COLOR.search(output)


@pytest.mark.usefixtures("terminal")
def test_no_color_is_respected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert not COLOR.search(shown(quiet=False, capsys=capsys))


@pytest.mark.usefixtures("terminal")
def test_quiet_has_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    output = shown(quiet=True, capsys=capsys)
    assert "examples/s" not in output
    assert "validation  -ELBO 93.46" in output


def test_a_file_gets_plain_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    output = shown(quiet=False, capsys=capsys)
    assert "\x1b" not in output
    assert "warning: [odd]" in output  # nothing is taken for markup
    assert "continuing after step 10 (epoch 0.5)" in output
    assert "epoch    1.00  training    -ELBO 93.46  KL 23.46" in output
    assert "epoch    1.00  validation  -ELBO 93.46  KL 23.46" in output


@pytest.mark.usefixtures("terminal")
def test_a_warning_is_a_line_above_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter(quiet=False)
    reporter.started(PLAN)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with reporter.warnings_shown():
            warnings.warn("[it]\nfailed", RuntimeWarning, stacklevel=1)
    reporter.finished()
    shown = capsys.readouterr()
    assert "warning: [it] failed\n" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.out)
    assert shown.err == ""


def test_warnings_are_as_before_afterwards() -> None:
    before = warnings.showwarning
    with Reporter(quiet=True).warnings_shown():
        assert warnings.showwarning is not before
    assert warnings.showwarning is before
