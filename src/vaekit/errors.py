"""Every error a caller can act on, as one tree.

    VaekitError
    |-- SpecError           a choice that cannot be made: unknown key, parts that do not fit
    |-- DataError           observations that do not fit: missing file, shape, value out of range
    |-- ArtifactError       what vaekit keeps on disk: run folder, checkpoint, trained model
    |-- DivergenceError     training ran away: a non-finite or exploding loss
    |-- MissingExtraError   a feature whose optional packages are not installed
    |-- RequestError        a request that the service turns away
    `-- Interrupted         the user stopped a run, which was saved

Each class has one exit code (for the command line) and one HTTP status (for the service).
A message says where, what was expected, what was found and what to do.
"""


class VaekitError(Exception):
    """Base of everything vaekit raises on purpose.

    Args:
        problem: What is wrong, in one sentence.
        where: File, key or place the problem was seen at.
        expected: What would have been right.
        found: What was there instead.
        remedy: What the reader can do about it.

    Example:
        >>> print(DataError("Labels do not match.", where="y.npy", expected="10 labels", found="9"))
        Labels do not match.
          where:    y.npy
          expected: 10 labels
          found:    9
    """

    exit_code = 1
    http_status = 500

    def __init__(
        self,
        problem: str,
        *,
        where: object = None,
        expected: object = None,
        found: object = None,
        remedy: object = None,
    ) -> None:
        details = {"where": where, "expected": expected, "found": found, "do": remedy}
        lines = [f"  {key + ':':<9} {value}" for key, value in details.items() if value is not None]
        super().__init__("\n".join([problem, *lines]))
        self.problem = problem


class SpecError(VaekitError):
    """A recipe, key, part or command-line value that cannot be used as it stands."""

    exit_code = 2
    http_status = 422


class DataError(VaekitError):
    """Observations that are missing, damaged or do not fit their schema."""

    exit_code = 3
    http_status = 422


class ArtifactError(VaekitError):
    """A run folder, checkpoint or trained model that cannot be read or written."""

    exit_code = 4
    http_status = 503


class DivergenceError(VaekitError):
    """Training left the numbers it can recover from."""

    exit_code = 5


class MissingExtraError(VaekitError):
    """A feature whose optional packages are not installed.

    Args:
        extra: Name of the extra, as in ``pip install 'vaekit[extra]'``.
        feature: What was asked for.
    """

    exit_code = 6
    http_status = 501

    def __init__(self, extra: str, feature: str) -> None:
        super().__init__(
            f"{feature} needs packages that are not installed.",
            remedy=f"pip install 'vaekit[{extra}]'",
        )


class RequestError(VaekitError):
    """A request that the service turns away; `vaekit.serving` says in how many ways.

    Args:
        problem: What is wrong, in one sentence.
        retry_after: Seconds after which asking again makes sense, where it does.
        details: As of every error.
    """

    exit_code = 7
    http_status = 400

    def __init__(
        self, problem: str, *, retry_after: float | None = None, **details: object
    ) -> None:
        super().__init__(problem, **details)
        self.retry_after = retry_after


class Interrupted(VaekitError):
    """The user stopped a run; what it had reached was saved."""

    exit_code = 130
