"""A conversation's texts: what they can name, where they stand in a request, and whom they are about.

Walks through a request and hands out each of its templates; nothing here knows the language they are
written in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from jobs.model import ConversationRequest, Participant, Properties

NAMES = (
    "participant.id",
    "participant.name",
    "participant.email",
    "participant.timezone",
    "slot.name",
    "slot.date",
    "slot.time",
    "schedule.name",
)
"""All that a conversation's text can name. Each is text; what a person doesn't have is the empty text."""


@dataclass(frozen=True, slots=True)
class SlotView:
    """A slot as a template sees it: its name, the local date (ISO) and the local time (HH:MM)."""

    name: str
    date: str
    time: str


@dataclass(frozen=True, slots=True)
class Context:
    """What one occurrence's texts are made of. `schedule` is the schedule's name."""

    schedule: str
    slot: SlotView
    participant: Participant | None


SAMPLE = Context(
    schedule="sample",
    slot=SlotView("09:00", "2026-01-05", "09:00"),
    participant=Participant("sample", "Sample Person", "sample@example.com", "America/New_York"),
)
"""What texts are checked with."""

Change = Callable[[str, str], str]
"""(field path, text) -> text."""

Holder = ConversationRequest | Properties
FIELDS = tuple(field.name for field in fields(ConversationRequest))
_PROPERTIES = tuple(field.name for field in fields(Properties))


def values(context: Context) -> Mapping[str, str]:
    """The values of NAMES, `_` for the dot; without those of a participant where there is none."""
    slot, person = context.slot, context.participant
    found = {
        "slot_name": slot.name,
        "slot_date": slot.date,
        "slot_time": slot.time,
        "schedule_name": context.schedule,
    }
    if person is not None:
        found["participant_id"] = person.id
        found["participant_name"] = person.name
        found["participant_email"] = person.email or ""
        found["participant_timezone"] = person.timezone or ""
    return found


def changes(holder: Holder, names: Iterable[str], prefix: str, change: Change) -> dict[str, Any]:
    """What is different in `holder` once `change` is applied to each template in `names`."""
    found: dict[str, Any] = {}
    for name in names:
        value = getattr(holder, name)
        changed = _value_changed(value, prefix + name, change)
        if changed != value:
            found[name] = changed
    return found


def _value_changed(value: object, path: str, change: Change) -> object:
    if isinstance(value, str):
        return change(path, value) if "{{" in value or "{%" in value or "{#" in value else value
    if isinstance(value, tuple):
        return tuple(_value_changed(item, f"{path}.{place}", change) for place, item in enumerate(value))
    if isinstance(value, Mapping):
        return {key: _value_changed(item, f"{path}.{key}", change) for key, item in value.items()}
    if isinstance(value, Properties):
        return replace(value, **changes(value, _PROPERTIES, f"{path}.", change))
    return value
