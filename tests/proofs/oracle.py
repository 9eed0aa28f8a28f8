"""What S1-S4 promise, worked out without the house: the oracle of the histories and the months.

Schedules are plain values here, dates are walked one by one, and each wall time becomes an instant by
zoneinfo's own reading of PEP 495, which is what S2 asks for by default: a time in a gap has the offset before
it, a time that comes twice is its first. Nothing of `scheduler` is imported, and no trigger is asked.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Rule:
    """One schedule: on which dates, at which local times (by slot), in whose zone, for whom.

    `dates` is one of `days` (weekdays), `last` (the last such weekday of a month), `monthday`. A zone of None
    is each person's own.
    """

    name: str
    slots: Mapping[str, time]
    people: Mapping[str, str]
    dates: str = "days"
    weekdays: tuple[str, ...] = WEEKDAYS
    monthday: int = 0
    zone: str | None = None
    excluded: tuple[tuple[date, date], ...] = ()
    first: date = date.min
    last: date = date.max
    lead_s: float = 30.0
    window_s: float = 600.0
    enabled: bool = True


@dataclass(frozen=True)
class Promise:
    """What must have a row: when it is due and, if it must not be kept, why."""

    due: float
    opens: float
    shuts: float
    skip: str | None


def expected(rules: list[Rule], after: float, until: float) -> dict[str, Promise]:
    """Every promise with after < opens <= until, by key."""
    return {
        f"{rule.name}/{slot}/{day}/{person}": found
        for rule in rules
        for day in _days(after, until)
        if _named(rule, day)
        for slot, at in rule.slots.items()
        for person, own in (rule.people or {"-": "UTC"}).items()
        if after < (found := _promise(rule, day, at, rule.zone or own)).opens <= until
    }


def _promise(rule: Rule, day: date, at: time, zone: str) -> Promise:
    due = datetime.combine(day, at, ZoneInfo(zone)).timestamp()
    skip = None if rule.enabled else "disabled"
    if skip is None and any(first <= day <= last for first, last in rule.excluded):
        skip = "excluded"
    return Promise(due, due - rule.lead_s, due + rule.window_s, skip)


def _named(rule: Rule, day: date) -> bool:
    if not rule.first <= day <= rule.last:
        return False
    match rule.dates:
        case "monthday":
            return day.day == rule.monthday
        case "last":
            late = day.day > monthrange(day.year, day.month)[1] - 7
            return late and WEEKDAYS[day.weekday()] in rule.weekdays
        case _:
            return WEEKDAYS[day.weekday()] in rule.weekdays


def _days(after: float, until: float) -> Iterator[date]:
    day = datetime.fromtimestamp(after, UTC).date() - timedelta(days=2)
    end = datetime.fromtimestamp(until, UTC).date() + timedelta(days=2)
    while day <= end:
        yield day
        day += timedelta(days=1)
