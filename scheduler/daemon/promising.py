"""Promises are written a quarter of an hour before they open; what lies further ahead is computed.

This is where the planner meets the ledger: at a start (what was missed while we were away, S4),
turn by turn, and when a configuration is swapped (S7). What takes long for ten thousand people is
computed beside the loop, which must not stall. Nothing is kept here that the ledger doesn't keep.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from jobs.model import Instant
from scheduler import makeups, policy
from scheduler.config import freeze
from scheduler.facts import Cancelled, CancelReason, Skipped, SkipReason
from scheduler.ledger import Ledger, Note, Waiting
from scheduler.model import Occurrence, Schedule
from scheduler.planner import finder, occurrences

LOOK_AHEAD_S = 6 * 3600.0
"""How far ahead the next opening is looked for: an idle house plans a few times a day."""

PLAN_GAP_S = 60.0
"""Schedules with a slot every few seconds are planned a minute at a time."""


class Promising:
    """Writes promises ahead of time; `next_at` is when it has something to write again, `next_due` when the
    first promise that it has not written yet is due, if that is soon enough to be known."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._schedules: Mapping[str, Schedule] = {}
        self.generation = 0
        self.next_at: Instant = 0.0
        self.next_due: Instant | None = None

    async def begin(self, schedules: Mapping[str, Schedule], now: Instant) -> None:
        """Take up the plan where the ledger's high-water mark stands, with these schedules."""
        mark = await self._ledger.promised_until()
        if now - mark > policy.AWAY_S:
            mark = await self._close_absence(schedules, mark, now)
        await self._take(schedules, min(mark, now), now)

    async def swap(self, schedules: Mapping[str, Schedule], now: Instant) -> Mapping[str, int]:
        """Go on with these schedules from now; how many promises stay, move and are cancelled.

        What the former ones promised until now is written first, so that nothing is lost between them.
        """
        await self.ahead(now)
        return await self._take(schedules, now, now)

    async def ahead(self, now: Instant) -> None:
        """Write what opens within the next quarter of an hour, if it isn't written yet."""
        if now < self.next_at:
            return
        mark = await self._ledger.promised_until()
        until = now + policy.PROMISE_AHEAD_S
        if until > mark:
            plan = occurrences(self._schedules.values(), mark, until)
            await self._ledger.promise(plan, self._schedules, now, until)
        after = max(mark, until)
        coming = await asyncio.to_thread(_next, self._schedules.values(), after)
        opens, self.next_due = (coming.opens, coming.due) if coming else (after + LOOK_AHEAD_S, None)
        self.next_at = max(opens - policy.PROMISE_AHEAD_S, now + PLAN_GAP_S)

    async def _take(
        self, schedules: Mapping[str, Schedule], mark: Instant, now: Instant
    ) -> Mapping[str, int]:
        self._schedules = schedules
        self.generation = await self._ledger.generation(await asyncio.to_thread(freeze, schedules), now)
        planned = await self._ledger.planned()
        stays, notes, moved = await asyncio.to_thread(_sorted, planned, schedules, now)
        if notes:
            await self._ledger.note(*notes)
        await self._ledger.settle(stays, schedules, mark)
        self.next_at = 0.0
        return {"stay": len(stays) - moved, "moved": moved, "cancelled": len(notes)}

    async def _close_absence(self, schedules: Mapping[str, Schedule], mark: Instant, now: Instant) -> Instant:
        """Away for more than a week: one row for each schedule, and the plan goes on from now (S4)."""
        longest_s = max((s.lead_s + s.start_window_s for s in schedules.values()), default=0)
        until = now - longest_s
        for name, (missed, first) in (
            await asyncio.to_thread(_missed, schedules.values(), mark, until)
        ).items():
            date = datetime.fromtimestamp(first, UTC).date().isoformat()
            await self._ledger.gap(name, date, missed, mark, now)
        return until


def _missed(
    schedules: Collection[Schedule], mark: Instant, until: Instant
) -> Mapping[str, tuple[int, Instant]]:
    """How many promises of each schedule opened during the absence, and when the first did."""
    counts: Counter[str] = Counter()
    first: dict[str, Instant] = {}
    for occurrence in occurrences(schedules, mark, until):
        if occurrence.skip is not None:
            continue
        counts[occurrence.schedule] += 1
        first.setdefault(occurrence.schedule, occurrence.opens)
    return {name: (number, first[name]) for name, number in counts.items()}


def _next(schedules: Collection[Schedule], after: Instant) -> Occurrence | None:
    """What opens first within the next hours."""
    return next(occurrences(schedules, after, after + LOOK_AHEAD_S), None)


def _sorted(
    planned: Sequence[Waiting], schedules: Mapping[str, Schedule], now: Instant
) -> tuple[list[Occurrence], list[Note], int]:
    """Of the promises that wait: those that stay, notes for those that don't, and how many move (S7)."""
    find = finder(schedules.values())
    stays, notes, moved = [], [], 0
    for key, due, timezone in planned:
        occurrence = find(key) or makeups.settled(schedules, key, due, timezone)
        if occurrence is None or (occurrence.due != due and occurrence.opens <= now):
            notes.append(Note(key, Cancelled(CancelReason.REMOVED), now))
        elif occurrence.skip is not None:
            notes.append(Note(key, Skipped(SkipReason(occurrence.skip)), now))
        else:
            stays.append(occurrence)
            moved += occurrence.due != due
    return stays, notes, moved
