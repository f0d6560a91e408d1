"""The ways in which a request is turned away, each with its HTTP status.

    400  MalformedError          not JSON, not a request of the protocol
    401  UnauthenticatedError    no key, or an unknown one
    403  ForbiddenError          a key without the scope that this needs
    404  NotServedError          no such model, version or path
    405  MethodError             the path is right and the method is not
    408  SlowError              its body does not come
    409  ConflictError           it cannot be done to what is there
    413  TooLargeError           over a limit of size
    415  MediaTypeError          a kind of body that is not read here
    429  OverloadedError         the queue is full, or the key asks too often
    503  DrainingError           this process or this version is about to end
    504  DeadlineError           not answered in time

What is wrong with values is a `DataError` or a `SpecError`, 422.
"""

from collections.abc import Sequence

from vaekit.errors import RequestError


class MalformedError(RequestError):
    """A body that is no request."""


class UnauthenticatedError(RequestError):
    """Nobody that is known here."""

    http_status = 401


class ForbiddenError(RequestError):
    """Somebody who may not do this."""

    http_status = 403


class NotServedError(RequestError):
    """There is no such thing here."""

    http_status = 404


class MethodError(RequestError):
    """The path does not take this method.

    Args:
        problem: What is wrong, in one sentence.
        allowed: The methods that it takes.
        found: The method that was asked for.
    """

    http_status = 405

    def __init__(self, problem: str, allowed: Sequence[str], found: str | None = None) -> None:
        super().__init__(problem, found=found)
        self.allowed = tuple(allowed)


class SlowError(RequestError):
    """A request that does not arrive."""

    http_status = 408


class ConflictError(RequestError):
    """What is there does not allow it."""

    http_status = 409


class TooLargeError(RequestError):
    """More than the service takes in one request."""

    http_status = 413


class MediaTypeError(RequestError):
    """A body of a kind that is not read here."""

    http_status = 415


class OverloadedError(RequestError):
    """More than can be done now; asking again later is right."""

    http_status = 429


class DrainingError(RequestError):
    """No new requests: what runs is finished, and then it ends."""

    http_status = 503


class DeadlineError(RequestError):
    """The answer would have come too late."""

    http_status = 504
