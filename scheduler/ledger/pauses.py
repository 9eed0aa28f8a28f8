"""Pauses: from when, until when, and for whom what opens is skipped (S5).

A row for each; of one scope at most one is in force. Whether a promise is paused is asked in two tongues, in
SQL of those that are written and in Python of those that are just being written, and a contract test holds
the two together. What is done about it is not said here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jobs.model import Instant
from scheduler import policy
from scheduler.desk import Asker, Breadth, Pause, Scope
from scheduler.ledger import account, rows
from scheduler.ledger.driver import Driver
from scheduler.model import Occurrence
from scheduler.record import Record

PAUSED = f"""EXISTS (SELECT 1 FROM pauses AS p WHERE
  (p.breadth = '{Breadth.ALL}'
    OR (p.breadth = '{Breadth.SCHEDULE}' AND p.name = r.schedule)
    OR (p.breadth = '{Breadth.PARTICIPANT}' AND p.name = r.participant))
  AND (p.until IS NULL OR p.until > :now OR (p.since <= r.opens AND r.opens < p.until)))"""  # noqa: S608
"""Of a record `r` that has opened: a pause of its is in force, or was when it opened."""

_FIELDS = "breadth, name, since, until, by, why"
_IN_FORCE = f"SELECT id, {_FIELDS} FROM pauses WHERE (until IS NULL OR until > ?)"  # noqa: S608
_OPENED = f"WHERE r.stage = 'planned' AND r.opens <= :now AND {PAUSED}"
_KEPT_S = policy.AWAY_S + 86_400.0
"""As long as an absence after which promises are still written one by one (S4), and a day."""


def pause(driver: Driver, scope: Scope, until: Instant | None, asker: Asker, now: Instant) -> Pause | None:
    """From now on, until then; the pause of this scope that was in force before, which is changed."""
    found = driver.fetch(f"{_IN_FORCE} AND breadth = ? AND name = ?", (now, scope.breadth, scope.name))
    driver.execute("DELETE FROM pauses WHERE until < ?", (now - _KEPT_S,))
    if found and _pause(found[0]).until == until:
        return _pause(found[0])
    if found:
        driver.execute(
            "UPDATE pauses SET until = ?, by = ?, why = ? WHERE id = ?", (until, *asker, found[0][0])
        )
    else:
        driver.execute(
            f"INSERT INTO pauses ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
            (*scope, now, until, *asker),
        )
    account.tell(driver, "paused", {**scope._asdict(), "until": until, **asker._asdict()}, now)
    return _pause(found[0]) if found else None


def resume(driver: Driver, scope: Scope, asker: Asker, now: Instant) -> Pause | None:
    """The pause of exactly this scope ends now; the one that was in force, if there was one."""
    found = driver.fetch(f"{_IN_FORCE} AND breadth = ? AND name = ?", (now, scope.breadth, scope.name))
    if not found:
        return None
    driver.execute("UPDATE pauses SET until = ? WHERE id = ?", (now, found[0][0]))
    account.tell(driver, "resumed", {**scope._asdict(), **asker._asdict()}, now)
    return _pause(found[0])


def in_force(driver: Driver, now: Instant) -> list[Pause]:
    """The pauses that skip what opens now, oldest first."""
    return [_pause(row) for row in driver.fetch(f"{_IN_FORCE} ORDER BY since, id", (now,))]


def remembered(driver: Driver) -> list[Pause]:
    """All that something may still have opened in."""
    return [_pause(row) for row in driver.fetch(f"SELECT id, {_FIELDS} FROM pauses")]  # noqa: S608


def opened(driver: Driver, now: Instant, limit: int) -> list[Record]:
    """Planned records that have opened in a pause."""
    return rows.load(driver, f"{_OPENED} ORDER BY r.due LIMIT :limit", {"now": now, "limit": limit})


def count(driver: Driver, now: Instant) -> int:
    """How many `opened` would name; it looks at the line only where there are pauses."""
    if not driver.fetch("SELECT 1 FROM pauses LIMIT 1"):
        return 0
    return int(driver.fetch(f"SELECT count(*) FROM records AS r {_OPENED}", {"now": now})[0][0])  # noqa: S608


def covers(pauses: Iterable[Pause], promise: Occurrence, now: Instant) -> bool:
    """Whether a promise that has opened did so in one of these."""
    return any(_is_for(p.scope, promise) and _holds(p, promise.opens, now) for p in pauses)


def _is_for(scope: Scope, promise: Occurrence) -> bool:
    whom = {Breadth.SCHEDULE: promise.schedule, Breadth.PARTICIPANT: promise.participant}
    return scope.breadth is Breadth.ALL or whom[scope.breadth] == scope.name


def _holds(pause: Pause, opens: Instant, now: Instant) -> bool:
    return pause.until is None or pause.until > now or pause.since <= opens < pause.until


def _pause(row: Sequence[Any]) -> Pause:
    _, breadth, name, since, until, by, why = row
    return Pause(Scope(Breadth(breadth), name), since, until, by, why)
