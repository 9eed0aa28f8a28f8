"""The list of workers as a reader sees it, and how far they are behind: for `status`, metrics and pages.

It only reads. Where a ledger is one process's, nobody is on its list and no job waits.
"""

from __future__ import annotations

from typing import Final

from jobs.model import Instant
from scheduler.ledger.driver import Driver
from scheduler.vitals import Worker, WorkerState

NOW: Final = "CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)"
"""The database's own time, in its SQL: leases go by it."""

LEASE_S: Final = 5.0
"""After so long without a sign of life a worker is taken for dead."""

LEASE_MAX_S: Final = 60.0
"""Whose lease runs for longer got it before the database's clock was set back, and gives no sign of life. It
is not nearer to `LEASE_S` since a turn looks with the time of its beginning."""

_ORDER = [WorkerState.LEADS, WorkerState.WORKS, WorkerState.GONE]
_LISTED = """
SELECT w.name, w.version, w.started_at, w.until, w.in_hand, l.until FROM workers AS w
LEFT JOIN lead AS l ON l.worker = w.id ORDER BY w.started_at, w.name, w.id
"""
_WAITING = "SELECT count(*), min(granted_at) FROM jobs WHERE worker IS NULL"


def listed(driver: Driver, now: Instant) -> tuple[Worker, ...]:
    """Who is on the list: who leads, who works, who is gone, each in the order in which they came; `now` is
    by the database's clock."""
    workers = (
        Worker(name, version, _state(until, leads_until, now), since, until - LEASE_S, in_hand)
        for name, version, since, until, in_hand, leads_until in driver.fetch(_LISTED)
    )
    return tuple(sorted(workers, key=lambda each: _ORDER.index(each.state)))


def waiting(driver: Driver) -> tuple[int, Instant | None]:
    """How many jobs nobody has taken yet, and since when the oldest of them waits."""
    count, oldest_at = driver.fetch(_WAITING)[0]
    return count, oldest_at


def _state(until: Instant, leads_until: Instant | None, now: Instant) -> WorkerState:
    if until < now:
        return WorkerState.GONE
    return WorkerState.WORKS if leads_until is None or leads_until < now else WorkerState.LEADS
