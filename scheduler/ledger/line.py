"""The line of promises that wait to be claimed, and the claim: the one bulk statement of the house.

A claim is refereed by the database: only rows that are still `planned` become `creating`, in the
order of their slots and the fair rotation (S11, S18). It moves a record just as the lifecycle's
`Attempted` does; a contract test holds it to that.
"""

from __future__ import annotations

from typing import NamedTuple

from jobs.model import Instant
from scheduler import lifecycle, policy
from scheduler.facts import Attempted
from scheduler.ledger import codec, rows
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
    """Claim up to `count` promises, in line; the records as they are now, in the same order.

    Terms are frozen by the first claim: a promise that comes back is claimed under the same ones,
    unless a swap has settled it anew since (S7). While a hold is in force nobody is claimed: it may
    have come since the turn that asked.
    """
    facts = [(r, Attempted(r.generation or generation)) for r in _head(driver, now, count)]
    claimed = [lifecycle.apply(r, fact, now) for r, fact in facts]
    driver.execute(
        "UPDATE records SET stage = 'creating', generation = coalesce(generation, ?), attempted_at = ?, "  # noqa: S608
        "attempt_ended_at = NULL, looks = 0, look_at = NULL "
        f"WHERE key IN {rows.LISTED} AND stage = 'planned'",
        (generation, now, rows.listed([r.key for r in claimed])),
    )
    data = {fact: codec.encode(fact) for fact in {fact for _, fact in facts}}
    driver.execute_many(
        "INSERT INTO facts (key, at, kind, data) VALUES (?, ?, 'attempted', ?)",
        ((r.key, now, data[fact]) for r, fact in facts),
    )
    return claimed


def _head(driver: Driver, now: Instant, count: int) -> list[Record]:
    """The first `count` in line; whose schedule doesn't allow an overlap goes only if nobody of the
    same party goes before it (S6)."""
    line = driver.fetch(
        f"SELECT r.key, r.party, r.overlap FROM records AS r WHERE {_OPEN} AND {_FREE} "  # noqa: S608
        "AND NOT EXISTS (SELECT 1 FROM holds) ORDER BY r.due, r.rank, r.key LIMIT :reach",
        {"now": now, "reach": 2 * count},
    )
    keys, parties = list[str](), set[str]()
    for key, party, overlap in line:
        if overlap == Overlap.ALLOW or party not in parties:
            keys.append(key)
            parties.add(party)
    found = {r.key: r for r in rows.by_keys(driver, keys[:count])}
    return [found[key] for key in keys[:count]]
