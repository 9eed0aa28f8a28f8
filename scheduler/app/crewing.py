"""One of several workers on one ledger, put together where the ledger is a database's.

That is an extra, asked for only then. It opens what the shared engine needs and closes it again; what workers
do is the engine's.
"""

from __future__ import annotations

import os
import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from scheduler.clock import Clock, SharedClock
from scheduler.engine import Crew
from scheduler.ledger import Ledger
from scheduler.ledger.place import Database, Place


def clock_for(place: Place) -> Clock:
    """Workers of one ledger go by one clock."""
    return SharedClock() if isinstance(place, Database) else Clock()


async def told(clock: Clock, place: Place) -> None:
    """Let the database tell the time, if there is one. Raises LedgerUnavailable."""
    if isinstance(place, Database) and isinstance(clock, SharedClock):
        from scheduler.ledger.shared.wire import time_of

        asked_boot_s = clock.boot()
        clock.tell(await time_of(place), asked_boot_s)


@asynccontextmanager
async def crewed(ledger: Ledger, place: Place, clock: Clock) -> AsyncIterator[Crew | None]:
    """This process among the workers of its ledger, for as long as the block lasts; `None` where a file has
    but one. Raises LedgerUnavailable."""
    if not (isinstance(place, Database) and isinstance(clock, SharedClock)):
        yield None
        return
    from scheduler.engine.shared import Name, SharedCrew

    async with SharedCrew(ledger, place, clock, Name(f"{platform.node()}:{os.getpid()}", _version())) as crew:
        yield crew


def _version() -> str:
    try:
        return version("callboard")
    except PackageNotFoundError:  # run from a checkout
        return "unknown"
