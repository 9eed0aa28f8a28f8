"""The terms of a claimed occurrence, rendered from the generation that its claim names (S7).

Rendered after the claim, the same again at any time: body, timers and addresses come from the
configuration of that generation, whatever has been swapped in since. Nothing is kept but the last
few generations, decoded.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from jobs.model import Address, ConversationRequest, Instant, Invitation, Participant, Wording
from scheduler import marks, policy
from scheduler.config import thaw
from scheduler.ledger import Ledger
from scheduler.model import Schedule
from scheduler.record import Record
from scheduler.templates import Context, SlotView, Templates
from scheduler.zones import zone

KEPT = 4
"""Generations kept decoded; one of 10,000 people takes a few megabytes."""

SLOTS_KEPT = 1024
"""Local times of day kept: one slot is the same for thousands."""


class _Agreed:
    """One schedule of a generation, and what of it is the same for everybody."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule

    @cached_property
    def people(self) -> Mapping[str, Participant]:
        return {person.id: person for person in self.schedule.participants}

    @cached_property
    def written(self) -> Mapping[str, Any]:
        """The request's fields that are not left out."""
        request = self.schedule.request
        values = ((each.name, getattr(request, each.name)) for each in fields(request))
        return {name: value for name, value in values if value is not None}

    def person(self, record: Record) -> Participant | None:
        return None if record.participant is None else self.people[record.participant]


class Terms:
    """What was agreed for a record, by its generation. Raises TemplateError and LedgerError."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._reading = asyncio.Lock()
        self._templates = Templates()
        self._generations: OrderedDict[int, Mapping[str, _Agreed]] = OrderedDict()
        self._local_time = lru_cache(maxsize=SLOTS_KEPT)(_local_time)

    def know(self, generation: int, schedules: Mapping[str, Schedule]) -> None:
        """Remember a generation that was just swapped in or read back, as the newest."""
        self._generations[generation] = {name: _Agreed(schedule) for name, schedule in schedules.items()}
        self._generations.move_to_end(generation)
        while len(self._generations) > KEPT:
            self._generations.popitem(last=False)

    async def request(self, record: Record) -> ConversationRequest:
        """The rendered request, its name ending in our mark (S12)."""
        agreed = await self._agreed(record)
        slot = SlotView(record.slot, record.date, self._local_time(record.due, record.timezone))
        context = Context(record.schedule, slot, agreed.person(record))
        said = {**agreed.written, **self._templates.texts(agreed.schedule.request, context)}
        said["conversation_name"] = marks.marked(said.get("conversation_name"), record.mark, record.attempt)
        return ConversationRequest(**said)

    async def invitation(self, record: Record) -> tuple[Invitation, Wording]:
        """What a message tells of the record's conversation, and the schedule's own words for it."""
        agreed = await self._agreed(record)
        person = agreed.person(record)
        made_at = record.due if record.created_at is None else record.created_at
        invitation = Invitation(
            id=_message_id(record),
            key=record.key,
            schedule=record.schedule,
            slot=record.slot,
            date=record.date,
            participant=person,
            timezone=(person and person.timezone) or record.timezone,
            due=record.due,
            url=record.url or "",
            created_at=made_at,
            not_after=policy.link_dies_at(made_at, record.absent_s),
            max_call_s=record.max_call_s,
            practice=await self._practice(record, agreed),
        )
        return invitation, agreed.schedule.wording

    async def participant(self, record: Record) -> Participant | None:
        """Whom the record is for."""
        return (await self._agreed(record)).person(record)

    async def addresses(self, record: Record) -> tuple[Address, ...]:
        """Where the record's link goes."""
        agreed = await self._agreed(record)
        return agreed.schedule.addresses(agreed.person(record))

    async def _practice(self, record: Record, agreed: _Agreed) -> str | None:
        """What will be practised: the conversation's name as it was sent, without our mark."""
        if agreed.schedule.request.conversation_name is None:
            return None
        return marks.unmarked((await self.request(record)).conversation_name or "")

    async def _agreed(self, record: Record) -> _Agreed:
        generation = record.generation or 0
        if generation not in self._generations:
            await self._recall(generation)
        return self._generations[generation][record.schedule]

    async def _recall(self, generation: int) -> None:
        """Read it once, whoever wants it: a full hour's thousands come together."""
        async with self._reading:
            if generation not in self._generations:
                terms = await self._ledger.terms(generation)
                self.know(generation, await asyncio.to_thread(thaw, terms))


def _message_id(record: Record) -> str:
    """What is handed over once more is another message, or it would be hidden as a copy (S27)."""
    first = marks.named(record.mark, record.attempt)
    return f"{first}-r{record.resends}" if record.resends else first


def _local_time(due: Instant, timezone: str) -> str:
    return datetime.fromtimestamp(due, zone(timezone)).strftime("%H:%M")
