"""A person or a schedule on a date: which promises that is, and why there is none where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from jobs.model import Instant
from scheduler.explaining.calendar import next_words, no_slot, plan_words
from scheduler.model import Schedule
from scheduler.planner import occurrences

_DAY = timedelta(days=1)
_REACH_S = 86_400.0
"""Zones, leads and spreads move an opening by less than this from its date in UTC, at either end."""


class Absence(NamedTuple):
    """A schedule that promises nothing on the date, and why."""

    schedule: str
    words: str


def keys_on(schedules: Mapping[str, Schedule], day: date, participant: str | None) -> Iterator[str]:
    """The keys of this local date, of one person or of all, in order of time."""
    for each in schedules.values():
        if participant is None or any(one.id == participant for one in each.participants):
            yield from _keys(each, day, participant)


def _keys(schedule: Schedule, day: date, participant: str | None) -> Iterator[str]:
    after, until = _around(schedule, day)
    for each in occurrences([schedule], after, until):
        if each.date == day.isoformat() and participant in (None, each.participant):
            yield each.key


def _around(schedule: Schedule, day: date) -> tuple[Instant, Instant]:
    midnight = datetime.combine(day, time(), UTC)
    return (
        midnight.timestamp() - _REACH_S - schedule.lead_s,
        (midnight + _DAY).timestamp() + _REACH_S + schedule.spread_s,
    )


def nothing_on(
    schedules: Mapping[str, Schedule], day: date, participant: str | None, now: Instant
) -> Iterator[Absence]:
    """Of the schedules that concern this person (or of all), those that name nothing on this date.

    With a person in no schedule at all, each schedule says so.
    """
    theirs = [
        each
        for each in schedules.values()
        if participant is None or any(one.id == participant for one in each.participants)
    ]
    for each in theirs or schedules.values():
        if not theirs:
            yield Absence(each.name, f"{participant} is in none of its rosters: {plan_words(each)}")
        elif why := no_slot(each, day):
            after = max(now, datetime.combine(day, time(), UTC).timestamp())
            yield Absence(each.name, f"{why}; {next_words(each, after)}")
