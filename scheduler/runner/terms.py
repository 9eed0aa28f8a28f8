"""The terms of a claimed occurrence, rendered from the generation that its claim names (S7).

Rendered after the claim, the same again at any time: body, timers and addresses come from the
configuration of that generation, whatever has been swapped in since. Nothing is kept but the last
few generations, decoded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from jobs.model import Address, ConversationRequest, Participant
from scheduler import marks
from scheduler.config import thaw
from scheduler.ledger import Ledger
from scheduler.model import Schedule
from scheduler.record import Record
from scheduler.templates import Context, SlotView, Templates
from scheduler.zones import zone

KEPT = 4
"""Generations kept decoded; one of 10,000 people takes a few megabytes."""


class Terms:
    """What was agreed for a record, by its generation. Raises TemplateError and LedgerError."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._templates = Templates()
        self._generations: OrderedDict[int, Mapping[str, Schedule]] = OrderedDict()
        self._people: dict[tuple[int, str], Mapping[str, Participant]] = {}

    def know(self, generation: int, schedules: Mapping[str, Schedule]) -> None:
        """Remember a generation that was just swapped in or read back, as the newest."""
        self._generations[generation] = schedules
        self._generations.move_to_end(generation)
        while len(self._generations) > KEPT:
            oldest, _ = self._generations.popitem(last=False)
            self._people = {place: who for place, who in self._people.items() if place[0] != oldest}

    async def request(self, record: Record) -> ConversationRequest:
        """The rendered request, its name ending in our mark (S12)."""
        schedule = await self._schedule(record)
        context = Context(record.schedule, _slot(record), self._person(record, schedule))
        texts = self._templates.texts(schedule.request, context)
        name = texts.get("conversation_name", schedule.request.conversation_name)
        texts["conversation_name"] = marks.marked(name, record.mark, record.attempt)
        return replace(schedule.request, **texts)

    async def participant(self, record: Record) -> Participant | None:
        """Whom the record is for."""
        return self._person(record, await self._schedule(record))

    async def addresses(self, record: Record) -> tuple[Address, ...]:
        """Where the record's link goes."""
        schedule = await self._schedule(record)
        return schedule.addresses(self._person(record, schedule))

    async def _schedule(self, record: Record) -> Schedule:
        generation = record.generation or 0
        if generation not in self._generations:
            self.know(generation, thaw(await self._ledger.terms(generation)))
        return self._generations[generation][record.schedule]

    def _person(self, record: Record, schedule: Schedule) -> Participant | None:
        if record.participant is None:
            return None
        place = (record.generation or 0, record.schedule)
        if place not in self._people:
            self._people[place] = {person.id: person for person in schedule.participants}
        return self._people[place][record.participant]


def _slot(record: Record) -> SlotView:
    local = datetime.fromtimestamp(record.due, zone(record.timezone))
    return SlotView(record.slot, record.date, local.strftime("%H:%M"))
