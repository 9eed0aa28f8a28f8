"""Wall calendars: the dates and times of day that a form of `when` names.

APScheduler's CronTrigger does it, always in UTC, where it is right: in a zone it loses days, fires twice and
names times that don't exist (semantics, section 6). So what comes from here has no zone and is no instant;
`resolver` makes one of it. A month's dates and a day's times are computed once and remembered.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from apscheduler.triggers.cron import CronTrigger

from scheduler.model import Cron, Days, Monthly, On, Slot

WallForm = Days | Cron | On | Monthly
"""The forms that name local times; `Every` names instants."""

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ANY_DAY = date(2000, 1, 1)


def slots_on(form: WallForm, day: date) -> tuple[Slot, ...]:
    """What `form` names on one date, in the order written; nothing when the date is not in its calendar.

    A month that has no such day (`31`, `5th fri`) is passed over, as cron does.
    """
    match form:
        case Days():
            weekdays = ",".join(_WEEKDAYS[number] for number in sorted(form.weekdays))
            return form.slots if day in _dates("*", "*", weekdays, day.replace(day=1)) else ()
        case Monthly():
            return form.slots if day in _dates(form.day, "*", "*", day.replace(day=1)) else ()
        case Cron():
            fits = day in _dates(form.day, form.month, form.day_of_week, day.replace(day=1))
            return _times(form.minute, form.hour) if fits else ()
        case On():
            return tuple(unnamed(moment.time()) for moment in form.moments if moment.date() == day)


def unnamed(at: time, suffix: str = "") -> Slot:
    """The slot of a time without a name of its own: `09:00`, or `09:00:30` when seconds matter (S1)."""
    return Slot(at.isoformat("seconds" if at.second else "minutes") + suffix, at)


def check(form: Cron | Monthly) -> None:
    """ValueError, in APScheduler's words, when an expression in `form` can't be read."""
    slots_on(form, _ANY_DAY)
    if isinstance(form, Cron):
        _times(form.minute, form.hour)


@lru_cache(maxsize=4096)
def _dates(day: str, month: str, day_of_week: str, first: date) -> frozenset[date]:
    """The dates of one month, that of `first`, which these fields of a cron expression name."""
    last = first.replace(day=monthrange(first.year, first.month)[1])
    trigger = CronTrigger(day=day, month=month, day_of_week=day_of_week, hour=0, timezone=UTC, end_date=last)
    return frozenset(at.date() for at in _fires(trigger, first))


@lru_cache(maxsize=256)
def _times(minute: str, hour: str) -> tuple[Slot, ...]:
    """The times of day which these fields of a cron expression name, as slots."""
    end = datetime.combine(_ANY_DAY, time(23, 59), UTC)
    trigger = CronTrigger(minute=minute, hour=hour, timezone=UTC, end_date=end)
    return tuple(unnamed(at.time()) for at in _fires(trigger, _ANY_DAY))


def _fires(trigger: CronTrigger, first: date) -> Iterator[datetime]:
    """All that a trigger with an end names from the start of `first`.

    The end matters: without one, a date that never comes (30 February) is searched for up to the year 9999.
    """
    now = datetime.combine(first, time(), UTC)
    while (at := trigger.get_next_fire_time(None, now)) is not None:
        yield at
        now = at + timedelta(seconds=1)
