"""The moves that a person asks for: skip, end, resend, retry.

Each is a move like any other: asked too late, or of a stage that it isn't for, it changes nothing. Whether
to tell a person so beforehand is the desk's. Pure: no clock, no input or output, no numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jobs.model import Address, Instant
from scheduler import policy
from scheduler.facts import Ask, Asked, CancelReason, FailReason, Stage
from scheduler.lifecycle.parts import afterlook
from scheduler.record import Delivery, DeliveryState, Record

Addresses = tuple[Address, ...]


def asked(r: Record, fact: Asked, at: Instant, _: Addresses) -> Record:
    """What a person wants, if this stage knows it."""
    move = _MOVES.get((r.stage, fact.ask))
    return r if move is None else move(r, fact, at)


def _skip(r: Record, _fact: Asked, at: Instant) -> Record:
    """Taken back before anything was made."""
    return afterlook(r._replace(stage=Stage.CANCELLED, reason=str(CancelReason.BY_PERSON)), at)


def _end(r: Record, _fact: Asked, at: Instant) -> Record:
    """End is due now, whoever has been told meanwhile."""
    return r if r.end_asked_at is not None else r._replace(end_at=at, end_asked_at=at, tries=0)


def _resend(r: Record, fact: Asked, at: Instant) -> Record:
    """Deliveries whose link is alive open again; one that is open still is tried at once. What is being ended
    is told to nobody."""
    if r.end_at is not None:
        return r
    opened = tuple(_again(d, at) if _wanted(d, fact, at) else d for d in r.deliveries)
    closed = {d.address for d in r.deliveries if d.state is not DeliveryState.OPEN}
    anew = any(d.state is DeliveryState.OPEN and d.address in closed for d in opened)
    return r._replace(deliveries=opened, resends=r.resends + anew)


def _wanted(d: Delivery, fact: Asked, at: Instant) -> bool:
    return fact.channel in (None, d.address.channel) and at <= d.not_after


def _again(d: Delivery, at: Instant) -> Delivery:
    if d.state is DeliveryState.OPEN:
        return d._replace(due=min(d.due, at))
    arrived_at = d.at if d.state is DeliveryState.DELIVERED else None
    return d._replace(state=DeliveryState.OPEN, due=at, tries=0, at=arrived_at, reason=None)


def _retry(r: Record, _fact: Asked, at: Instant) -> Record:
    """Back into line while the window is open, never beside a conversation: where an answer may be lost it is
    looked for as after any lost answer (S12)."""
    if r.conversation_id is not None or at > r.shuts:
        return r
    sure = r.look_at is None and (r.attempted_at is None or r.reason == FailReason.REFUSED)
    again = r._replace(reason=None, tries=0, faults=0, turned_away=None)
    if sure:
        return again._replace(stage=Stage.PLANNED, starts_at=max(at, r.opens), generation=None)
    return again._replace(stage=Stage.CREATING, attempt_ended_at=at, looks=0, look_at=policy.look_at(at, 0))


_MOVES: Mapping[tuple[Stage, Ask], Callable[[Record, Asked, Instant], Record]] = {
    (Stage.PLANNED, Ask.SKIP): _skip,
    (Stage.LIVE, Ask.END): _end,
    (Stage.LIVE, Ask.RESEND): _resend,
    (Stage.FAILED, Ask.RETRY): _retry,
}
