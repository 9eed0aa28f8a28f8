"""What another configuration changes: which promises come, go and move, and what a person should know of it.

Two configurations are compared by what they promise, not by how they are written. What the ledger has is not
known here: a promise that has opened is left out, since no edit reaches it (S7).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import NamedTuple

from jobs.model import Instant
from scheduler.model import Days, Monthly, Occurrence, Schedule
from scheduler.planner import finder, occurrences
from scheduler.vitals import Changed, Changes
from scheduler.zones import zone

DAYS = 7
"""So many whole days after today are compared."""
MOST = 100_000
"""Promises looked at in all, on either side: bounds what a reload computes beside the loop."""

MOVED_TIMES = (
    "a time without a name is another promise: on a day that has begun, both may be kept; "
    "name the slot (at: {morning: ...}) to move it"
)
"""Why `moved_times` matters (S1)."""

Schedules = Mapping[str, Schedule]
Find = Callable[[str], Occurrence | None]


class _Change(NamedTuple):
    """One promise that comes, goes or moves, told by where and when it stands (or stood)."""

    kind: str
    promise: Occurrence


def changes(before: Schedules, after: Schedules, now: Instant) -> Changes:
    """What `after` changes of what `before` promises from now on, through the next days."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    was, will = ([some[name] for name in names if name in some] for some in (before, after))
    end = _end(now)
    gone, cut = _bounded(was, now, end)
    come, cut_too = _bounded(will, now, end)
    found = chain(_lost(gone, finder(will), now), _gained(come, finder(was)))
    tally = Counter((change.kind, _is_today(change.promise, now)) for change in found)
    today, later = (
        Changed(*(tally[kind, when] for kind in ("added", "removed", "moved"))) for when in (True, False)
    )
    return Changes(today, later, DAYS, cut or cut_too)


def moved_times(before: Schedules, after: Schedules) -> tuple[str, ...]:
    """The schedules whose unnamed times have changed: a new promise beside the old one (S1)."""
    both = ((name, before[name], after[name]) for name in after if name in before)
    return tuple(
        name for name, old, new in both if _unnamed(old) - _unnamed(new) and _unnamed(new) - _unnamed(old)
    )


def _end(now: Instant) -> Instant:
    """Far enough for whole days after today, wherever on earth."""
    tomorrow = datetime.fromtimestamp(now, UTC).date() + timedelta(days=DAYS + 1)
    return datetime.combine(tomorrow, time(), UTC).timestamp()


def _bounded(schedules: Sequence[Schedule], now: Instant, end: Instant) -> tuple[list[Occurrence], bool]:
    """What will be kept of these, and whether there is more than could be looked at."""
    found: list[Occurrence] = []
    for place, each in enumerate(occurrences(schedules, now, end)):
        if place >= MOST:
            return found, True
        if each.skip is None:
            found.append(each)
    return found, False


def _lost(gone: Sequence[Occurrence], find: Find, now: Instant) -> Iterator[_Change]:
    for each in gone:
        still = find(each.key)
        if still is None or still.skip is not None or (still.due != each.due and still.opens <= now):
            yield _Change("removed", each)
        elif still.due != each.due:
            yield _Change("moved", each)


def _gained(come: Sequence[Occurrence], find: Find) -> Iterator[_Change]:
    """A promise that was there before is none, also when it has opened since: it is not made twice (S1)."""
    for each in come:
        earlier = find(each.key)
        if earlier is None or earlier.skip is not None:
            yield _Change("added", each)


def _is_today(each: Occurrence, now: Instant) -> bool:
    return _local_date(each.due, each.timezone) == _local_date(now, each.timezone)


def _local_date(at: Instant, timezone: str) -> date:
    return datetime.fromtimestamp(at, zone(timezone)).date()


def _unnamed(schedule: Schedule) -> set[str]:
    forms = [when.form for when in schedule.when]
    slots = [slot for form in forms if isinstance(form, Days | Monthly) for slot in form.slots]
    return {slot.name for slot in slots if slot.name == slot.at.isoformat()[: len(slot.name)]}
