"""The moves that leave `planned` and `creating`: how a promise becomes a conversation, or does not.

Each takes (record, fact, at, addresses) and returns the record as it is afterwards; which move
belongs to which stage and fact is the table's. Pure: no clock, no input or output, no numbers.
"""

from __future__ import annotations

from jobs.errors import Reason
from jobs.model import Address, Created, Instant
from scheduler import policy
from scheduler.facts import (
    Attempted,
    Cancelled,
    EndedReason,
    Failed,
    FailReason,
    Found,
    Missed,
    MissReason,
    NothingThere,
    Skipped,
    Stage,
    Unlisted,
)
from scheduler.lifecycle.parts import afterlook, counts, stray, within
from scheduler.record import Delivery, Record

Addresses = tuple[Address, ...]


def last_look(record: Record, now: Instant) -> bool:
    """Whether a look begun now is the last: the third, or one that is long overdue (design, section 3)."""
    overdue = record.look_at is not None and now > record.look_at + policy.LOOK_OVERDUE_S
    return record.looks + 1 >= len(policy.LOOKS_S) or overdue


def claim(r: Record, fact: Attempted, at: Instant, _: Addresses) -> Record:
    """Claimed: from now on a POST may be on the wire (S11)."""
    return r._replace(
        stage=Stage.CREATING,
        generation=fact.generation,
        attempted_at=at,
        attempt_ended_at=None,
        looks=0,
        look_at=None,
    )


def close(r: Record, fact: Skipped | Missed | Cancelled, at: Instant, _: Addresses) -> Record:
    """A promise that will not be kept, with its reason (S15)."""
    stage = {Skipped: Stage.SKIPPED, Missed: Stage.MISSED, Cancelled: Stage.CANCELLED}[type(fact)]
    return afterlook(r._replace(stage=stage, reason=str(fact.reason)), at)


def created(r: Record, fact: Created, at: Instant, addresses: Addresses) -> Record:
    """The answer came; with it come the deliveries that it causes (S11). `test_mode` is over at once."""
    began = at if r.attempted_at is None else r.attempted_at
    live = _live(r, fact.conversation_id, fact.url, within(fact.created_at, began, at), at, addresses)
    if not fact.ended:
        return live
    return live._replace(stage=Stage.ENDED, reason=EndedReason.TEST_MODE, ended_at=at, inspect_at=None)


def found(r: Record, fact: Found, at: Instant, addresses: Addresses) -> Record:
    """A lost answer was looked up and its conversation is adopted (S12); a private room cannot be."""
    if r.stage is Stage.CREATING and r.attempt_ended_at is None:
        return r  # its own answer is still on the way, and may carry what no list shows (a token)
    if any(s.conversation_id == fact.conversation_id for s in r.strays):
        return r
    if fact.active and r.private:
        return _anew(stray(r, fact.conversation_id, at), at)
    live = _live(r, fact.conversation_id, fact.url, within(fact.created_at, r.opens, at), at, addresses)
    if fact.active:
        return live
    over = live._replace(stage=Stage.ENDED, reason=EndedReason.UNSEEN, ended_at=at)
    return over._replace(inspect_at=None, deliveries=())


def nothing_there(r: Record, fact: NothingThere, at: Instant, _: Addresses) -> Record:
    """A look in vain: the next one, or, after the last, another attempt (S12)."""
    if r.attempt_ended_at is None or not counts(r, fact):
        return r
    if last_look(r, fact.since):
        return _again(r, at)
    return r._replace(looks=r.looks + 1, look_at=policy.look_at(r.attempt_ended_at, r.looks + 1))


def unlisted(r: Record, _fact: Unlisted, at: Instant, _: Addresses) -> Record:
    """The list was too long to be read: whether a conversation exists stays unknown (S12)."""
    if r.look_at is None:
        return r
    return afterlook(r._replace(stage=Stage.FAILED, reason=FailReason.UNKNOWN_OUTCOME), at)


def create_failed(r: Record, fact: Failed, at: Instant, _: Addresses) -> Record:
    """A definite no waits for another try or fails; an unknown outcome waits for a look (S14)."""
    if r.attempt_ended_at is not None:
        return r  # the outcome is known to be unknown: only an answer or a look can tell
    if fact.reason is Reason.LOST:
        return r._replace(attempt_ended_at=at, looks=0, look_at=policy.look_at(at, 0))
    if fact.reason is Reason.REFUSED:
        failed = r._replace(stage=Stage.FAILED, reason=FailReason.REFUSED, attempt_ended_at=at)
        return afterlook(failed, at)
    wait_s = policy.create_wait_s(r.key, r.tries) if fact.reason is Reason.BUSY else 0.0
    back = r._replace(stage=Stage.PLANNED, attempt_ended_at=at, starts_at=at + wait_s, tries=r.tries + 1)
    return back._replace(turned_away=str(fact.reason))


def _again(r: Record, at: Instant) -> Record:
    """A lost attempt left nothing to keep: try anew, or give up when the window is shut (S12)."""
    if at > r.shuts:
        return afterlook(r._replace(stage=Stage.MISSED, reason=MissReason.LATE), at)
    return r._replace(stage=Stage.PLANNED, attempt=r.attempt + 1, starts_at=at, looks=0, look_at=None)


def _anew(r: Record, at: Instant) -> Record:
    """A room that nobody can enter is replaced, but not for ever: each of them bills until it is ended."""
    if len(r.strays) >= policy.ROOMS_LOST_MAX:
        return afterlook(r._replace(stage=Stage.FAILED, reason=FailReason.UNKNOWN_OUTCOME), at)
    return _again(r, at)


def _live(r: Record, conversation_id: str, url: str, made: Instant, at: Instant, to: Addresses) -> Record:
    not_after = policy.link_dies_at(made, r.absent_s)
    live = r._replace(
        stage=Stage.LIVE,
        reason=None,
        conversation_id=conversation_id,
        url=url,
        created_at=made,
        attempt_ended_at=at,
        look_at=None,
        tries=0,
        turned_away=None,
        inspect_at=policy.check_at(made, r.absent_s, r.max_call_s, after=made),
        deliveries=tuple(Delivery(address, due=at, not_after=not_after) for address in to),
    )
    return afterlook(live, at)
