"""Who tells the metrics: listeners at the ledger's commits, at the hands, at its writer and at the loop.

Each hears what happens anyway and changes nothing of it: a step goes in and comes out as it was, a
transaction is what it was. What is counted, and as what, is `scheduler.metrics`'.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import disable_created_metrics

from jobs.errors import StepFailed
from jobs.model import Outcome, Sent, Step
from jobs.perform import Perform
from scheduler.clock import Clock
from scheduler.ledger import Closed, Ledger, Noted, Place
from scheduler.ledger.connecting import connect
from scheduler.ledger.driver import Driver
from scheduler.metrics import Build, Metrics
from scheduler.zones import tz_version

LOOK_EVERY_S = 5.0
"""How often the loop's timers are looked at: seldom enough to cost nothing."""


def new_metrics() -> Metrics:
    """Numbers of this process, all at 0; when each series began is nobody's question."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    return Metrics(Build(own_version(), platform.python_version(), tz_version()))


def own_version() -> str:
    """Which callboard this is, as others are told."""
    try:
        return version("callboard")
    except PackageNotFoundError:  # run from a checkout
        return "unknown"


def hear(ledger: Ledger, metrics: Metrics) -> None:
    """Count what the ledger commits."""

    def noted(batch: Sequence[Noted]) -> None:
        for note, before, after in batch:
            metrics.fact(note.fact, before, after)

    def closed(batch: Sequence[Closed]) -> None:
        for each in batch:
            metrics.closed(each.schedule, each.stage, each.reason, each.promises)

    ledger.listen(noted, closed)


def observed(perform: Perform, metrics: Metrics, clock: Clock) -> Perform:
    """The same hands; how each step went, and how long it took, is counted."""

    async def observe(step: Step, sent: Sent) -> Outcome:
        began, result = clock.boot(), "interrupted"
        try:
            outcome = await perform(step, sent)
            result = "ok"
        except StepFailed as error:
            result = str(error.reason)
            raise
        finally:
            metrics.done(step, result, clock.boot() - began)
        return outcome

    return observe


def timed(metrics: Metrics, clock: Clock) -> Callable[[Place], Driver]:
    """Opens the ledger's database as it is; how long its writing transactions take is counted."""

    @contextmanager
    def around() -> Iterator[None]:
        began = clock.boot()
        try:
            yield
        finally:
            metrics.wrote(clock.boot() - began)

    return lambda place: connect(place, around)


class LoopWatch(AbstractContextManager["LoopWatch"]):
    """While the block lasts a timer of the loop is looked at now and then: how late does it come?"""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> LoopWatch:
        self._again()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _again(self) -> None:
        due = self._loop.time() + LOOK_EVERY_S
        self._timer = self._loop.call_at(due, self._look, due)

    def _look(self, due: float) -> None:
        self._metrics.stalled(max(0.0, self._loop.time() - due))
        self._again()
