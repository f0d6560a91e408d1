"""One training step of a VAE by hand, every number computed; and a quiz about it.

Importing this needs neither torch nor numpy: what does imports them when it is called.
"""

from vaekit.lesson.answers import TOLERANCE, ChoiceQuestion, Judgement, KLProblem, Question
from vaekit.lesson.cards import CARDS, Card
from vaekit.lesson.divergence import Divergence, by_quadrature
from vaekit.lesson.exact import OverNoise, Truth, loss_over_noise, truth
from vaekit.lesson.gradients import by_autograd, by_differences, by_hand
from vaekit.lesson.model import (
    PARAMETER_SYMBOLS,
    Forward,
    Parameters,
    Setting,
    check_range,
    expected_range,
    forward,
    option,
    updated,
)
from vaekit.lesson.quiz import CHOICE_QUESTIONS, kl_problems, quiz_questions
from vaekit.lesson.step_of_walk import Block, Step
from vaekit.lesson.walk import (
    INTRODUCTION,
    NOTATION,
    ROUNDING,
    SKETCH,
    given,
    walk,
)
from vaekit.lesson.walk_afterwards import mean_slopes
from vaekit.lesson.worked import WORKED, gaussian_name, worked_lines
from vaekit.lesson.writing import (
    Equation,
    Grid,
    equation_lines,
    markdown_grid,
    put_in,
    result,
)

__all__ = [
    "CARDS",
    "CHOICE_QUESTIONS",
    "INTRODUCTION",
    "NOTATION",
    "PARAMETER_SYMBOLS",
    "ROUNDING",
    "SKETCH",
    "TOLERANCE",
    "WORKED",
    "Block",
    "Card",
    "ChoiceQuestion",
    "Divergence",
    "Equation",
    "Forward",
    "Grid",
    "Judgement",
    "KLProblem",
    "OverNoise",
    "Parameters",
    "Question",
    "Setting",
    "Step",
    "Truth",
    "by_autograd",
    "by_differences",
    "by_hand",
    "by_quadrature",
    "check_range",
    "equation_lines",
    "expected_range",
    "forward",
    "gaussian_name",
    "given",
    "kl_problems",
    "loss_over_noise",
    "markdown_grid",
    "mean_slopes",
    "option",
    "put_in",
    "quiz_questions",
    "result",
    "truth",
    "updated",
    "walk",
    "worked_lines",
]
