"""`vaekit lesson`: one training step of a VAE by hand, a quiz and flashcards."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from vaekit.errors import SpecError
from vaekit.lesson import Parameters, Setting, check_range, expected_range, option

lesson_app = typer.Typer(
    no_args_is_help=True, help="Learn one training step of a VAE: a walk, a quiz, flashcards."
)
DEFAULT: Final = Setting()
DEFAULTS: Final = Parameters()


def _number(name: str) -> Callable[[object], float]:
    """A reader of a setting's value; a text that is no number is explained like any mistake."""

    def read(text: object) -> float:
        try:
            value = float(str(text))
        except ValueError:
            raise SpecError(
                "This is not a number.",
                where=f"{name} ({option(name)})",
                expected=expected_range(name),
                found=repr(text),
                remedy=f"write it with a point, as in {option(name)} 0.5",
            ) from None
        check_range(name, value)
        return value

    return read


def _setting(name: str, text: str) -> Any:
    return typer.Option(parser=_number(name), metavar="NUMBER", help=text)


@lesson_app.command()
def step(
    x: Annotated[float, _setting("x", "The observed number.")] = DEFAULT.x,
    epsilon: Annotated[float, _setting("epsilon", "The noise sample.")] = DEFAULT.epsilon,
    mu_weight: Annotated[
        float, _setting("mu_weight", "w_μ of the encoder: μ = w_μ x + b_μ.")
    ] = DEFAULTS.mu_weight,
    mu_bias: Annotated[float, _setting("mu_bias", "b_μ of the encoder.")] = DEFAULTS.mu_bias,
    log_variance_weight: Annotated[
        float, _setting("log_variance_weight", "w_s of the encoder: log σ² = w_s x + b_s.")
    ] = DEFAULTS.log_variance_weight,
    log_variance_bias: Annotated[
        float, _setting("log_variance_bias", "b_s of the encoder.")
    ] = DEFAULTS.log_variance_bias,
    decoder_weight: Annotated[
        float, _setting("decoder_weight", "w_m of the decoder: m = w_m z + b_m.")
    ] = DEFAULTS.decoder_weight,
    decoder_bias: Annotated[
        float, _setting("decoder_bias", "b_m of the decoder.")
    ] = DEFAULTS.decoder_bias,
    likelihood_scale: Annotated[
        float, _setting("likelihood_scale", "τ, the standard deviation of p(x|z).")
    ] = DEFAULT.likelihood_scale,
    beta: Annotated[float, _setting("beta", "β, the weight of the KL term.")] = DEFAULT.beta,
    learning_rate: Annotated[
        float, _setting("learning_rate", "η, the size of the step.")
    ] = DEFAULT.learning_rate,
) -> None:
    """Walk through one training step of a one-dimensional VAE, every number computed.

    Forward, loss, gradients by hand and by autograd, update, and what the one noise sample hides.
    The same walk on a page: docs/lesson/one_step.md.
    """
    from vaekit.cli.lesson_walk import console, show_walk
    from vaekit.lesson import given, walk

    encoder = (mu_weight, mu_bias, log_variance_weight, log_variance_bias)
    parameters = Parameters(*encoder, decoder_weight, decoder_bias)
    chosen = Setting(x, epsilon, likelihood_scale, beta, learning_rate)
    show_walk(console(), given(parameters, chosen), walk(parameters, chosen))


@lesson_app.command()
def quiz(
    seed: Annotated[int, typer.Option(help="Decides the numbers of the KL problems.")] = 0,
    answers: Annotated[
        str | None,
        typer.Option(metavar="A1,A2,...", help="All answers at once, instead of one by one."),
    ] = None,
) -> None:
    """Answer six questions and four KL problems; each is explained after the answer.

    Answers are read line by line, from a keyboard or a pipe. An empty line skips a question, and
    the end of the input ends the quiz with the score so far. A number is right within 0.01 nats.
    """
    from vaekit.cli.lesson_quiz import hold, split_answers
    from vaekit.cli.lesson_walk import console
    from vaekit.lesson import quiz_questions

    questions = quiz_questions(seed)
    hold(console(), questions, None if answers is None else split_answers(answers, questions))


@lesson_app.command()
def cards(
    show_all: Annotated[
        bool, typer.Option("--all", help="Print every card with its answer, and ask nothing.")
    ] = False,
) -> None:
    """Show flashcards: Enter turns a card, Enter again brings the next, q ends."""
    from vaekit.cli.lesson_cards import print_all, turn
    from vaekit.cli.lesson_walk import console
    from vaekit.lesson import CARDS

    (print_all if show_all else turn)(console(), CARDS)
