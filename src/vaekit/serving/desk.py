"""Where a request that was understood becomes a question, and the question an answer."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, final

from vaekit.errors import VaekitError
from vaekit.serving.exchange import Exchange
from vaekit.serving.models import Models, Served
from vaekit.serving.question import Question, RequestLimits, question
from vaekit.serving.refusals import DrainingError
from vaekit.serving.together import Answer

Witness: TypeAlias = Callable[[Exchange, Served, Question, Answer], object]
"""Who sees every answer, in the event loop: metrics and records. Must not wait."""


@final
@dataclass(slots=True)
class Desk:
    """Takes what is asked to the model that it is asked of.

    Args:
        models: Who answers.
        limits: How much one request may ask for.
        timeout: Seconds until an answer has to be there, where the request says nothing.
        witnesses: Who sees every answer.
        with_codes: Whether witnesses want the codes of scored examples.
        origin: Says what a question comes from, where it is traced.
        is_leaving: Whether this process is about to end, and still answers.
        is_draining: Whether it takes nothing new any more.
    """

    models: Models
    limits: RequestLimits = RequestLimits()  # noqa: RUF009 - frozen
    timeout: float = 30.0
    witnesses: tuple[Witness, ...] = ()
    with_codes: bool = False
    origin: Callable[[], object] | None = None
    is_leaving: bool = False
    is_draining: bool = False

    @property
    def is_ready(self) -> bool:
        """Whether requests are welcome."""
        return not (self.is_leaving or self.is_draining) and self.models.is_ready

    async def answer(
        self,
        exchange: Exchange,
        served: Served,
        verb: str,
        values: Any = None,
        condition: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """The answer to a request.

        From the moment a version was found until its engine has the question, nothing may be
        awaited: so no version ends between the two.

        Raises:
            VaekitError: What is asked does not fit, or there is no answer in time.
        """
        exchange.model, exchange.version, exchange.verb = served.name, served.version, verb
        if self.is_draining:
            raise DrainingError("This process is about to end.", retry_after=1)
        asked = question(
            served.engine.runtime, verb, values, condition, parameters, self.limits, self.with_codes
        )
        if self.origin is not None:
            asked = replace(asked, origin=self.origin())
        exchange.examples = asked.n
        seconds = min(self.timeout, math.inf if timeout is None else timeout)
        try:
            answer = await served.engine.ask(asked, seconds)
        except VaekitError:
            raise
        except Exception as error:  # of the runtime: ours, whatever it says
            raise VaekitError("The model failed.") from error
        for witness in self.witnesses:
            witness(exchange, served, asked, answer)
        return answer
