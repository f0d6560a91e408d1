"""`vaekit lesson`: the walk, the quiz and the cards, in process and as a process."""

import re
from pathlib import Path

import pytest
from cli.test_train import vaekit
from typer.testing import CliRunner

from vaekit.cli.main import app
from vaekit.errors import SpecError
from vaekit.lesson import CARDS, KLProblem, quiz_questions

DOCS = Path(__file__).parents[2] / "docs"


def run(*arguments: object, given: str | None = None) -> str:
    result = CliRunner().invoke(
        app,
        ["lesson", *map(str, arguments)],
        input=given,
        env={"COLUMNS": "80"},
        catch_exceptions=False,
    )
    assert result.exit_code == 0, result.output
    return result.output


def right_answers(seed: int) -> list[str]:
    return [f"{q.nats:.2f}" if isinstance(q, KLProblem) else q.right for q in quiz_questions(seed)]


def test_step_prints_every_step() -> None:
    shown = run("step", "--x", "1.0", "--epsilon", "0.5")
    for number in range(1, 7):
        assert f"Step {number} of 6." in shown
    for text in ("Why it matters.", "autograd", "by hand", "log p(x)", "-0.387135"):
        assert text in shown


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "--x -1000 --mu-weight -1000 --decoder-weight -999.999 --log-variance-weight 0 "
        "--epsilon 0 --likelihood-scale 1000 --learning-rate 1e-9",
        "--likelihood-scale 0.001 --learning-rate 1e-9",
        "--x -3.14159265 --epsilon -2.71828 --beta 0.333333333",
        "--log-variance-bias 15 --learning-rate 1e-9",
        "--x 0.00000123 --epsilon 0.0000456 --mu-bias -0.00000789 --decoder-bias -0.0000012",
    ],
)
def test_step_fits_eighty_columns(arguments: str) -> None:
    shown = run("step", *arguments.split())
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown  # nothing was cut off
    results = [
        line for line in shown.splitlines() if re.fullmatch(r" +(\S.*)?= -?[\d.e+-]+ *", line)
    ]
    assert len(results) == 21  # every equation has its result, on a line of its own


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--x", "nan"], "nan"),
        (["--likelihood-scale", "0"], "0"),
        (["--beta", "abc"], "'abc'"),
        (["--learning-rate", "-1"], "-1"),
        (["--epsilon", ""], "''"),
        (["--mu-bias", "inf"], "inf"),
    ],
)
def test_numbers_that_cannot_be_used(arguments: list[str], found: str) -> None:
    with pytest.raises(SpecError) as refused:
        run("step", *arguments)
    text = str(refused.value)
    for detail in (f"({arguments[0]})", "expected:", f"found:    {found}", "do:"):
        assert detail in text


def test_exit_codes(tmp_path) -> None:
    done = vaekit("lesson", "step", "--x", "nan", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert "expected: a number from -1000 to 1000" in done.stderr
    done = vaekit("lesson", "quiz", cwd=tmp_path)  # no input at all
    assert done.returncode == 0
    assert "0 of 10 right" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("seed", [0, 7])
def test_quiz_from_a_pipe(seed: int) -> None:
    shown = run("quiz", "--seed", seed, given="\n".join(right_answers(seed)) + "\n")
    assert "10 of 10 right" in shown
    assert shown.count("Right.") == 10
    assert max(map(len, shown.splitlines())) <= 80


def test_quiz_marks_wrong_answers_and_goes_on() -> None:
    wrong = ["a" if answer != "a" else "b" for answer in right_answers(0)[:6]] + ["-7"] * 4
    shown = run("quiz", given="\n".join(wrong) + "\n")
    assert "0 of 10 right" in shown
    assert shown.count("Not so.") == 10


def test_quiz_ends_with_the_input() -> None:
    shown = run("quiz", given="\n".join(right_answers(0)[:2]) + "\nwhat\n\n")
    assert "The input ended here." in shown
    assert "2 of 10 right" in shown
    assert "could not be read. Expected: one of a, b, c, d" in shown
    assert "8 without an answer" in shown


def test_quiz_ends_with_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    def stopped(*given: object, **named: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(Console, "input", stopped)
    assert "0 of 10 right" in run("quiz")
    assert "0 of 15 cards" in run("cards")


def test_quiz_with_answers_given_beforehand() -> None:
    answers = right_answers(0)
    answers[1] = ""
    shown = run("quiz", "--answers", ",".join(answers))
    assert "9 of 10 right" in shown
    assert "1 without an answer" in shown


@pytest.mark.parametrize(
    ("answers", "where"),
    [("a,b,x", "question 3"), (",,,,,,one", "question 7"), ("a," * 10 + "a", "--answers")],
)
def test_answers_that_cannot_be_read(answers: str, where: str) -> None:
    with pytest.raises(SpecError, match=where):
        run("quiz", "--answers", answers)


def test_cards_turn_and_end() -> None:
    shown = run("cards", given="\n\nq\n")
    assert CARDS[0].back.split(":")[0] in shown
    assert CARDS[1].front in shown
    assert CARDS[1].back.split(".")[0] not in shown
    assert f"1 of {len(CARDS)} cards turned" in shown
    assert f"0 of {len(CARDS)} cards turned" in run("cards", given="")
    everything = "\n" * (2 * len(CARDS))
    assert f"{len(CARDS)} of {len(CARDS)} cards turned" in run("cards", given=everything)


def test_all_cards() -> None:
    shown = run("cards", "--all")
    assert all(card.front in shown for card in CARDS)
    assert shown.count("card ") >= len(CARDS)
    assert max(map(len, shown.splitlines())) <= 80


def test_every_command_of_the_page_runs() -> None:
    page = (DOCS / "lesson" / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^vaekit lesson ([^#\n]+)", page, flags=re.MULTILINE)
    assert len(commands) == 8
    shown = {command.strip(): run(*command.split(), given="") for command in commands}
    assert "step was too long" in " ".join(shown["step --learning-rate 1"].split())
    assert "not minus an ELBO" in " ".join(shown["step --beta 4"].split())
