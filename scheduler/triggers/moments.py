"""A form of `when` as a stream of moments, in order of time.

Here bounds and exclusions are applied, and what the resolver met becomes a reason: a date in the calendar
gives exactly one moment for each slot, never none and never two (S2), so whatever will not happen still
comes out, with the reason why. What lies outside `from` and `until` was never promised and does not.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from math import ceil, floor
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from jobs.model import Instant
from scheduler.facts import SkipReason
from scheduler.model import Every, Gap, When
from scheduler.triggers.calendars import slots_on, unnamed
from scheduler.triggers.resolver import resolve
from scheduler.zones import zone

_DAY = timedelta(days=1)
YEARS = range(1900, 9000)
"""The years that are reckoned with: a date at the end of all calendars has no date after it."""
_T = TypeVar("_T")


class Moment(NamedTuple):
    """One slot on one date, for everybody it is meant for. `date` is ISO: the local one, for `every` that in
    UTC (S1). `skip` and `note` are those of an occurrence."""

    at: Instant
    slot: str
    date: str
    timezone: str
    skip: SkipReason | None
    note: str | None


def moments(when: When, timezone: str, start: Instant, end: Instant) -> Iterator[Moment]:
    """The moments of `when` in the IANA zone `timezone` with start <= at <= end, in order of `at`."""
    if isinstance(when.form, Every):
        return _ticks(when, when.form, timezone, start, end)
    days = _days(when, timezone, start, end)
    return (each for each in in_order(days, key=itemgetter(0, 1, 2)) if start <= each.at <= end)


def moment(when: When, timezone: str, slot: str, day: date) -> Moment | None:
    """The one moment of a slot on a date, or None when `when` does not name it, or nobody can (`YEARS`)."""
    if day.year not in YEARS:
        return None
    if isinstance(when.form, Every):
        return _tick_named(when, when.form, timezone, slot, day)
    return next((each for each in _on(when, timezone, day) if each.slot == slot), None)


def in_order(steps: Iterable[tuple[Instant, list[_T]]], key: Callable[[_T], tuple[Any, ...]]) -> Iterator[_T]:
    """All items sorted by `key`, a tuple that begins with an instant, holding back only what it must.

    Each step is (floor, items): neither its items nor those of any later step come before its floor.
    """
    held: list[_T] = []
    for lowest, items in steps:
        ready = bisect_left(held, (lowest,), key=key)
        yield from held[:ready]
        del held[:ready]
        held += items
        held.sort(key=key)
    yield from held


def _days(when: When, timezone: str, start: Instant, end: Instant) -> Iterator[tuple[Instant, list[Moment]]]:
    """Date by date, each with its own first instant, what may lie between `start` and `end`.

    One date more than the clock shows at either end: a gap carries a wall time into the next date, and a
    fold at midnight goes back to the date before.
    """
    where = zone(timezone)
    day = max(datetime.fromtimestamp(start, where).date() - _DAY, when.first or date.min)
    last = min(datetime.fromtimestamp(end, where).date() + _DAY, when.last or date.max)
    while day <= last:
        midnight, _ = resolve(datetime.combine(day, time()), where, Gap.FIRST_VALID, when.fold)
        yield midnight, list(_on(when, timezone, day))
        day += _DAY


def _on(when: When, timezone: str, day: date) -> Iterator[Moment]:
    """What a form of local times names on one local date, in the order written."""
    if isinstance(when.form, Every) or _outside(when, day):
        return
    for slot in slots_on(when.form, day):
        at, mark = resolve(datetime.combine(day, slot.at), zone(timezone), when.gap, when.fold)
        absent = mark == "date_absent" or (mark == "gap" and when.gap is Gap.SKIP)
        skip = SkipReason.DATE_ABSENT if absent else None
        yield _unless_excluded(when, day, Moment(at, slot.name, day.isoformat(), timezone, skip, mark))


def _ticks(when: When, form: Every, timezone: str, start: Instant, end: Instant) -> Iterator[Moment]:
    first = ceil((start - form.phase_s) / form.interval_s)
    last = floor((end - form.phase_s) / form.interval_s)
    ticks = (_tick(when, timezone, n * form.interval_s + form.phase_s) for n in range(first, last + 1))
    return (tick for tick in ticks if tick)


def _tick(when: When, timezone: str, at_s: int) -> Moment | None:
    """The moment of an instant of `every`: UTC in its name, local where bounds and exclusions are asked."""
    utc = datetime.fromtimestamp(at_s, UTC)
    day = utc.astimezone(zone(timezone)).date()
    if _outside(when, day):
        return None
    slot, utc_day = unnamed(utc.time(), "Z").name, utc.date().isoformat()
    return _unless_excluded(when, day, Moment(float(at_s), slot, utc_day, timezone, None, None))


def _tick_named(when: When, form: Every, timezone: str, slot: str, day: date) -> Moment | None:
    try:
        at = datetime.combine(day, time.fromisoformat(slot.removesuffix("Z")), UTC).timestamp()
    except ValueError:
        return None
    tick = next(_ticks(when, form, timezone, at, at), None)
    return tick if tick and tick.slot == slot else None


def _outside(when: When, day: date) -> bool:
    return not (when.first or day) <= day <= (when.last or day)


def _unless_excluded(when: When, day: date, found: Moment) -> Moment:
    if any(each.first <= day <= each.last for each in when.exclusions):
        return found._replace(skip=SkipReason.EXCLUDED, note="excluded")
    return found
