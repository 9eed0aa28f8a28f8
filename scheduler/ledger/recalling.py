"""What the ledger remembers, put before `scheduler.explaining`: of one key, and of everything beside it.

Only reads, each key by its index. The words are the explanation's; who is shown them is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.model import Instant
from scheduler.config import thaw
from scheduler.explaining import Explanation, Known, explain
from scheduler.facts import Attempted, Fact
from scheduler.ledger import account, pauses, skips
from scheduler.ledger.driver import Driver
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Account, Schedule
from scheduler.record import Record

_BORN = "SELECT value FROM meta WHERE name = 'born'"
_NEWEST = "SELECT terms FROM generations ORDER BY id DESC LIMIT 1"
_HELD = """
SELECT count(*) FROM records WHERE due BETWEEN :at - 86400 AND :at + 3600
AND attempted_at <= :at AND created_at IS NOT NULL AND (ended_at IS NULL OR ended_at > :at)
"""
"""No call lasts a day, and nothing is created more than an hour before its time."""


def known(
    snapshot: Snapshot, schedules: Mapping[str, Schedule] | None, limits: Account | None, now: Instant
) -> Known:
    """All that bears on every promise, with the schedules and limits that whoever asks goes by."""
    driver = snapshot.driver
    return Known(
        now=now,
        schedules=schedules,
        account=limits,
        pauses=pauses.remembered(driver),
        skips=skips.ahead(driver),
        holds=[(hold.reason, hold.since) for hold in account.holds(driver)],
        born=float(driver.fetch(_BORN)[0][0]),
        promised_until=account.mark(driver),
    )


def newest(snapshot: Snapshot) -> Mapping[str, Schedule] | None:
    """The schedules of the configuration that was in force last, if there was one."""
    found = snapshot.driver.fetch(_NEWEST)
    return thaw(found[0][0]) if found else None


def explained(snapshot: Snapshot, key: str, beside: Known) -> Explanation:
    """Why the promise `key` came to what it came to. ValueError when it is no key."""
    record = snapshot.record(key)
    if record is None:
        return explain(key, beside)
    story = [(told.at, told.fact) for told in snapshot.story(key) if told.fact is not None]
    return explain(key, beside, record, story, _held(snapshot.driver, record, story))


def _held(driver: Driver, record: Record, story: Sequence[tuple[Instant, Fact]]) -> int | None:
    """How many conversations were in use while it stood in line, if it did."""
    began = next((at for at, fact in story if isinstance(fact, Attempted)), None)
    if began is None or began <= record.opens:
        return None
    return int(driver.fetch(_HELD, {"at": (record.opens + began) / 2})[0][0])
