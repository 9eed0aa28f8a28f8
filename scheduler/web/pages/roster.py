"""People, zones and schedules as the configuration has them, for the pages that show them.

Reads a configuration that it is given, once; what became of promises is the ledger's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from jobs.model import Instant, Participant
from scheduler.model import PARTICIPANT_ZONE, Config, Occurrence, Schedule
from scheduler.planner import SlotTime, occurrences, slots
from scheduler.web.pages.times import DAY_S

AHEAD_S = 32 * DAY_S
"""How far ahead the next slots are looked for."""
NEXT_SLOTS = 3
NEXT_OCCURRENCES = 8


@dataclass(frozen=True, slots=True)
class Person:
    """One person, the schedules that call them, and the zone whose times they are shown."""

    participant: Participant
    schedules: tuple[str, ...]
    timezone: str

    @property
    def words(self) -> str:
        """What they are looked for by."""
        return f"{self.participant.id}\n{self.participant.name}\n{self.participant.email or ''}".casefold()


class Roster:
    """Everybody whom a configuration knows, by id, and the zones they live by, the most used first."""

    def __init__(self, config: Config) -> None:
        self.people: Mapping[str, Person] = _people(config.schedules.values())
        self.zones: Sequence[str] = _zones(config.schedules.values())

    @property
    def zone(self) -> str:
        """The zone of times that belong to nobody in particular."""
        return self.zones[0] if self.zones else "UTC"

    def find(self, text: str) -> list[Person]:
        """Those whose id, name or address holds this text, in the order of the rosters."""
        wanted = text.casefold().strip()
        return [each for each in self.people.values() if wanted in each.words]


def next_slots(schedule: Schedule, now: Instant) -> list[SlotTime]:
    """The next few slots of a schedule that will be kept."""
    kept = (each for each in slots([schedule], now, now + AHEAD_S) if each.skip is None)
    return list(islice(kept, NEXT_SLOTS))


def next_occurrences(config: Config, person: Person, now: Instant) -> list[Occurrence]:
    """What one person is promised next."""
    theirs = [
        replace(config.schedules[name], participants=(person.participant,)) for name in person.schedules
    ]
    return list(islice(occurrences(theirs, now, now + AHEAD_S), NEXT_OCCURRENCES))


def _people(schedules: Iterable[Schedule]) -> dict[str, Person]:
    names: dict[str, list[str]] = {}
    found: dict[str, tuple[Participant, str]] = {}
    for schedule in schedules:
        for each in schedule.participants:
            names.setdefault(each.id, []).append(schedule.name)
            found.setdefault(each.id, (each, each.timezone or _own(schedule)))
    return {id_: Person(each, tuple(names[id_]), zone) for id_, (each, zone) in found.items()}


def _zones(schedules: Iterable[Schedule]) -> list[str]:
    used: Counter[str] = Counter()
    for schedule in (each for each in schedules if each.enabled):
        for when in schedule.when:
            if when.timezone != PARTICIPANT_ZONE:
                used[when.timezone] += max(1, len(schedule.participants))
            else:
                used.update(each.timezone or _own(schedule) for each in schedule.participants)
    return [zone for zone, _ in used.most_common()]


def _own(schedule: Schedule) -> str:
    """The zone of those of a schedule who have none of their own."""
    written = [when.timezone for when in schedule.when if when.timezone != PARTICIPANT_ZONE]
    return schedule.fallback_zone or (written[0] if written else "UTC")
