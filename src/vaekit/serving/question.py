"""One question to a model, checked: nothing that is asked behind this door fails for its values.

Questions of one kind can travel together: the same verb with the same parameters.
"""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, final, get_args

import numpy as np

from vaekit.errors import SpecError
from vaekit.runtime import Runtime
from vaekit.serving.refusals import MalformedError, NotServedError, TooLargeError

Verb: TypeAlias = Literal["encode", "decode", "reconstruct", "sample", "score"]
VERBS: Final[tuple[Verb, ...]] = get_args(Verb)

PARAMETERS: Final[dict[str, tuple[str, ...]]] = {
    "encode": (),
    "decode": (),
    "reconstruct": (),
    "sample": ("n", "seed", "temperature"),
    "score": ("num_samples", "seed"),
}
"""What can be said of a verb beside values and conditions."""
HOTTEST: Final = 1_000_000
"""Temperature of draws; far above it, their codes are no finite numbers."""


@final
@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How much one request may ask for.

    Args:
        samples: Examples, times samples of z per example where scores are asked for.
        answer_values: Numbers in the answer.
    """

    samples: int = 65_536
    answer_values: int = 2**24


@final
@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, in arrays that fit the model.

    Args:
        verb: What the model shall do.
        n: Number of examples.
        values: Raw examples or codes, one row for each; none for `sample`.
        condition: By name, one value for each example.
        parameters: Of the verb, complete.
        with_codes: Whether the codes of scored examples are wanted beside their scores.
        origin: What it came from, for traces.
    """

    verb: Verb
    n: int
    values: np.ndarray | None
    condition: Mapping[str, np.ndarray] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    with_codes: bool = False
    origin: object = field(default=None, compare=False)

    @property
    def samples(self) -> int:
        """How much work it is."""
        return self.n * self.parameters.get("num_samples", 1)

    @property
    def companions(self) -> Hashable:
        """Equal for questions that can travel together; draws from the prior travel alone."""
        if self.verb == "sample":
            return id(self)
        told = tuple(sorted(self.condition))
        return self.verb, self.with_codes, told, *self.parameters.values()


def question(
    runtime: Runtime,
    verb: str,
    values: Any = None,
    condition: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    limits: RequestLimits = RequestLimits(),
    with_codes: bool = False,
) -> Question:
    """Checks what is asked of a model.

    Args:
        runtime: The model.
        verb: One of `VERBS`.
        values: Raw examples, or codes for `decode`; anything that numpy makes numbers of.
        condition: By name, one value for all examples or one for each.
        parameters: Of the verb, by name; what is left out has its default.
        limits: How much may be asked for.
        with_codes: Whether codes are wanted beside scores.

    Raises:
        DataError: Values do not fit the model.
        SpecError: A parameter or a condition does not.
        RequestError: The model has no such verb, or it is too much.
    """
    asked = known(runtime, verb)
    given = _parameters(runtime, asked, dict(parameters or {}))
    rows = None if asked == "sample" else _rows(runtime, asked, values)
    n = given["n"] if rows is None else len(rows)
    _check_size(runtime, asked, n, given.get("num_samples", 1), limits)
    checked = Question(asked, n, rows, _each(condition, n), given, with_codes and asked == "score")
    runtime.check_condition(checked.condition, n, is_shown=asked not in ("decode", "sample"))
    return checked


def known(runtime: Runtime, verb: str) -> Verb:
    """A verb, if the model has it.

    Raises:
        NotServedError: It has not, or was exported without it.
    """
    for there_is in VERBS:
        if there_is == verb and there_is in runtime.verbs:
            return there_is
    could = verb in runtime.serving.outputs
    raise NotServedError(
        f"The model {runtime.serving.name} {'is served without' if could else 'has no'} verb "
        f"{verb[:60]!r}.",
        expected=", ".join(v for v in VERBS if v in runtime.verbs),
        found="it was exported without a graph for that" if could else None,
        remedy="vaekit export writes a graph for every verb that a model has" if could else None,
    )


def _rows(runtime: Runtime, verb: Verb, values: Any) -> np.ndarray:
    name = "z" if verb == "decode" else "x"
    if values is None:
        raise MalformedError("There is nothing to work on.", where=name, expected="an array")
    rows = runtime.check_codes(values) if verb == "decode" else runtime.check_examples(values)
    if len(rows) == 0:
        raise MalformedError("There are no examples.", where=name, expected="one or more")
    return rows


def _parameters(runtime: Runtime, verb: Verb, given: dict[str, Any]) -> dict[str, Any]:
    known = PARAMETERS[verb]
    for name in given:
        if name not in known:
            raise SpecError(
                f"There is no parameter {name!r} of {verb}.",
                where=f"parameter {name}",
                expected=", ".join(known) or "none",
            )
    protocol = runtime.serving.score_protocol
    defaults = {"n": 1, "num_samples": protocol.num_samples, "seed": 0, "temperature": 1.0}
    complete = {name: given.get(name, defaults[name]) for name in known}
    for name, value in complete.items():
        _check_parameter(name, value)
    return complete


def _check_parameter(name: str, value: Any) -> None:
    if name == "temperature":
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        right = is_number and 0 <= value <= HOTTEST
        expected = f"a number, zero or more, {HOTTEST:,} at most"
    elif name == "seed":
        right = type(value) is int and 0 <= value < 2**63
        expected = "a whole number, zero or more, of 63 bits at most"
    else:
        right = type(value) is int and 1 <= value < 2**63
        expected = "a whole number, one or more, of 63 bits at most"
    if not right:
        raise SpecError(
            f"The parameter {name} cannot be used.",
            where=f"parameter {name}",
            expected=expected,
            found=repr(value)[:60],
        )


def _each(condition: Mapping[str, Any] | None, n: int) -> dict[str, np.ndarray]:
    """One value for each example, where that is what was meant; the model checks the rest."""
    told: dict[str, np.ndarray] = {}
    for name, values in (condition or {}).items():
        try:
            array = np.asarray(values)
        except ValueError as error:
            raise SpecError(
                "A condition is no list of numbers.", where=f"condition {name}"
            ) from error
        flat = array[:, 0] if array.shape == (n, 1) else array
        told[name] = np.broadcast_to(flat, (n,)) if flat.ndim == 0 else flat
    return told


def _check_size(
    runtime: Runtime, verb: Verb, n: int, num_samples: int, limits: RequestLimits
) -> None:
    gives_events = verb in ("decode", "reconstruct", "sample")
    per_example = math.prod(runtime.schema.event_shape) if gives_events else 1
    for found, most, what in (
        (n * num_samples, limits.samples, "samples (examples times samples of z)"),
        (n * per_example, limits.answer_values, "numbers in the answer"),
    ):
        if found > most:
            raise TooLargeError(
                "This is too much for one request.",
                expected=f"{most:,} {what} at most",
                found=f"{found:,}",
                remedy="ask in parts",
            )
