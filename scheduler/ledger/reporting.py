"""How the house stands, as far as the ledger knows: for `status`, with a daemon or without one.

Each question has an index of its own to walk, so that it costs what is open and not what is there. What is
healthy is not judged here.
"""

from __future__ import annotations

from collections.abc import Iterable

from jobs.model import Instant
from scheduler.desk import LastMissed, Status
from scheduler.ledger import pauses
from scheduler.ledger.driver import Driver
from scheduler.ledger.snapshot import Snapshot
from scheduler.vitals import Vitals

_LAST_MISSED = "SELECT key, due, reason FROM records WHERE stage = 'missed' ORDER BY due DESC LIMIT 1"


def report(snapshot: Snapshot, now: Instant, unready: Iterable[str], vitals: Vitals | None) -> Status:
    """The status of this moment; `vitals` are the daemon's, if one runs."""
    driver = snapshot.driver
    return Status(
        unready=tuple(unready),
        version=driver.version(),
        standing=snapshot.standing(now),
        pauses=tuple(pauses.in_force(driver, now)),
        last_missed=_last_missed(driver),
        vitals=vitals,
        at=now,
    )


def _last_missed(driver: Driver) -> LastMissed | None:
    found = driver.fetch(_LAST_MISSED)
    return LastMissed(*found[0]) if found else None
