"""The line of promises that wait to be claimed, and the claim: the one bulk statement of the house.

A claim is refereed by the database: only rows that are still `planned` become `creating`, in the
order of their slots and the fair rotation (S11, S18). It moves a record just as the lifecycle's
`Attempted` does; a contract test holds it to that.
"""

from __future__ import annotations

from operator import itemgetter
from typing import NamedTuple

from jobs.model import Instant
from scheduler import policy
from scheduler.facts import Attempted
from scheduler.ledger import codec, pauses, rows
from scheduler.ledger.driver import Driver
from scheduler.model import Overlap
from scheduler.record import Record

_OPEN = "r.stage = 'planned' AND r.starts_at <= :now AND r.shuts >= :now"
_FREE = (
    "(r.overlap = 'allow' OR NOT EXISTS (SELECT 1 FROM records AS o "
    "WHERE o.party = r.party AND o.stage IN ('creating', 'live')))"
)
HELD = "stage IN ('creating', 'live')"
"""In the words of its index: said like this, the rows of years that are over are not read."""

_HELD = f"""
SELECT (SELECT count(*) FROM records
        WHERE {HELD} AND (stage = 'creating' OR created_at + max_call_s + :margin_s > :now))
     + (SELECT count(*) FROM strays WHERE end_at IS NOT NULL AND tries < :tries)
"""  # noqa: S608

_CLAIM = f"""
WITH line AS (
  SELECT r.rowid AS place, r.party, r.overlap, r.due, r.rank, r.key FROM records AS r
  WHERE {_OPEN} AND {_FREE} AND NOT EXISTS (SELECT 1 FROM holds) AND NOT {pauses.PAUSED}
  ORDER BY r.due, r.rank, r.key LIMIT :count
), head AS (
  SELECT place, overlap, row_number() OVER (PARTITION BY party ORDER BY due, rank, key) AS nth FROM line
)
UPDATE records SET stage = 'creating', generation = coalesce(generation, :generation), attempted_at = :now,
  attempt_ended_at = NULL, looks = 0, look_at = NULL
WHERE rowid IN (SELECT place FROM head WHERE nth = 1 OR overlap = '{Overlap.ALLOW}')
RETURNING {rows.columns("records")}, rank
"""  # noqa: S608
"""Whose schedule doesn't allow an overlap goes only if nobody of the same party goes before it (S6)."""

_PLACE = itemgetter(rows.FIELDS.index("due"), -1, rows.FIELDS.index("key"))
_ATTEMPTED = "INSERT INTO facts (key, at, kind, data) SELECT value, ?, 'attempted', ? FROM json_each(?)"


class Blocked(NamedTuple):
    """A promise that is due while its participant's other conversation runs (S6)."""

    key: str
    opens: Instant
    shuts: Instant
    other: str
    ends_at: Instant | None
    inspected_at: Instant | None


def waiting(driver: Driver, now: Instant) -> int:
    """How many promises may be claimed now, were there room."""
    sql = f"SELECT count(*) FROM records AS r WHERE {_OPEN} AND {_FREE}"  # noqa: S608
    return int(driver.fetch(sql, {"now": now})[0][0])


def held(driver: Driver, now: Instant) -> int:
    """How many of the account's slots we hold: creating, live, and strays not known to be over (S17).

    A conversation whose end was asked for a quarter of an hour without an answer no longer counts.
    """
    margin_s = 60.0 + policy.GIVE_BACK_S
    return int(
        driver.fetch(_HELD, {"now": now, "margin_s": margin_s, "tries": policy.STRAY_TRIES_HELD})[0][0]
    )


def blocked(driver: Driver, now: Instant) -> list[Blocked]:
    """The promises that are due but whose participant is still in a conversation, with that one."""
    found = driver.fetch(
        "SELECT r.key, r.opens, r.shuts, o.key, o.created_at + o.max_call_s, o.inspected_at "  # noqa: S608
        "FROM records AS r JOIN records AS o ON o.party = r.party AND o.stage IN ('creating', 'live') "
        f"WHERE {_OPEN} AND r.overlap != 'allow'",
        {"now": now},
    )
    return [Blocked(*row) for row in found]


def shut(driver: Driver, now: Instant, limit: int) -> list[Record]:
    """Promises whose start window has shut unused."""
    return rows.load(driver, "WHERE r.stage = 'planned' AND r.shuts < ? ORDER BY r.due LIMIT ?", (now, limit))


def claim(driver: Driver, now: Instant, count: int, generation: int) -> list[Record]:
    """Claim up to `count` promises, in line; the records as they are now, in the same order. Nobody only
    when nobody is left in line.

    Terms are frozen by the first claim: a promise that comes back is claimed under the same ones,
    unless a swap has settled it anew since (S7). While a hold is in force nobody is claimed, and nobody
    who is paused: either may have come since the turn that asked.
    """
    found = driver.fetch(_CLAIM, {"now": now, "count": count, "generation": generation})
    found.sort(key=_PLACE)
    claimed = rows.whole(driver, found)
    for terms in {r.generation for r in claimed if r.generation is not None}:
        keys = rows.listed([r.key for r in claimed if r.generation == terms])
        driver.execute(_ATTEMPTED, (now, codec.encode(Attempted(terms)), keys))
    return claimed
