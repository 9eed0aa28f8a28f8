"""What another configuration changes: which promises come, go and move, and what a person should know of it.

Two configurations are compared by what they promise, not by how they are written. People for whom a schedule
changes alike are computed once: a roster of thousands costs no more than one of a few. What the ledger has is
not known here; a promise that has opened is left out, since no edit reaches it (S7).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import NamedTuple

from jobs.model import Instant, Participant
from scheduler.model import Days, Every, Monthly, Occurrence, Schedule
from scheduler.planner import occurrences
from scheduler.vitals import Changed, Changes
from scheduler.zones import zone

DAYS = 7
"""So many whole days after today are compared."""
MOST, LEAST = 50_000, 500
"""Promises looked at in all on either side, and of those who are alike: bounds what a reload computes."""

MOVED_TIMES = (
    "a time without a name is another promise: on a day that has begun, both may be kept; "
    "name the slot (at: {morning: ...}) to move it"
)
"""Why `moved_times` matters (S1)."""

Schedules = Mapping[str, Schedule]
_DAY_S = 86_400.0


class _Alike(NamedTuple):
    """People for whom a schedule changes alike: it as one of them has it, before and after, and how many they
    are; `None` where they have none."""

    before: Schedule | None
    after: Schedule | None
    people: int


class _Change(NamedTuple):
    kind: str
    promise: Occurrence


def changes(before: Schedules, after: Schedules, now: Instant) -> Changes:
    """What `after` changes of what `before` promises from now on, through the next days."""
    tally: Counter[tuple[str, bool]] = Counter()
    cut, everybody = False, list(_all_alike(before, after))
    most = max(LEAST, MOST // max(1, len(everybody)))
    for alike in everybody:
        was, will = _within(alike.before, now, most), _within(alike.after, now, most)
        horizon = min(_end(now), *(each.until for each in (was, will)))
        for change in _compared(was.by_key, will.by_key, now, horizon):
            tally[change.kind, _is_today(change.promise, now)] += alike.people
        cut = cut or horizon < _end(now)
    today, later = (
        Changed(*(tally[kind, when] for kind in ("added", "removed", "moved"))) for when in (True, False)
    )
    return Changes(today, later, DAYS, cut)


def moved_times(before: Schedules, after: Schedules) -> tuple[str, ...]:
    """The schedules whose unnamed times have changed: a new promise beside the old one (S1)."""
    both = ((name, before[name], after[name]) for name in after if name in before)
    return tuple(
        name for name, old, new in both if _unnamed(old) - _unnamed(new) and _unnamed(new) - _unnamed(old)
    )


# --- whose ----------------------------------------------------------------------------------------


def _all_alike(before: Schedules, after: Schedules) -> Iterator[_Alike]:
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old != new:
            yield from _by_person(old, new)


def _by_person(old: Schedule | None, new: Schedule | None) -> Iterator[_Alike]:
    """A schedule's people, those together who are in or out of it alike, and whose zones are the same."""
    was, will = _zones(old), _zones(new)
    kinds = {person: (was.get(person), will.get(person)) for person in {**was, **will}}
    many = Counter(kinds.values())
    one_of = {kind: person for person, kind in kinds.items()}
    for kind, person in one_of.items():
        yield _Alike(_only(old, person), _only(new, person), many[kind])


def _zones(schedule: Schedule | None) -> dict[str | None, str]:
    """Who is in it, each with their zone; nobody (`None`) where it is for nobody in particular."""
    if schedule is None:
        return {}
    people: dict[str | None, str] = {each.id: each.timezone or "" for each in schedule.participants}
    return people or {None: ""}


def _only(schedule: Schedule | None, person: str | None) -> Schedule | None:
    """The schedule as this one has it."""
    if schedule is None or (person is None) == bool(schedule.participants):
        return None
    found: tuple[Participant, ...] = tuple(each for each in schedule.participants if each.id == person)
    return replace(schedule, participants=found) if found or person is None else None


# --- what -----------------------------------------------------------------------------------------


class _Window(NamedTuple):
    """What opens around the time in question, by key; `until` is how far that could be looked at."""

    by_key: Mapping[str, Occurrence]
    until: Instant


def _within(schedule: Schedule | None, now: Instant, most: int) -> _Window:
    """With a day more at either end: a key has its date, and moves no further. Ticks don't move at all."""
    if schedule is None:
        return _Window({}, float("inf"))
    more_s = 0.0 if all(isinstance(when.form, Every) for when in schedule.when) else _DAY_S
    coming = occurrences([schedule], now - more_s, _end(now) + more_s)
    found = list(islice(coming, most))
    cut = next(coming, None)
    return _Window({each.key: each for each in found}, float("inf") if cut is None else cut.opens - 1)


def _compared(
    was: Mapping[str, Occurrence], will: Mapping[str, Occurrence], now: Instant, horizon: Instant
) -> Iterator[_Change]:
    for key, old in was.items():
        if now < old.opens <= horizon and old.skip is None:
            new = will.get(key)
            if new is None or new.skip is not None or (new.due != old.due and new.opens <= now):
                yield _Change("removed", old)
            elif new.due != old.due:
                yield _Change("moved", old)
    for key, new in will.items():  # what was there before is not made twice, also when it has opened (S1)
        earlier = was.get(key)
        if now < new.opens <= horizon and new.skip is None and (earlier is None or earlier.skip is not None):
            yield _Change("added", new)


def _end(now: Instant) -> Instant:
    """Far enough for whole days after today, wherever on earth."""
    tomorrow = datetime.fromtimestamp(now, UTC).date() + timedelta(days=DAYS + 1)
    return datetime.combine(tomorrow, time(), UTC).timestamp()


def _is_today(each: Occurrence, now: Instant) -> bool:
    return _local_date(each.due, each.timezone) == _local_date(now, each.timezone)


def _local_date(at: Instant, timezone: str) -> date:
    return datetime.fromtimestamp(at, zone(timezone)).date()


def _unnamed(schedule: Schedule) -> set[str]:
    forms = [when.form for when in schedule.when]
    slots = [slot for form in forms if isinstance(form, Days | Monthly) for slot in form.slots]
    return {slot.name for slot in slots if slot.name == slot.at.isoformat()[: len(slot.name)]}
