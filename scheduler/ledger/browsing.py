"""What pages ask of the ledger: days in numbers, and lists that end where a page does.

Every question walks an index and is bounded, so that its cost grows with what is shown and not with what the
ledger holds. Only reads; what the answers look like is the pages' business.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from jobs.model import Instant
from scheduler.ledger import line, rows
from scheduler.ledger.driver import Driver
from scheduler.ledger.snapshot import Filters, matching
from scheduler.record import Record, Tally

ACCOUNT_FACTS = 20
DAY_S = 86_400.0

_DAY = """
SELECT timezone, date, schedule, slot, stage, min(due), count(*) FROM records
WHERE due >= ? AND due < ? GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""
_WRONG = """
WHERE r.key IN (
  SELECT key FROM (
    SELECT key FROM records WHERE due >= :since AND (
      stage IN ('missed', 'failed')
      OR (stage = 'ended' AND reason IN ('undelivered', 'startup_fault', 'gone'))
    ) ORDER BY due DESC LIMIT :limit
  ) AS came_to_nothing UNION SELECT key FROM (
    SELECT key FROM deliveries WHERE state = 'given_up' AND at >= :since ORDER BY at DESC LIMIT :limit
  ) AS given_up
) ORDER BY r.due DESC, r.key LIMIT :limit
"""
_TROUBLED = """
WHERE r.key IN (
  SELECT key FROM deliveries WHERE state = 'open' AND tries > 0
  UNION SELECT key FROM strays WHERE end_at IS NOT NULL
  UNION SELECT key FROM records WHERE look_at IS NOT NULL AND stage = 'creating'
  UNION SELECT key FROM records WHERE stage = 'planned' AND turned_away IS NOT NULL
) ORDER BY r.due LIMIT ?
"""
_LATEST = """
SELECT stage, reason, due FROM records WHERE schedule = ? AND due <= ? ORDER BY due DESC LIMIT 1
"""


class Place(NamedTuple):
    """Where a page of a list ends, and the next one begins."""

    due: Instant
    key: str


class Latest(NamedTuple):
    """What became of the promise of a schedule that was due last."""

    stage: str
    reason: str | None
    due: Instant


def day(driver: Driver, since: Instant, until: Instant) -> list[Tally]:
    """The promises due in since <= due < until, in numbers by slot and stage."""
    return [Tally(*row) for row in driver.fetch(_DAY, (since, until))]


def wrong(driver: Driver, since: Instant, limit: int) -> list[Record]:
    """Promises due since then that came to nothing, the latest first; and those of which a delivery was given
    up since then."""
    return rows.load(driver, _WRONG, {"since": since, "limit": limit})


def troubled(driver: Driver, limit: int) -> list[Record]:
    """What is not settled and has met trouble: tries that failed, answers that were lost, strays."""
    return rows.load(driver, _TROUBLED, (limit,))


def live(driver: Driver, limit: int) -> list[Record]:
    """Conversations that are being made or run, the oldest first."""
    # The plus keeps the order's index out of it: what is live is few, and has an index of its own.
    return rows.load(driver, f"WHERE r.{line.HELD} ORDER BY +r.due, r.key LIMIT ?", (limit,))


def listed(
    driver: Driver, filters: Filters, after: Place | None, limit: int, *, newest: bool
) -> list[Record]:
    """A page of the records that match, in order of due time from behind `after`; `newest` first, or the
    oldest."""
    order, than, first = ("DESC", "<", float("inf")) if newest else ("ASC", ">", float("-inf"))
    where, params = matching(filters)
    span: tuple[Instant, ...] = ()
    if filters.date is not None:
        where, span = f"{where} AND r.due BETWEEN ? AND ?", _about(filters.date)
    page = f"WHERE (r.due, r.key) {than} (?, ?) {where} ORDER BY r.due {order}, r.key {order} LIMIT ?"
    return rows.load(driver, page, (*(after or Place(first, "")), *params, *span, limit))


def latest(driver: Driver, schedule: str, now: Instant) -> Latest | None:
    """The promise of this schedule that was due last, if there is any."""
    found = driver.fetch(_LATEST, (schedule, now))
    return Latest(*found[0]) if found else None


def account_facts(driver: Driver) -> list[tuple[Instant, str, str]]:
    """What was last noted about the whole account, the newest first: (at, kind, data)."""
    sql = "SELECT at, kind, data FROM facts WHERE key IS NULL AND kind != 'surveyed' ORDER BY id DESC LIMIT ?"
    return [tuple(row) for row in driver.fetch(sql, (ACCOUNT_FACTS,))]


def _about(day: str) -> tuple[Instant, Instant]:
    """Between which instants a promise of this local date is due, wherever: zones reach from UTC-12 to
    UTC+14, and a spread moves it further."""
    midnight = datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp()
    return midnight - 2 * DAY_S, midnight + 3 * DAY_S
