"""What went wrong with a promise, in a sentence, and when it is tried next.

Reads one record; what is done about it is the lifecycle's and the house's.
"""

from __future__ import annotations

from typing import NamedTuple

from jobs.model import Instant
from scheduler.facts import Stage
from scheduler.record import DeliveryState, Record
from scheduler.web.pages.story import spoken
from scheduler.web.pages.words import look, told, turned_away, why


class Trouble(NamedTuple):
    """What is wrong, and when it is tried again; `None`: it isn't."""

    said: str
    next_at: Instant | None


def trouble(record: Record) -> Trouble:
    """The gravest that can be said of this record."""
    if look(record) == "wrong":
        return Trouble(f"{record.stage}: {why(record.reason)}", None)
    if record.stage is Stage.CREATING and record.look_at is not None:
        return Trouble("the answer was lost; it is being looked for", record.look_at)
    if record.stage is Stage.PLANNED and record.turned_away:
        return Trouble(f"not made yet: {turned_away(record.turned_away)}", record.starts_at)
    return _delivering(record) or _straying(record) or Trouble(f"{record.stage}", None)


def _delivering(record: Record) -> Trouble | None:
    for each in record.deliveries:
        if each.state is DeliveryState.GIVEN_UP or (each.state is DeliveryState.OPEN and each.tries):
            due = each.due if each.state is DeliveryState.OPEN else None
            return Trouble(f"{spoken(each.address)}: {told(each)}", due)
    return None


def _straying(record: Record) -> Trouble | None:
    kept = [each.end_at for each in record.strays if each.end_at is not None]
    return Trouble("a second conversation has to be ended", min(kept)) if kept else None
