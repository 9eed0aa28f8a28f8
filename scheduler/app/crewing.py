"""One of several workers on one ledger, put together where the ledger is a database's.

That is an extra, asked for only then. It opens what the shared engine needs and closes it again, and tells
what becomes of this worker among the others; what workers do is the engine's.
"""

from __future__ import annotations

import os
import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from scheduler.app.observing import own_version
from scheduler.clock import Clock, SharedClock
from scheduler.engine import Crew
from scheduler.ledger import Ledger
from scheduler.ledger.connecting import uninstalled
from scheduler.ledger.place import Database, Place
from scheduler.metrics import Metrics
from scheduler.telemetry import Telemetry

if TYPE_CHECKING:
    from scheduler.engine.shared import Member


def clock_for(place: Place) -> Clock:
    """Workers of one ledger go by one clock."""
    return SharedClock() if isinstance(place, Database) else Clock()


async def told(clock: Clock, place: Place) -> None:
    """Let the database tell the time, if there is one. Raises LedgerError."""
    if isinstance(place, Database) and isinstance(clock, SharedClock):
        try:
            from scheduler.ledger.shared.wire import time_of
        except ImportError as error:
            raise uninstalled(place, error) from None

        asked_boot_s = clock.boot()
        clock.tell(await time_of(place), asked_boot_s)


@asynccontextmanager
async def crewed(
    ledger: Ledger, place: Place, clock: Clock, telemetry: Telemetry, metrics: Metrics
) -> AsyncIterator[Crew | None]:
    """This process among the workers of its ledger, for as long as the block lasts; `None` where a file has
    but one. Raises LedgerUnavailable."""
    if not (isinstance(place, Database) and isinstance(clock, SharedClock)):
        yield None
        return
    from scheduler.engine.shared import Name, SharedCrew

    crew = SharedCrew(ledger, place, clock, Name(f"{platform.node()}:{os.getpid()}", own_version()))
    telling = _Telling(crew.member, telemetry, metrics)
    crew.member.watch(telling.look)
    crew.member.watch_lost(telling.lost)
    async with crew:
        yield crew


class _Telling:
    """One line when this worker begins to lead, when it no longer does, when it takes another one for dead,
    and when the database goes away or is back. `epoch` is that of the lead in question."""

    def __init__(self, member: Member, telemetry: Telemetry, metrics: Metrics) -> None:
        self._member = member
        self._telemetry = telemetry
        self._metrics = metrics
        self._epoch = 0
        self._away = False

    def look(self) -> None:
        """Something may have changed."""
        if self._member.away is not self._away:
            self._away = self._member.away
            self._say("database_away" if self._away else "database_back", grave=self._away)
        if self._member.epoch != self._epoch:
            self._turned(self._epoch, self._member.epoch)

    def _turned(self, before: int, now: int) -> None:
        self._epoch = now
        if before:
            self._say("not_leading", epoch=before)
        if now:
            self._metrics.took_over()
            self._say("leading", epoch=now)

    def lost(self, name: str) -> None:
        """This worker was taken for dead."""
        self._telemetry.say("worker_lost", grave=True, worker=name, epoch=self._member.epoch)

    def _say(self, event: str, *, grave: bool = False, **fields: int) -> None:
        self._telemetry.say(event, grave=grave, worker=self._member.crewed.name, **fields)
