"""The quiz in a terminal or a pipe: asks, judges, explains, and gives a score at the end."""

import sys
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vaekit.errors import SpecError
from vaekit.lesson import TOLERANCE, ChoiceQuestion, Judgement, KLProblem, Question

_SAID = {
    "right": ("Right.", "bold green"),
    "wrong": ("Not so.", "bold red"),
    "skipped": ("Skipped.", "bold yellow"),
    "unreadable": ("That could not be read.", "bold yellow"),
}


def split_answers(text: str, questions: Sequence[Question]) -> list[str]:
    """The answers of `--answers`, one for each question at most; empty ones skip.

    Raises:
        SpecError: There are too many, or one cannot be read.
    """
    answers = text.split(",")
    if len(answers) > len(questions):
        raise SpecError(
            "There are more answers than questions.",
            where="--answers",
            expected=f"{len(questions)} answers at most, with commas between them",
            found=len(answers),
            remedy="leave some out; an empty answer skips a question",
        )
    for number, (question, answer) in enumerate(zip(questions, answers, strict=False), 1):
        if question.judge(answer).state == "unreadable":
            raise SpecError(
                "An answer cannot be read.",
                where=f"--answers, question {number}",
                expected=question.expected,
                found=repr(answer),
                remedy="leave it empty to skip the question",
            )
    return answers


def hold(console: Console, questions: Sequence[Question], answers: Sequence[str] | None) -> None:
    """Asks all questions, or until the input ends; then the score.

    Args:
        console: Where to ask.
        questions: What to ask.
        answers: What is answered, where that is known beforehand.
    """
    problems = sum(isinstance(question, KLProblem) for question in questions)
    console.print(
        f"\n[bold]{len(questions) - problems} questions and {problems} divergences.[/] An empty "
        f"line skips one. Numbers may be off by {TOLERANCE:g} nats.",
    )
    judged: list[tuple[Question, Judgement]] = []
    try:
        for number, question in enumerate(questions, 1):
            console.print()
            console.rule(Text(f"{number} of {len(questions)}", "bold"), align="left")
            _pose(console, question)
            judgement = _judged(console, question, number, answers)
            judged.append((question, judgement))
            _explain(console, question, judgement)
    except (EOFError, KeyboardInterrupt):
        console.print("\n\nThe input ended here.")
    _score(console, judged, questions)


def _pose(console: Console, question: Question) -> None:
    console.print(f"\n{question.text}\n", markup=False)
    if isinstance(question, ChoiceQuestion):
        choices = Table.grid(padding=(0, 1, 0, 0))
        for letter, choice in zip("abcd", question.choices, strict=True):
            choices.add_row(f"  ({letter})", Text(choice))
        console.print(choices)
        console.print()


def _judged(
    console: Console, question: Question, number: int, answers: Sequence[str] | None
) -> Judgement:
    if answers is not None:
        answer = answers[number - 1] if number <= len(answers) else ""
        console.print(f"your answer: {answer}", markup=False)
        return question.judge(answer)
    while True:
        answer = console.input("your answer: ", markup=False)
        judgement = question.judge(answer)
        if not sys.stdin.isatty():  # nobody typed it here, so nobody sees it yet
            console.print(answer, markup=False)
            return judgement
        if judgement.state != "unreadable":
            return judgement
        console.print(f"Please answer with {question.expected}, or nothing.", markup=False)


def _explain(console: Console, question: Question, judgement: Judgement) -> None:
    said = Text.assemble(_SAID[judgement.state])
    if judgement.remark:
        said.append(f" {judgement.remark}")
    if judgement.state == "unreadable":
        said.append(f" Expected: {question.expected}.")
    console.print()
    console.print(said)
    console.print(f"Answer: {question.solution}", markup=False)
    console.print(Padding(Text(question.explanation), (0, 0, 0, 2)))


def _score(
    console: Console,
    judged: Sequence[tuple[Question, Judgement]],
    questions: Sequence[Question],
) -> None:
    states = Counter(judgement.state for _, judgement in judged)
    right = [question for question, judgement in judged if judgement.state == "right"]
    console.print()
    console.rule(Text("Score", "bold"), align="left")
    for name, kind in (("questions", ChoiceQuestion), ("divergences", KLProblem)):
        of = sum(isinstance(question, kind) for question in questions)
        console.print(f"  {name:<12} {sum(isinstance(q, kind) for q in right):>2} of {of:>2} right")
    console.print(f"  [bold]{'together':<12} {len(right):>2} of {len(questions):>2} right[/]")
    unanswered = len(questions) - states["right"] - states["wrong"]
    if unanswered:
        console.print(f"  {unanswered} without an answer")
    console.print()
