"""Promises as rows: written once, settled anew when the configuration changes, never made twice.

The unique key referees: a promise that the ledger has is never reconsidered (S1, S4). The planner's
high-water mark moves in the transaction of the rows it accounts for (S11). What a promise means is
frozen only at its claim; until then `settle` follows the configuration (S7).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from jobs.model import Instant
from scheduler import marks
from scheduler.desk import Pause
from scheduler.facts import MissReason, SkipReason, Stage
from scheduler.ledger import pauses, skips
from scheduler.ledger.driver import Driver
from scheduler.ledger.pruning import shut_before
from scheduler.model import Occurrence, Schedule

GAP_SLOT = "*"
"""The slot of the one row that stands for a schedule's promises of a long absence (S4)."""

_COLUMNS = (
    *("key", "schedule", "slot", "date", "participant", "due", "opens", "shuts", "max_call_s", "absent_s"),
    *("timezone", "private", "stage", "reason", "starts_at", "attempt", "mark", "looks", "tries", "faults"),
    *("not_there", "party", "overlap", "rank"),
)
_INSERT = (
    f"INSERT INTO records ({', '.join(_COLUMNS)}) "  # noqa: S608
    f"VALUES ({', '.join('?' * len(_COLUMNS))}) ON CONFLICT (key) DO NOTHING"
)
_TALLY = """
INSERT INTO tallies SELECT schedule, date, count(*) FROM records WHERE rowid > ? GROUP BY 1, 2
ON CONFLICT (schedule, date) DO UPDATE SET promised = tallies.promised + excluded.promised
"""
_SETTLE = """
UPDATE records SET due = ?1, opens = ?2, shuts = ?3, rank = ?4, max_call_s = ?5, absent_s = ?6, private = ?7,
  overlap = ?8, timezone = ?10, generation = NULL,
  starts_at = CASE WHEN starts_at = opens OR starts_at < ?2 THEN ?2 ELSE starts_at END
WHERE key = ?9 AND stage = 'planned'
"""


class Waiting(NamedTuple):
    """A promise that waits to be claimed: when it is due, and the zone whose clock says so."""

    key: str
    due: Instant
    timezone: str


class Closed(NamedTuple):
    """Promises that were terminal as they were written: how many, of which schedule and day, and why."""

    stage: str
    reason: str
    schedule: str
    date: str
    promises: int


def promise(
    driver: Driver,
    occurrences: Iterable[Occurrence],
    schedules: Mapping[str, Schedule],
    secret: bytes,
    now: Instant,
) -> list[Closed]:
    """Write what is not written yet: planned, skipped with its reason, or missed when it is too late (S4); of
    what is too late, what opened in a pause is skipped (S5), and what a person took back waits to be met.

    What may have been forgotten since is left alone, whatever the clock says (S1).
    """
    forgotten = shut_before(driver)
    fresh = (o for o in occurrences if o.shuts > forgotten)
    judged = _judge(pauses.remembered(driver), skips.ahead(driver), now)
    newest = _insert(driver, (_row(o, schedules[o.schedule], secret, *judged(o)) for o in fresh))
    driver.execute(
        "INSERT INTO facts (key, at, kind, data) SELECT key, ?, stage, '{\"reason\":\"' || reason || '\"}' "
        "FROM records WHERE rowid > ? AND stage != 'planned'",
        (now, newest),
    )
    return [
        Closed(*row)
        for row in driver.fetch(
            "SELECT stage, reason, schedule, date, count(*) FROM records "
            "WHERE rowid > ? AND stage != 'planned' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
            (newest,),
        )
    ]


def gap(driver: Driver, schedule: str, date: str, count: int, since: Instant, now: Instant) -> bool:
    """One row for all that a schedule would have promised while we were away for a week or more (S4);
    whether it wasn't there yet."""
    key = f"{schedule}/{GAP_SLOT}/{date}/-"
    late = (Stage.MISSED, MissReason.GAP)
    row = (key, schedule, GAP_SLOT, date, None, since, since, now, 0, 0, "UTC", 0, *late, since, 1, "")
    newest = _insert(driver, [(*row, 0, 0, 0, 0, f"s/{schedule}", "allow", 0)])
    if not driver.fetch("SELECT 1 FROM records WHERE rowid > ?", (newest,)):
        return False
    driver.execute(
        "INSERT INTO facts (key, at, kind, data) VALUES (?, ?, 'missed', ?)",
        (key, now, json.dumps({"reason": MissReason.GAP, "promises": count})),
    )
    return True


def settle(driver: Driver, stays: Iterable[Occurrence], schedules: Mapping[str, Schedule]) -> None:
    """Give the planned rows of these occurrences the times and terms of the configuration as it is now,
    also those that were claimed before and came back.

    A time at which one is to be tried again is kept, unless it only opens later than that.
    """
    driver.execute_many(_SETTLE, (_settled(o, schedules[o.schedule]) for o in stays))


def planned(driver: Driver) -> list[Waiting]:
    """All promises that wait to be claimed."""
    sql = "SELECT key, due, timezone FROM records WHERE stage = 'planned' ORDER BY due, rank, key"
    return [Waiting(*row) for row in driver.fetch(sql)]


def _insert(driver: Driver, rows: Iterable[Sequence[object]]) -> int:
    """Write these promises and count them; the newest row that was there before."""
    newest: int = driver.fetch("SELECT coalesce(max(rowid), 0) FROM records")[0][0]
    driver.execute_many(_INSERT, rows)
    driver.execute(_TALLY, (newest,))
    return newest


def _row(
    o: Occurrence, schedule: Schedule, secret: bytes, stage: Stage, reason: str | None
) -> Sequence[object]:
    key = o.key
    waits = stage is Stage.PLANNED
    mark = marks.mark(secret, key) if waits else ""
    terms = schedule.request.properties
    return (
        *(key, o.schedule, o.slot, o.date, o.participant, o.due, o.opens, o.shuts),
        *(terms.max_call_duration, terms.participant_absent_timeout, o.timezone),
        int(bool(schedule.request.require_auth)),
        *(stage, reason, o.opens, 1, mark, 0, 0, 0, 0, _party(o), schedule.overlap, o.rank),
    )


def _settled(o: Occurrence, schedule: Schedule) -> Sequence[object]:
    terms = schedule.request.properties
    clocks = (terms.max_call_duration, terms.participant_absent_timeout)
    private = int(bool(schedule.request.require_auth))
    return (o.due, o.opens, o.shuts, o.rank, *clocks, private, schedule.overlap, o.key, o.timezone)


def _judge(
    paused: Sequence[Pause], taken_back: Collection[str], now: Instant
) -> Callable[[Occurrence], tuple[Stage, str | None]]:
    """Where a promise begins."""

    def judged(o: Occurrence) -> tuple[Stage, str | None]:
        if o.skip is not None:
            return Stage.SKIPPED, o.skip
        if now <= o.shuts or (taken_back and o.key in taken_back):
            return Stage.PLANNED, None
        if pauses.covers(paused, o, now):
            return Stage.SKIPPED, SkipReason.PAUSED
        return Stage.MISSED, MissReason.LATE

    return judged


def _party(o: Occurrence) -> str:
    """Who can't be in two conversations at once: the participant, else the schedule (S6)."""
    return f"s/{o.schedule}" if o.participant is None else f"p/{o.participant}"
