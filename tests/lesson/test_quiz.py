"""Answers are judged right and wrong, and slips are recognised."""

import pytest

from vaekit.lesson import CARDS, CHOICE_QUESTIONS, TOLERANCE, kl_problems, quiz_questions

PROBLEMS = [problem for seed in range(30) for problem in kl_problems(seed)]


def test_six_questions_and_four_problems() -> None:
    assert len(CHOICE_QUESTIONS) == 6
    assert len(kl_problems(0)) == 4
    assert len(quiz_questions(0)) == 10
    assert {question.right for question in CHOICE_QUESTIONS} == set("abcd")


@pytest.mark.parametrize("question", CHOICE_QUESTIONS)
def test_one_letter_is_right(question) -> None:
    states = {letter: question.judge(letter).state for letter in "abcd"}
    assert [letter for letter, state in states.items() if state == "right"] == [question.right]
    assert question.judge(f" ({question.right.upper()}). ").state == "right"
    assert question.judge("").state == "skipped"
    for unreadable in ("e", "ab", "1", "?"):
        assert question.judge(unreadable).state == "unreadable"


@pytest.mark.parametrize("problem", PROBLEMS[:8])
def test_numbers_are_right_within_the_tolerance(problem) -> None:
    for answer in (
        f"{problem.nats:.2f}",
        f"{problem.nats + 0.9 * TOLERANCE}",
        f"{problem.nats} nats",
    ):
        assert problem.judge(answer).state == "right"
    for answer in (problem.nats + 1.1 * TOLERANCE, problem.nats - 1.1 * TOLERANCE):
        assert problem.judge(str(answer)).state == "wrong"
    assert problem.judge(" ").state == "skipped"
    for unreadable in ("abc", "nan", "inf", "1,5"):
        assert problem.judge(unreadable).state == "unreadable"


def test_slips_are_recognised_and_never_called_right() -> None:
    for problem in PROBLEMS:
        for remark, value in problem.mistakes.items():
            judged = problem.judge(repr(value))
            if abs(value - problem.nats) <= TOLERANCE:
                continue  # with these numbers the slip does no harm
            assert judged.state == "wrong"
            assert judged.remark in problem.mistakes, remark
    first = PROBLEMS[1]
    assert "factor 1/2" in first.judge(str(2 * first.nats)).remark
    assert "bits" in first.judge(str(first.nats / 0.6931471806)).remark


def test_the_seed_decides_the_numbers() -> None:
    assert kl_problems(3) == kl_problems(3)
    assert len({tuple(p.nats for p in kl_problems(seed)) for seed in range(30)}) > 20
    assert all(problem.nats > 0.02 for problem in PROBLEMS)


def test_explanations_end_in_the_answer() -> None:
    for problem in PROBLEMS:
        assert problem.explanation.endswith(f"{problem.nats:.6f}")
        for line in problem.explanation.split("\n"):
            formula, equals, value = line.partition(" = ")
            if equals and "μ" not in line:  # a computation, in whose signs nothing is missing
                assert eval(formula.replace("²", "**2")) == pytest.approx(float(value), abs=2e-6)


def test_every_card_has_two_sides() -> None:
    assert len({card.front for card in CARDS}) == len(CARDS)
    assert all(card.front and card.back for card in CARDS)
