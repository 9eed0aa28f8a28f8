"""What an engine of a test stands on, and what may befall it: a clock that was stopped, a database that is
away, hands that take long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from jobs.errors import StepFailed
from jobs.model import Deliver, Delivered, Outcome, Sent, Step
from jobs.perform import Hands
from scheduler.clock import SharedClock
from scheduler.ledger import LedgerUnavailable
from scheduler.ledger.driver import Driver


class Stoppable(SharedClock):
    """A process's clock, which finds later that the process was stopped for a while."""

    def __init__(self) -> None:
        self.stopped_s = 0.0
        super().__init__()

    def boot(self) -> float:
        return super().boot() + self.stopped_s


@dataclass
class Frail:
    """A driver whose transactions fail while `away`, or end well and nobody is told while `unheard`; what it
    announces is lost while `mute`."""

    inner: Driver
    away: bool = False
    unheard: bool = False
    mute: bool = False

    def transaction(self) -> AbstractContextManager[None]:
        return self._frail(self.inner.transaction())

    def reading(self) -> AbstractContextManager[None]:
        return self._frail(self.inner.reading())

    def announce(self, word: str) -> None:
        if not self.mute:
            self.inner.announce(word)

    @contextmanager
    def _frail(self, inner: AbstractContextManager[None]) -> Iterator[None]:
        with inner:
            if self.away:
                raise LedgerUnavailable("away")
            yield
        if self.unheard:
            raise LedgerUnavailable("away")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@dataclass
class Outside:
    """The hands and the log of every house of a test: each step waits at the gate before it is performed."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[Step] = field(default_factory=list)
    delivered: list[str] = field(default_factory=list)
    refuses: StepFailed | None = None

    def __post_init__(self) -> None:
        self.gate.set()

    async def deliver(self, step: Deliver) -> Delivered:
        if self.refuses is not None:
            raise self.refuses
        self.delivered.append(step.key)
        return Delivered(step.address)

    def around(self, hands: Hands) -> Callable[[Step, Sent], Any]:
        async def perform(step: Step, sent: Sent) -> Outcome:
            self.begun.append(step)
            await self.gate.wait()
            return await hands.perform(step, sent)

        return perform
