"""What the outcome of a claim still means when it is written: a claim is named by the instant it was made.

Whoever posts may be stopped for a while and go on, and may find that its claim was given up, looked for and
made anew by another meanwhile (S11, S12). What it knows of the world stays true - a conversation was made -
but nothing it says may move the newer claim, whose POST may be on the wire. Pure.
"""

from __future__ import annotations

from jobs.model import Created, Instant
from scheduler.facts import Fact, Found, Stage, StrayFound
from scheduler.record import Record


def heard(record: Record, fact: Fact, claim: Instant) -> Fact | None:
    """The fact as it counts now, when it came of the claim made at `claim`; `None` when it no longer does."""
    if not isinstance(fact, Created):
        return fact if record.attempted_at == claim else None
    if record.attempted_at != claim:
        if record.conversation_id == fact.conversation_id:
            return None  # a look has adopted it meanwhile
        return StrayFound(fact.conversation_id)
    if record.stage is Stage.PLANNED:
        return Found(fact.conversation_id, fact.url, fact.created_at, active=not fact.ended)
    return fact
