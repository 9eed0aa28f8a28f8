"""A generation: the resolved schedules as one text, for the ledger to keep (design, section 4).

The text is exact, so that a body, a timer or an address can be worked out from it again at any
time, and deterministic, so that equal schedules are equal texts. It is no format for people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from jobs.model import Participant
from scheduler.model import Schedule


def freeze(schedules: Mapping[str, Schedule]) -> str:
    """The schedules as JSON; everybody stands there once, however many schedules they are in."""
    places: dict[Participant, int] = {}
    adapter = TypeAdapter(Schedule)
    frozen = []
    for schedule in schedules.values():
        who = [places.setdefault(person, len(places)) for person in schedule.participants]
        own = adapter.dump_python(replace(schedule, participants=()), mode="json")
        frozen.append({**own, "participants": who})
    people = [[person.id, person.name, person.email, person.timezone] for person in places]
    return json.dumps({"people": people, "schedules": frozen}, ensure_ascii=False, separators=(",", ":"))


def thaw(text: str) -> Mapping[str, Schedule]:
    """The schedules that were frozen, by name and in their order."""
    found: dict[str, Any] = json.loads(text)
    people = [Participant(*row) for row in found["people"]]
    adapter = TypeAdapter(Schedule)
    schedules = {}
    for frozen in found["schedules"]:
        who = tuple(people[place] for place in frozen["participants"])
        schedules[frozen["name"]] = replace(
            adapter.validate_python({**frozen, "participants": ()}), participants=who
        )
    return schedules
