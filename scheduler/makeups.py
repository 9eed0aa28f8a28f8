"""Make-ups: what came to nothing is promised again, on another date, because a person asks for it.

A make-up is a promise of its own with a key that names what it makes up, so that asking twice makes one:
`schedule/make-up:<slot>:<date>/<new date>/<participant>`. It is in no schedule's calendar, so here stands
what a change of the configuration leaves of it. Pure: nothing is written here, the present is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time

from jobs.model import Instant
from scheduler.facts import CancelReason, EndedReason, MissReason, SkipReason, Stage
from scheduler.model import Fold, Gap, Occurrence, Schedule
from scheduler.record import Record
from scheduler.triggers import resolve
from scheduler.zones import zone

AHEAD_S = 366 * 86_400.0
"""A make-up is not promised further ahead."""

_SLOT = "make-up:"
_CAME_TO_NOTHING = frozenset(
    {EndedReason.UNDELIVERED, EndedReason.ABSENT, EndedReason.UNSEEN, EndedReason.STARTUP_FAULT}
)


class NotMadeUp(Exception):
    """It can't be made up like this; the text says why, and what can."""


def obstacle(record: Record) -> str | None:
    """Why there is nothing to make up, in words that follow the key; `None` when there is."""
    stands = f"{record.stage} {record.reason}" if record.reason else str(record.stage)
    match record.stage:
        case Stage.PLANNED | Stage.CREATING | Stage.LIVE:
            return f"is {stands}: nothing of it is missed yet"
        case Stage.ENDED if record.reason not in _CAME_TO_NOTHING:
            return f"took place ({stands})"
        case Stage.CANCELLED if record.reason == CancelReason.REMOVED:
            return "was removed from its schedule"
        case Stage.MISSED if record.reason == MissReason.GAP:
            return "stands for a whole absence, of which no single promise is known"
    return None


def stands(record: Record) -> bool:
    """Whether a make-up is still to come, or took place: then there is none beside it."""
    return record.stage is not Stage.CANCELLED and obstacle(record) is not None


def is_make_up(slot: str) -> bool:
    """Whether a slot is that of a make-up."""
    return slot.startswith(_SLOT)


def slot_of(record: Record) -> str:
    """The slot of a record's make-ups; a make-up is made up as what it stood for."""
    return record.slot if is_make_up(record.slot) else f"{_SLOT}{record.slot}:{record.date}"


def make_up(record: Record, schedule: Schedule | None, on: date, at: time | None, now: Instant) -> Occurrence:
    """The promise that makes a record up on this local date, at this local time of the person's zone, or at
    the same one as before. Raises NotMadeUp."""
    if schedule is None:
        raise NotMadeUp(f"there is no schedule {record.schedule} any more")
    timezone = _zone_in(schedule, record)
    if timezone is None:
        raise NotMadeUp(f"{record.participant} is not in schedule {record.schedule} any more")
    if not schedule.enabled:
        raise NotMadeUp(f"schedule {schedule.name} is disabled")
    local = datetime.fromtimestamp(record.due, zone(timezone)).time() if at is None else at
    due, mark = resolve(datetime.combine(on, local), zone(timezone), Gap.SHIFT, Fold.FIRST)
    if mark == "date_absent":
        raise NotMadeUp(f"{on} does not exist in {timezone}")
    if not now <= due <= now + AHEAD_S:
        far = "over" if due < now else "more than a year ahead"
        raise NotMadeUp(f"{on} {local:%H:%M} ({timezone}) is {far}; choose another --on or --at")
    made = _occurrence(schedule, slot_of(record), on.isoformat(), record.participant, due, timezone)
    if made.key == record.key:
        raise NotMadeUp(f"its make-up of {on} came to nothing already; choose another date")
    return made


def settled(schedules: Mapping[str, Schedule], key: str, due: Instant, timezone: str) -> Occurrence | None:
    """A make-up as these schedules have it now: as long as its schedule and its participant are there it
    stays, at its time (S7); else `None`."""
    name, slot, on, person = key.split("/")
    schedule = schedules.get(name)
    if not is_make_up(slot) or schedule is None:
        return None
    participant = None if person == "-" else person
    people: set[str | None] = {each.id for each in schedule.participants}
    if participant not in (people or {None}):
        return None
    return _occurrence(schedule, slot, on, participant, due, timezone)


def _zone_in(schedule: Schedule, record: Record) -> str | None:
    """The zone of the record's person, if they are there; of nobody, the one that it had."""
    if not schedule.participants:
        return record.timezone if record.participant is None else None
    own = {person.id: person.timezone or record.timezone for person in schedule.participants}
    return own.get(record.participant or "")


def _occurrence(
    schedule: Schedule, slot: str, on: str, participant: str | None, due: Instant, timezone: str
) -> Occurrence:
    opens, shuts = due - schedule.lead_s, due + schedule.start_window_s
    skip = None if schedule.enabled else SkipReason.DISABLED
    return Occurrence(schedule.name, slot, on, participant, due, opens, shuts, 0, timezone, skip)
