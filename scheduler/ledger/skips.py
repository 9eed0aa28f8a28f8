"""Skips of promises that are not written yet: kept until their promise comes, and applied to it then.

Whether a promise is written is asked in the transaction that keeps the skip, so that none falls between the
two. What a skip does to a record is the lifecycle's.
"""

from __future__ import annotations

from enum import Enum, auto

from jobs.model import Instant
from scheduler import policy
from scheduler.desk import Asker
from scheduler.facts import Ask, Asked
from scheduler.ledger import account, notes, rows
from scheduler.ledger.driver import Driver
from scheduler.ledger.notes import Note, Noted
from scheduler.model import Occurrence

_MET = "SELECT s.key, s.by, s.why FROM skips AS s JOIN records AS r ON r.key = s.key"


class Kept(Enum):
    """What became of a skip."""

    NEW = auto()
    ALREADY = auto()
    WRITTEN = auto()
    """Its promise is written: ask that one."""


def keep(driver: Driver, promise: Occurrence, asker: Asker, now: Instant) -> Kept:
    """Skip this promise as soon as it is written."""
    driver.execute("DELETE FROM skips WHERE shuts < ?", (now - policy.AWAY_S,))
    if driver.fetch("SELECT 1 FROM records WHERE key = ?", (promise.key,)):
        return Kept.WRITTEN
    sql = "INSERT INTO skips VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
    if not driver.execute(sql, (promise.key, promise.shuts, now, *asker)):
        return Kept.ALREADY
    account.tell(driver, "skipped_ahead", {"key": promise.key, **asker._asdict()}, now)
    return Kept.NEW


def ahead(driver: Driver) -> dict[str, Asker]:
    """Who skipped what, of all that is not written yet, and why."""
    return {row[0]: Asker(row[1], row[2]) for row in driver.fetch("SELECT key, by, why FROM skips")}


def meet(driver: Driver, now: Instant) -> list[Noted]:
    """Apply the skips whose promises have been written."""
    met = driver.fetch(_MET)
    if not met:
        return []
    driver.execute(f"DELETE FROM skips WHERE key IN {rows.LISTED}", (rows.listed([row[0] for row in met]),))  # noqa: S608
    return notes.write(driver, [[Note(key, Asked(Ask.SKIP, by, why), now) for key, by, why in met]])[0]
