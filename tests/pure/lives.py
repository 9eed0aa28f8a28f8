"""An occurrence at each point of its life, for the tests of the table: due at `T0`, open for ten minutes."""

from __future__ import annotations

from typing import Any

from jobs.errors import Reason
from jobs.model import Address, Created, Delivered
from scheduler.facts import Attempted, Fact, Failed, Found, NothingThere, StepKind
from scheduler.lifecycle import apply
from scheduler.record import Delivery, Record

T0 = 1_795_338_000.0
LOG, MAIL = Address("log"), Address("mail", "ana@example.com")
HOOK = Address("webhook", "https://hooks.example/x")
CREATED = Created("c1", "https://tavus.daily.co/c1", T0 + 1)
LOST = Failed(StepKind.CREATE, Reason.LOST, "no answer")


def promise(**changed: Any) -> Record:
    """Planned: due and open at T0, shut at T0 + 600."""
    promised = Record(
        key="practice/09:00/2026-11-22/ana",
        schedule="practice",
        slot="09:00",
        date="2026-11-22",
        participant="ana",
        due=T0,
        opens=T0,
        shuts=T0 + 600,
        max_call_s=1800,
        absent_s=300,
        starts_at=T0,
        mark="A" * 16,
    )
    return promised._replace(**changed)


def after(record: Record, *told: tuple[float, Fact], to: tuple[Address, ...] = (LOG, MAIL)) -> Record:
    """The record after these facts, each so many seconds after T0."""
    for at, fact in told:
        record = apply(record, fact, T0 + at, to)
    return record


def creating(**changed: Any) -> Record:
    """Claimed at T0, its POST on the wire."""
    return after(promise(**changed), (0, Attempted(7)))


def lost(**changed: Any) -> Record:
    """Its answer was lost at T0 + 5: looks are due at 7, 15 and 35 s."""
    return after(creating(**changed), (5, LOST))


def again(**changed: Any) -> Record:
    """Planned anew at T0 + 36, after the last look saw nothing."""
    return after(lost(**changed), *((at, NothingThere(T0 + at)) for at in (7, 15, 36)))


def live(to: tuple[Address, ...] = (LOG, MAIL), **changed: Any) -> Record:
    """Created at T0 + 1, its link not delivered yet."""
    return after(creating(**changed), (1, CREATED), to=to)


def told(to: tuple[Address, ...] = (LOG, MAIL), **changed: Any) -> Record:
    """Live, and its link delivered a second later."""
    return after(live(to, **changed), *((2, Delivered(address)) for address in to))


def seen(conversation_id: str = "c1", at: float = 1, active: bool = True) -> Found:
    """What a Survey says of a conversation that was made so many seconds after T0."""
    return Found(conversation_id, f"https://tavus.daily.co/{conversation_id}", T0 + at, active)


def delivery(record: Record, address: Address) -> Delivery:
    """The record's delivery to this address."""
    return next(d for d in record.deliveries if d.address == address)


def strays(record: Record) -> dict[str, float | None]:
    """The record's strays: when each is tried next, seconds after T0; `None` once it is over."""
    return {s.conversation_id: None if s.end_at is None else s.end_at - T0 for s in record.strays}
