"""Why a schedule's calendar has, or hasn't, a slot on a date: bounds, weekdays, exclusions, names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import islice

from jobs.model import Instant
from scheduler.explaining.words import counted, day_words, form_words, listed, wall
from scheduler.model import Every, Exclusion, Schedule, Slot, When
from scheduler.planner import slots
from scheduler.triggers import slots_on

AHEAD_S = 400 * 86_400.0
"""How far ahead the next slot is looked for: yearly ones are found."""


def plan_words(schedule: Schedule) -> str:
    """`Monday to Friday at 09:00, for 24 people`."""
    forms = "; ".join(form_words(when.form) for when in schedule.when)
    many = len(schedule.participants)
    return f"{forms}, for {counted(many, 'person')}" if many else forms


def no_slot(schedule: Schedule, day: date) -> str | None:
    """Why nothing is named on this date, form by form; `None` when something is."""
    reasons = [_why_not(when, day) for when in schedule.when]
    return "; ".join(dict.fromkeys(why for why in reasons if why)) if all(reasons) else None


def no_such_slot(schedule: Schedule, slot: str, day: date) -> str:
    """Why this slot is not among those of a date that has some."""
    names = [each.name for when in schedule.when for each in _slots(when, day)]
    if not names:
        return f"nothing of it is at {slot}: {plan_words(schedule)}"
    more = [f"{len(names) - 5} more"] if len(names) > 5 else []
    return f"it has no slot {slot} on this date; it has {listed([*names[:5], *more])}"


def excluded(schedule: Schedule, day: date) -> str:
    """Which exclusion takes this date, by its name."""
    found = (each for when in schedule.when for each in when.exclusions if each.first <= day <= each.last)
    return f"excluded by `except`: {_exclusion(each)}" if (each := next(found, None)) else "excluded"


def next_words(schedule: Schedule, after: Instant) -> str:
    """When it has its next slot that will be kept: `next: 2026-12-01 09:00 America/New_York`."""
    if not schedule.enabled:
        return "and it is disabled"
    coming = islice(slots([schedule], after, after + AHEAD_S), 10_000)
    found = next((each for each in coming if each.skip is None), None)
    return f"next: {wall(found.at, found.timezone)} {found.timezone}" if found else "no other one in a year"


def _why_not(when: When, day: date) -> str | None:
    if when.first and day < when.first:
        return f"it begins on {when.first} (`from`)"
    if when.last and day > when.last:
        return f"it ended on {when.last} (`until`)"
    if isinstance(when.form, Every) or slots_on(when.form, day):
        return None
    return f"{day_words(day)} is none of its days: {form_words(when.form)}"


def _slots(when: When, day: date) -> Iterator[Slot]:
    if not isinstance(when.form, Every) and _why_not(when, day) is None:
        yield from slots_on(when.form, day)


def _exclusion(each: Exclusion) -> str:
    dates = str(each.first) if each.first == each.last else f"{each.first} to {each.last}"
    return f"{each.name} ({dates})" if each.name else dates
