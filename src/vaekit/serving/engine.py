"""One model at work: a queue, and a thread that takes whatever queued while it was busy.

Nobody waits for a batch to fill. A question that arrives at an idle model is answered at once,
with whatever else the event loop has read already; under load, batches grow by themselves. The
queue is bounded, and what is not answered in time is not computed either. `ask` belongs to the
event loop, everything else to the thread.
"""

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias, final

from vaekit.runtime import Runtime
from vaekit.serving.question import Question
from vaekit.serving.refusals import DeadlineError, DrainingError, OverloadedError
from vaekit.serving.together import Answer, answers

LONGEST_RETRY_SECONDS: Final = 30


@final
@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How much may wait, and how much travels together.

    Args:
        batch_samples: Samples (examples times samples of z) of one batch.
        waiting_samples: Samples in the queue.
        waiting_requests: Questions in the queue.
    """

    batch_samples: int = 4096
    waiting_samples: int = 131_072
    waiting_requests: int = 1024


class BatchReport(NamedTuple):
    """What one call of the runtime was."""

    verb: str
    requests: int
    samples: int
    seconds: float
    waits: tuple[float, ...]
    """Seconds that each question was in the queue."""
    answers: tuple[Answer, ...]
    """Those that there were."""
    questions: tuple[Question, ...] = ()
    started: float = 0.0
    """When, on the clock of `time.monotonic`."""


Listener: TypeAlias = Callable[[BatchReport], object]
"""Who is told about batches, in the thread of the engine."""


class _Asked(NamedTuple):
    question: Question
    future: "asyncio.Future[Answer]"
    at: float
    deadline: float


_Outcome: TypeAlias = tuple[_Asked, Answer | Exception]


@final
class Engine:
    """Answers questions to one model, in batches.

    Args:
        runtime: The model.
        limits: Of the queue and of batches.
        listener: Is told about every batch.
    """

    def __init__(
        self,
        runtime: Runtime,
        limits: QueueLimits = QueueLimits(),
        listener: Listener | None = None,
    ) -> None:
        self.runtime, self.limits, self._listener = runtime, limits, listener
        self._queue: deque[_Asked] = deque()
        self._waiting_samples = 0
        self._samples_per_second = 10_000.0
        self._closing = self._is_calling = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(
            target=self._work, name=f"engine-{runtime.serving.name}", daemon=True
        )
        self._thread.start()

    # -- in the event loop -----------------------------------------------------------------------

    def ask(self, question: Question, timeout: float = math.inf) -> "asyncio.Future[Answer]":
        """Queues a question; the future has its answer.

        Args:
            question: As `question()` made it.
            timeout: Seconds after which nobody wants the answer any more.

        Raises:
            OverloadedError: The queue is full.
            DrainingError: The engine is about to end.
        """
        loop, now = asyncio.get_running_loop(), time.monotonic()
        future: asyncio.Future[Answer] = loop.create_future()
        with self._changed:
            self._check_room(question)
            self._queue.append(_Asked(question, future, now, now + timeout))
            self._waiting_samples += question.samples
            is_first = not self._is_calling
            self._is_calling = True
        if is_first:  # what else is in the event loop already comes along
            loop.call_soon(self._call)
        if timeout < math.inf:
            timer = loop.call_later(timeout, _expire, future, timeout)
            future.add_done_callback(lambda _: timer.cancel())
        return future

    def _call(self) -> None:
        with self._changed:
            self._is_calling = False
            self._changed.notify()

    @property
    def waiting(self) -> tuple[int, int]:
        """Questions and samples in the queue."""
        return len(self._queue), self._waiting_samples

    @property
    def is_alive(self) -> bool:
        """Whether questions are answered."""
        return self._thread.is_alive() and not self._closing

    def close(self) -> None:
        """Takes no more questions, answers those it has, and ends; waits for that."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _check_room(self, question: Question) -> None:
        if self._closing:
            raise DrainingError("This model is about to end.", retry_after=1)
        samples = self._waiting_samples + question.samples
        if len(self._queue) < self.limits.waiting_requests and (
            samples <= self.limits.waiting_samples or not self._queue
        ):
            return
        seconds = math.ceil(self._waiting_samples / self._samples_per_second)
        raise OverloadedError(
            "Too much is waiting for this model.",
            expected=f"{self.limits.waiting_requests:,} requests and "
            f"{self.limits.waiting_samples:,} samples at most",
            found=f"{len(self._queue):,} and {self._waiting_samples:,}",
            remedy="ask again later, or in smaller parts",
            retry_after=min(max(seconds, 1), LONGEST_RETRY_SECONDS),
        )

    # -- in the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        while taken := self._take():
            wanted = [asked for asked in taken if not asked.future.done()]
            for group in _groups(wanted):
                self._run(group)

    def _take(self) -> list[_Asked]:
        """Whatever is in the queue, in its order, up to the size of a batch; one at least."""
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            taken, samples = [], 0
            while self._queue:
                samples += self._queue[0].question.samples
                if taken and samples > self.limits.batch_samples:
                    break
                taken.append(self._queue.popleft())
            self._waiting_samples -= sum(asked.question.samples for asked in taken)
            return taken

    def _run(self, group: Sequence[_Asked]) -> None:
        started = time.monotonic()
        late = [(a, _too_late(a.deadline - a.at)) for a in group if a.deadline <= started]
        group = [asked for asked in group if asked.deadline > started]
        outcomes = self._outcomes(group) if group else []
        _deliver(late + outcomes)
        if not group:
            return
        seconds, samples = time.monotonic() - started, sum(a.question.samples for a in group)
        # A moving average is enough for the hint when to come back.
        self._samples_per_second += 0.1 * (samples / max(seconds, 1e-6) - self._samples_per_second)
        if self._listener is not None:
            waits = tuple(started - asked.at for asked in group)
            verb = group[0].question.verb
            found = tuple(answer for _, answer in outcomes if not isinstance(answer, Exception))
            questions = tuple(asked.question for asked in group)
            self._listener(
                BatchReport(verb, len(group), samples, seconds, waits, found, questions, started)
            )

    def _outcomes(self, group: Sequence[_Asked]) -> list[_Outcome]:
        try:
            found = answers(self.runtime, [asked.question for asked in group])
            return list(zip(group, found, strict=True))
        except Exception as error:
            if len(group) == 1:
                return [(group[0], error)]
        # One of them does harm: each by itself, so that it fails alone.
        return [outcome for asked in group for outcome in self._outcomes([asked])]


def _groups(wanted: Sequence[_Asked]) -> Iterator[list[_Asked]]:
    together: dict[object, list[_Asked]] = {}
    for asked in wanted:
        together.setdefault(asked.question.companions, []).append(asked)
    yield from together.values()


def _deliver(outcomes: Sequence[_Outcome]) -> None:
    """Hands outcomes to the event loops that wait for them, each loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    for outcome in outcomes:
        by_loop.setdefault(outcome[0].future.get_loop(), []).append(outcome)
    for loop, share in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, share)
        except RuntimeError:  # the loop was closed: nobody is there to answer
            continue


def _resolve(outcomes: Sequence[_Outcome]) -> None:
    for asked, outcome in outcomes:
        if asked.future.done():
            continue
        if isinstance(outcome, Exception):
            asked.future.set_exception(outcome)
        else:
            asked.future.set_result(outcome)


def _expire(future: "asyncio.Future[Answer]", timeout: float) -> None:
    if not future.done():
        future.set_exception(_too_late(timeout))


def _too_late(timeout: float) -> DeadlineError:
    return DeadlineError(
        "The answer was not there in time.",
        found=f"nothing after {timeout:.3g} s",
        remedy="ask for less, or allow more time",
        retry_after=1,
    )
