"""What several moves of the lifecycle share: closing a conversation, adding a stray, trusting a time.

No move stands here, only the pieces of moves; the moves are in `creation`, `living` and `anytime`.
"""

from __future__ import annotations

from collections.abc import Callable

from jobs.model import Address, Instant
from scheduler import policy
from scheduler.facts import EndedReason, GiveUpReason, NothingThere, Stage
from scheduler.record import Delivery, DeliveryState, Record, Stray


def within(told: Instant, earliest: Instant, latest: Instant) -> Instant:
    """The API's own time of creation, unless its clock and ours can't both be right."""
    return min(max(told, earliest), latest)


def over(r: Record, reason: EndedReason, ended_at: Instant) -> Record:
    """The conversation is over: what was not delivered never will be (design, section 3)."""
    closed = tuple(
        _shut(d, GiveUpReason.ENDED, ended_at) if d.state is DeliveryState.OPEN else d for d in r.deliveries
    )
    told = not closed or any(d.state is DeliveryState.DELIVERED for d in closed)
    why = reason if told else EndedReason.UNDELIVERED
    ended = r._replace(stage=Stage.ENDED, reason=str(why), ended_at=ended_at, deliveries=closed)
    return ended._replace(inspect_at=None, end_at=None)


def stray(r: Record, conversation_id: str, at: Instant) -> Record:
    """The record with one more stray, to be ended at once; known ones stay as they are."""
    if any(s.conversation_id == conversation_id for s in r.strays):
        return r
    return r._replace(strays=(*r.strays, Stray(conversation_id, end_at=at)))


def counts(r: Record, look: NothingThere) -> bool:
    """Whether this look is the one that is due: one that began earlier proves nothing (S12)."""
    return r.look_at is not None and look.since >= r.look_at


def afterlook(r: Record, at: Instant) -> Record:
    """The record, to be looked for once more if an answer was lost on the way here (S12)."""
    lost = r.attempt > 1 or r.look_at is not None
    return r._replace(look_at=at + policy.AFTERLOOK_S if lost else None)


def with_delivery(r: Record, address: Address, change: Callable[[Delivery], Delivery]) -> Record:
    """The record with the delivery to `address` changed."""
    return r._replace(deliveries=tuple(change(d) if d.address == address else d for d in r.deliveries))


def open_delivery(r: Record, address: Address) -> Delivery | None:
    """The delivery to this address, if it is still open."""
    return next((d for d in r.deliveries if d.address == address and d.state is DeliveryState.OPEN), None)


def given_up(r: Record, address: Address, reason: GiveUpReason, at: Instant) -> Record:
    """An address is given up, if its delivery is open; when all are, the conversation is ended (S28)."""
    if open_delivery(r, address) is None:
        return r
    after = with_delivery(r, address, lambda d: _shut(d, reason, at))
    lost = all(d.state is DeliveryState.GIVEN_UP for d in after.deliveries)
    return after._replace(end_at=at) if lost and after.stage is Stage.LIVE else after


def tried(r: Record, address: Address, due: Instant, at: Instant) -> Record:
    """A try came to nothing: the next one is due then, or never, if the link is dead by then (S28)."""
    delivery = open_delivery(r, address)
    if delivery is None or due > delivery.not_after:
        return given_up(r, address, GiveUpReason.STALE, at)
    return with_delivery(r, address, lambda d: d._replace(due=due, tries=d.tries + 1))


def _shut(d: Delivery, reason: GiveUpReason, at: Instant) -> Delivery:
    """Not tried again. What had arrived before it was asked for again has still arrived."""
    if d.at is not None:
        return d._replace(state=DeliveryState.DELIVERED, reason=str(reason))
    return d._replace(state=DeliveryState.GIVEN_UP, at=at, reason=str(reason))
