"""Schedules and a window of time give occurrences: who is promised what, and when.

`triggers` says when a slot is; here come the people, the spread that moves each of them (S8), the fair
rotation that orders them (S18), and the window in which a conversation may be created (S4). Instants are
computed once for a slot and only stamped for each person: a month may hold hundreds of thousands. The
planner remembers nothing, knows no ledger and no present: what was already promised is not its question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import cache
from hashlib import blake2b
from heapq import merge
from itertools import chain, groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

from jobs.model import Instant, Participant
from scheduler.facts import SkipReason
from scheduler.model import PARTICIPANT_ZONE, Occurrence, Schedule
from scheduler.triggers import Moment, in_order, moment, moments

_GOLDEN = 0.6180339887498949


class _Group(NamedTuple):
    """Those of a schedule's roster who share a zone of their own, with their places in the whole roster."""

    schedule: Schedule
    own_zone: str
    roster_size: int
    members: tuple[tuple[int, str | None], ...]


class _Cue(NamedTuple):
    """One moment for one group. Its occurrences open between `opens` and `room_s` later."""

    opens: Instant
    group: _Group
    moment: Moment
    room_s: float


def occurrences(schedules: Iterable[Schedule], after: Instant, until: Instant) -> Iterator[Occurrence]:
    """Every occurrence with after < opens <= until, in order of (opens, due, rank, key's parts).

    A stream: it holds little more than the people of the slots that open together. Windows that join
    give exactly what one window over both gives. ValueError when a participant's zone is asked for and
    neither the participant nor the schedule names one.
    """
    streams = [_cues(group, after, until) for schedule in schedules for group in _groups(schedule)]
    together = groupby(merge(*streams, key=attrgetter("opens")), key=attrgetter("opens"))
    steps = ((opens, [each for cue in cues for each in _stamp(cue)]) for opens, cues in together)
    return (each for each in in_order(steps, key=_order) if after < each.opens <= until)


class SlotTime(NamedTuple):
    """One slot on one date, and for how many it is: all whose clocks agree. They are due at `at`, or within
    `room_s` after it. `skip` and `note` are as an occurrence has them."""

    at: Instant
    schedule: str
    slot: str
    date: str
    timezone: str
    people: int
    room_s: float
    skip: str | None
    note: str | None


def slots(schedules: Iterable[Schedule], after: Instant, until: Instant) -> Iterator[SlotTime]:
    """Every slot with after < at <= until, in order of time, however many people it is for: what a page can
    show of a week in which a hundred thousand are called. Raises as `occurrences` does."""
    streams = [_slots(group, after, until) for schedule in schedules for group in _groups(schedule)]
    return merge(*streams, key=attrgetter("at"))


def finder(schedules: Iterable[Schedule]) -> Callable[[str], Occurrence | None]:
    """A look-up by key for one configuration: the occurrence that a key names there, or None.

    Computes the key's own date only, and reads each roster once, so a reload may ask for thousands.
    """
    by_name = {schedule.name: schedule for schedule in schedules}
    people = cache(lambda name: {each.id: i for i, each in enumerate(by_name[name].participants)})

    def find_one(key: str) -> Occurrence | None:
        name, _, rest = key.partition("/")
        slot, _, rest = rest.partition("/")
        day, _, person = rest.partition("/")
        if name not in by_name or not (group := _group_of(by_name[name], people(name), person)):
            return None
        found = next((each for cue in _cue_named(group, slot, day) for each in _stamp(cue)), None)
        return found if found and found.key == key else None

    return find_one


def find(schedules: Iterable[Schedule], key: str) -> Occurrence | None:
    """The occurrence that `key` names in these schedules as they are now, or None (S7)."""
    return finder(schedules)(key)


# --- people ---------------------------------------------------------------------------------------


def _groups(schedule: Schedule) -> list[_Group]:
    """The roster by personal zone; one group of all when no form asks for it, or when there is nobody."""
    if not schedule.participants:
        return [_Group(schedule, "", 1, ((0, None),))]
    by_zone: dict[str, list[tuple[int, str | None]]] = {}
    for place, person in enumerate(schedule.participants):
        by_zone.setdefault(_own_zone(schedule, person), []).append((place, person.id))
    size = len(schedule.participants)
    return [_Group(schedule, zone, size, tuple(members)) for zone, members in by_zone.items()]


def _group_of(schedule: Schedule, places: dict[str, int], person: str) -> _Group | None:
    """The one person of a key, as a group."""
    if not schedule.participants:
        return _groups(schedule)[0]
    place = places.get(person)
    if place is None:
        return None
    own_zone = _own_zone(schedule, schedule.participants[place])
    return _Group(schedule, own_zone, len(schedule.participants), ((place, person),))


def _own_zone(schedule: Schedule, person: Participant) -> str:
    if all(when.timezone != PARTICIPANT_ZONE for when in schedule.when):
        return ""
    own_zone = person.timezone or schedule.fallback_zone
    if own_zone is None:
        raise ValueError(f"schedule {schedule.name}: participant {person.id} has no time zone")
    return own_zone


# --- times ----------------------------------------------------------------------------------------


def _cues(group: _Group, after: Instant, until: Instant) -> Iterator[_Cue]:
    """What a group is called for, in order of time; looks as far ahead as a spread may reach."""
    schedule = group.schedule
    start, end = after + schedule.lead_s - schedule.spread_s, until + schedule.lead_s
    for each, room_s in _with_room(_merged(group, start, end + schedule.spread_s), schedule.spread_s):
        if each.at > end:
            return
        yield _Cue(each.at - schedule.lead_s, group, each, room_s)


def _cue_named(group: _Group, slot: str, day: str) -> Iterator[_Cue]:
    """The cue of one slot on one ISO date: one or none."""
    try:
        local = date.fromisoformat(day)
    except ValueError:
        return
    schedule = group.schedule
    for when in schedule.when:
        if found := moment(when, _zone_for(group, when.timezone), slot, local):
            later = (each.at - found.at for each in _merged(group, found.at, found.at + schedule.spread_s))
            room_s = next((ahead_s for ahead_s in later if ahead_s > 0), float(schedule.spread_s))
            yield _Cue(found.at - schedule.lead_s, group, found, room_s)
            return


def _slots(group: _Group, after: Instant, until: Instant) -> Iterator[SlotTime]:
    schedule, people = group.schedule, len(group.members)
    for each, room_s in _with_room(_merged(group, after, until + schedule.spread_s), schedule.spread_s):
        if after < each.at <= until:
            skip, note = _withheld(schedule, each)
            yield SlotTime(
                each.at, schedule.name, each.slot, each.date, each.timezone, people, room_s, skip, note
            )


def _merged(group: _Group, start: Instant, end: Instant) -> Iterator[Moment]:
    """The moments of all forms of a schedule, start <= at <= end, in order of time."""
    forms = group.schedule.when
    return merge(
        *(moments(when, _zone_for(group, when.timezone), start, end) for when in forms), key=attrgetter("at")
    )


def _zone_for(group: _Group, written: str) -> str:
    return group.own_zone if written == PARTICIPANT_ZONE else written


def _with_room(found: Iterator[Moment], spread_s: int) -> Iterator[tuple[Moment, float]]:
    """Each moment with the seconds its spread may use: never past the schedule's next moment (S8)."""
    together = (list(moments) for _, moments in groupby(found, key=attrgetter("at")))
    for here, ahead in pairwise(chain(together, [None])):
        if here:
            room_s = min(spread_s, ahead[0].at - here[0].at) if ahead else spread_s
            yield from ((each, room_s) for each in here)


# --- occurrences ----------------------------------------------------------------------------------


def _stamp(cue: _Cue) -> Iterator[Occurrence]:
    """One occurrence for each of the group."""
    schedule, size = cue.group.schedule, cue.group.roster_size
    at, slot, day, timezone, *_ = cue.moment
    skip, note = _withheld(schedule, cue.moment)
    first = _first_place(day, size)
    for place, person in cue.group.members:
        due = at + _offset_s(schedule, slot, person) % cue.room_s if cue.room_s else at
        opens, shuts, rank = due - schedule.lead_s, due + schedule.start_window_s, (place - first) % size
        yield Occurrence(schedule.name, slot, day, person, due, opens, shuts, rank, timezone, skip, note)


def _withheld(schedule: Schedule, moment: Moment) -> tuple[str | None, str | None]:
    """Why nothing will happen then, if so, and what a person should see of it."""
    return (moment.skip, moment.note) if schedule.enabled else (SkipReason.DISABLED, "disabled")


def _first_place(day: str, size: int) -> int:
    """Who of the roster comes first on this date (S18).

    Steps of the golden ratio rather than of one: whatever the rhythm of the dates (a weekly slot, a roster
    of seven), each place is first about as often as any other.
    """
    return int(date.fromisoformat(day).toordinal() * _GOLDEN % 1.0 * size)


def _offset_s(schedule: Schedule, slot: str, person: str | None) -> int:
    """The whole seconds by which the spread moves this person's slot, on every day and machine alike (S8)."""
    name = f"{schedule.name}/{slot}/{person or '-'}".encode()
    return int.from_bytes(blake2b(name, digest_size=8).digest()) % schedule.spread_s


def _order(each: Occurrence) -> tuple[object, ...]:
    return (each.opens, each.due, each.rank, each.schedule, each.slot, each.date)
