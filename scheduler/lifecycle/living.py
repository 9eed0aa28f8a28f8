"""The moves of a conversation that exists: the link arrives, it is asked after, it ends.

Each takes (record, fact, at, addresses) and returns the record as it is afterwards; which move
belongs to which stage and fact is the table's. Pure: no clock, no input or output, no numbers.
"""

from __future__ import annotations

from jobs.errors import Reason
from jobs.model import Address, Delivered, Ended, Instant, NotEnded, NotThere, StillLive
from scheduler import policy
from scheduler.facts import (
    Doubted,
    EndedReason,
    Failed,
    GaveUp,
    GiveUpReason,
    Stage,
    StepKind,
)
from scheduler.lifecycle.parts import given_up, open_delivery, over, tried, with_delivery, within
from scheduler.record import DeliveryState, Record

Addresses = tuple[Address, ...]


def delivered(r: Record, fact: Delivered, at: Instant, _: Addresses) -> Record:
    """The link has arrived at one address: what did arrive is told so, also when it had been given up
    meanwhile. Then the conversation is not ended for want of anybody who knows of it."""
    arrived = DeliveryState.DELIVERED
    first = all(d.state is not arrived for d in r.deliveries)
    after = with_delivery(
        r, fact.address, lambda d: d if d.state is arrived else d._replace(state=arrived, at=at, reason=None)
    )
    unsaid = r.stage is Stage.LIVE and r.end_at is not None and not _overdue(r, at)
    unsaid = unsaid and r.end_asked_at is None
    return _watched(after, at)._replace(end_at=None) if first and unsaid and after != r else after


def gave_up(r: Record, fact: GaveUp, at: Instant, _: Addresses) -> Record:
    """An address is given up; when all are, the conversation is ended at once (S28)."""
    return given_up(r, fact.address, fact.reason, at)


def step_failed(r: Record, fact: Failed, at: Instant, to: Addresses) -> Record:
    """A step that failed is due again later; the conversation is no wiser for it.

    Long after its time a plain refusal, in whatever words, means what an unknown id means.
    """
    if fact.step is StepKind.DELIVER and fact.address is not None:
        return _deliver_failed(r, fact, fact.address, at)
    if r.stage is not Stage.LIVE:
        return r
    if fact.reason is Reason.REFUSED and _overdue(r, at):
        return not_there(r, NotThere(), at, to)
    later = at + policy.end_wait_s(r.tries)
    if fact.step is StepKind.END:
        return r._replace(end_at=later, tries=r.tries + 1)
    end_at = at if r.end_at is None and _overdue(r, at) else r.end_at
    return r._replace(inspect_at=later, end_at=end_at, tries=r.tries + 1)


def _deliver_failed(r: Record, fact: Failed, address: Address, at: Instant) -> Record:
    """What is refused will always be; else it is tried again, no sooner than the other side wishes."""
    delivery = open_delivery(r, address)
    if delivery is None:
        return r
    if fact.reason is Reason.REFUSED:
        return given_up(r, address, GiveUpReason.REFUSED, at)
    wait_s = policy.deliver_wait_s(address.channel, delivery.tries)
    if wait_s is None:
        return given_up(r, address, GiveUpReason.EXHAUSTED, at)
    return tried(r, address, at + max(wait_s, fact.retry_after_s or 0.0), at)


def still_live(r: Record, _fact: StillLive, at: Instant, _: Addresses) -> Record:
    """It runs. The next question comes at its time; when it should long be over, it is ended (S23)."""
    seen = r._replace(inspected_at=at, not_there=0, inspect_at=None)
    if r.end_at is not None or r.created_at is None:
        return seen
    if _overdue(r, at):
        return seen._replace(end_at=at, tries=0)
    return _watched(seen, at)._replace(tries=0)


def doubted(r: Record, _fact: Doubted, at: Instant, _: Addresses) -> Record:
    """Somebody has a reason to ask: Inspect is due now."""
    return r._replace(inspect_at=at)


def not_there(r: Record, fact: NotThere, at: Instant, to: Addresses) -> Record:
    """The API does not know the id: too young in the first minute, gone at the second such answer."""
    young = r.created_at is not None and at < r.created_at + policy.AFTERLOOK_S
    if young or r.not_there == 0:
        count = 0 if young else 1
        return r._replace(not_there=count, inspect_at=at + policy.end_wait_s(0))
    return over(r, EndedReason.GONE, at)


def not_ended(r: Record, _fact: NotEnded, at: Instant, _: Addresses) -> Record:
    """End was refused: Inspect tells whether it was over already; if not, End again."""
    return r._replace(inspect_at=at, end_at=at + policy.end_wait_s(r.tries), tries=r.tries + 1)


def ended(r: Record, fact: Ended, at: Instant, _: Addresses) -> Record:
    """It is over, as the API tells."""
    ended_at = at if fact.at is None else within(fact.at, r.created_at or at, at)
    return over(r, EndedReason(str(fact.reason)), ended_at)


def _watched(r: Record, at: Instant) -> Record:
    """The record, to be asked after at its next time (S23)."""
    if r.inspect_at is not None or r.created_at is None:
        return r
    return r._replace(inspect_at=policy.check_at(r.created_at, r.absent_s, r.max_call_s, at))


def _overdue(r: Record, at: Instant) -> bool:
    return r.created_at is not None and at >= policy.overdue_at(r.created_at, r.max_call_s)
