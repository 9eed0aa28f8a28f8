"""Jobs: steps that the leader has decided and any worker may carry out, as rows.

A job stands in the transaction of the claim that it carries out (S11), goes to one worker by one conditional
update, and is gone when that worker has noted what came of it. Taking it is written before anything is done
outside: of a job that nobody took it is certain that nothing was sent. What is due, and when, is not known
here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jobs.errors import Reason
from jobs.model import Address, Instant
from scheduler.facts import Failed, StepKind
from scheduler.ledger import line, notes, rows
from scheduler.ledger.driver import JOBS, Driver
from scheduler.ledger.notes import Note, Noted
from scheduler.ledger.shared.workers import LEASE_MAX_S

CREATE, ASK, DELIVER = "create", "ask", "deliver"

SHARE_MIN = 10
"""Fewer are not shared out: they are begun in a moment."""

_SHARED = "SELECT count(*), count(*) FILTER (WHERE worker = ?), (SELECT count(*) FROM workers) FROM jobs"
_COLUMNS = "id, kind, key, channel, target, lane, granted_at, not_after, worker"
_PUT = """
INSERT INTO jobs (kind, key, channel, target, lane, granted_at, not_after) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
"""
_PUT_CLAIMED = """
INSERT INTO jobs (kind, key, channel, target, lane, granted_at, not_after)
SELECT 'create', value, '', '', ?, ?, ? FROM json_each(?)
"""
_TAKE = f"""
UPDATE jobs SET worker = :worker, taken_at = :now WHERE id IN (
  SELECT id FROM jobs WHERE worker IS NULL AND not_after > :now
  AND EXISTS (SELECT 1 FROM workers WHERE id = :worker)
  AND (kind = 'deliver' OR NOT EXISTS (
    SELECT 1 FROM meta WHERE name = 'held_until' AND CAST(value AS DOUBLE PRECISION) > :now))
  AND (kind != 'create' OR NOT EXISTS (SELECT 1 FROM holds))
  ORDER BY CASE kind WHEN 'create' THEN 1 ELSE 0 END, id LIMIT :most
) RETURNING {_COLUMNS}
"""  # noqa: S608
"""Creates last: what runs is looked after before more of it is made. While the account wants to be left alone
no request is begun, and while it is held none is made, whatever was granted before (S14, S17)."""

_LAPSED = "DELETE FROM workers WHERE until NOT BETWEEN ? AND ? RETURNING name"
_GONE = f"""
SELECT {_COLUMNS} FROM jobs WHERE (worker IS NULL AND not_after < ?)
OR (worker IS NOT NULL AND worker NOT IN (SELECT id FROM workers))
"""  # noqa: S608
_UNHELD = f"""
WHERE r.{line.HELD} AND r.stage = 'creating' AND r.attempt_ended_at IS NULL
AND r.key NOT IN (
  SELECT key FROM jobs WHERE kind = 'create' AND (worker IS NULL OR worker IN (SELECT id FROM workers)))
"""  # noqa: S608
_HELD_UNTIL = """
INSERT INTO meta VALUES ('held_until', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


class Job(NamedTuple):
    """One step for one worker: `kind` is create, ask or deliver, `lane` that of its grant. What was granted
    at `granted_at` (a create's claim was made then) may only leave before `not_after`; `worker` is who took
    it."""

    id: int
    kind: str
    key: str
    channel: str
    target: str
    lane: int
    granted_at: Instant
    not_after: Instant
    worker: str | None

    @property
    def address(self) -> Address:
        """Where it delivers."""
        return Address(self.channel, self.target)

    @property
    def place(self) -> str | tuple[str, Address]:
        """What is in hand with it: a record's requests, or one of its deliveries."""
        return (self.key, self.address) if self.kind == DELIVER else self.key


class Reaped(NamedTuple):
    """Jobs that nobody will finish: those that nobody took in time, and those whose worker is gone; what was
    noted of their records; and the names of the workers that were taken for dead."""

    untaken: Sequence[Job]
    orphaned: Sequence[Job]
    noted: Sequence[Noted]
    lapsed: Sequence[str]


def put_claimed(
    driver: Driver, now: Instant, count: int, generation: int, lane: int, until: Instant
) -> list[Job]:
    """Claim up to `count` promises in line, and put a job for each, in line too."""
    newest = _newest(driver)
    claimed = line.claim(driver, now, count, generation)
    keys = rows.listed([record.key for record in claimed])
    driver.execute(_PUT_CLAIMED, (lane, now, until, keys))
    return _since(driver, newest)


def put(
    driver: Driver, kind: str, places: Sequence[tuple[str, Address | None, int]], now: Instant, until: Instant
) -> list[Job]:
    """Put a job for each of these (key, address, lane), unless its kind has one; those that are new."""
    newest = _newest(driver)
    driver.execute_many(
        _PUT,
        [
            (kind, key, to.channel if to else "", to.target if to else "", lane, now, until)
            for key, to, lane in places
        ],
    )
    return _since(driver, newest)


def take(driver: Driver, worker: str, now: Instant, most: int) -> list[Job]:
    """This worker's share of what waits, up to `most`, as long as it is on the list."""
    jobs, own, workers = driver.fetch(_SHARED, (worker,))[0]
    share = max(SHARE_MIN, -(-jobs // max(1, workers)) - own)
    found = driver.fetch(_TAKE, {"worker": worker, "now": now, "most": min(most, share)})
    return sorted(Job(*row) for row in found)


def waiting(driver: Driver) -> bool:
    """Whether nobody has taken one yet."""
    return bool(driver.fetch("SELECT 1 FROM jobs WHERE worker IS NULL LIMIT 1"))


def done(driver: Driver, batches: Sequence[Sequence[int]]) -> list[None]:
    """These jobs are carried out, and what came of them is noted."""
    ids = rows.listed([str(each) for batch in batches for each in batch])
    driver.execute("DELETE FROM jobs WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(?))", (ids,))
    return [None] * len(batches)


def there(driver: Driver) -> list[Job]:
    """All jobs, taken or not."""
    return [Job(*row) for row in driver.fetch(f"SELECT {_COLUMNS} FROM jobs ORDER BY id")]  # noqa: S608


def hold_until(driver: Driver, until: Instant) -> None:
    """The account wants to be left alone until then: for every worker, and for whoever leads next (S17)."""
    driver.execute(_HELD_UNTIL, (repr(max(until, held_until(driver) or 0.0)),))


def held_until(driver: Driver) -> Instant | None:
    """Until when it last wanted to be."""
    found = driver.fetch("SELECT value FROM meta WHERE name = 'held_until'")
    return float(found[0][0]) if found else None


def reap(driver: Driver, now: Instant) -> Reaped:
    """Forget workers whose lease is over, and give up what nobody will finish. A POST of theirs has an
    unknown outcome, but one that nobody took was certainly never sent (S12, S14)."""
    lapsed = [row[0] for row in driver.fetch(_LAPSED, (now, now + LEASE_MAX_S))]
    gone = [Job(*row) for row in driver.fetch(_GONE, (now,))]
    untaken = [job for job in gone if job.worker is None]
    orphaned = [job for job in gone if job.worker is not None]
    noted = notes.write(driver, [[*_unsent(driver, untaken, now), *_lost(driver, now)]])[0]
    done(driver, [[job.id for job in gone]])
    return Reaped(untaken, orphaned, noted, lapsed)


def _unsent(driver: Driver, untaken: Sequence[Job], now: Instant) -> Iterator[Note]:
    unsent = Failed(StepKind.CREATE, Reason.BUSY, "no worker took it in time")
    for record in rows.by_keys(driver, [job.key for job in untaken if job.kind == CREATE]):
        yield Note(record.key, unsent, now, claim=record.attempted_at)


def _lost(driver: Driver, now: Instant) -> Iterator[Note]:
    lost = Failed(StepKind.CREATE, Reason.LOST, "the worker was gone before the answer")
    for record in rows.load(driver, _UNHELD):
        yield Note(record.key, lost, now, claim=record.attempted_at)


def _newest(driver: Driver) -> int:
    return int(driver.fetch("SELECT coalesce(max(id), 0) FROM jobs")[0][0])


def _since(driver: Driver, newest: int) -> list[Job]:
    found = driver.fetch(f"SELECT {_COLUMNS} FROM jobs WHERE id > ? ORDER BY id", (newest,))  # noqa: S608
    if found:
        driver.announce(JOBS)
    return [Job(*row) for row in found]
