"""The moves that belong to no one stage: strays, late rows of a list, and the fence.

Each takes (record, fact, at, addresses) and returns the record as it is afterwards; which move
belongs to which stage and fact is the table's. Pure: no clock, no input or output, no numbers.
"""

from __future__ import annotations

from collections.abc import Callable

from jobs.model import Address, Created, Instant
from scheduler import policy
from scheduler.facts import (
    EndedReason,
    FailReason,
    Faulted,
    Found,
    NothingThere,
    Stage,
    StrayEnded,
    StrayFound,
    StrayKept,
)
from scheduler.lifecycle.parts import afterlook, counts, over, stray, tried
from scheduler.record import Record, Stray

Addresses = tuple[Address, ...]


def listed(r: Record, fact: Found | Created, at: Instant, _: Addresses) -> Record:
    """A conversation with our mark where none is waited for: our own, or a stray to be ended."""
    if isinstance(fact, Found) and not fact.active:
        return r
    if r.conversation_id != fact.conversation_id:
        return stray(r, fact.conversation_id, at)
    lingers = r.ended_at is not None and at > r.ended_at + policy.AFTERLOOK_S
    return stray(r, fact.conversation_id, at) if lingers else r


def looked(r: Record, fact: NothingThere, _at: Instant, _: Addresses) -> Record:
    """The look after a second create, or after giving up, adopted nothing: it was the last."""
    return r._replace(look_at=None) if counts(r, fact) else r


def stray_found(r: Record, fact: StrayFound, at: Instant, _: Addresses) -> Record:
    """Of several matches one is kept; this is another (S12)."""
    return stray(r, fact.conversation_id, at)


def stray_ended(r: Record, fact: StrayEnded, _at: Instant, _: Addresses) -> Record:
    """The stray is over; the record's own stage doesn't change."""
    return _with_stray(r, fact.conversation_id, lambda s: s._replace(end_at=None))


def stray_kept(r: Record, fact: StrayKept, at: Instant, _: Addresses) -> Record:
    """Not over yet. An End that was refused may mean that it is: Inspect at once, and End again
    after 10, 30, 60 s when it isn't (`tries` counts both, in turn)."""

    def again(stray: Stray) -> Stray:
        wait_s = policy.end_wait_s(stray.tries // 2) if stray.tries % 2 else 0.0
        return stray._replace(end_at=at + wait_s, tries=stray.tries + 1)

    return _with_stray(r, fact.conversation_id, again)


def faulted(r: Record, fact: Faulted, at: Instant, _: Addresses) -> Record:
    """The fence: a delivery that it struck waits five minutes, and nothing else does. Else the record
    waits; the third time it fails, and what it still pays for is ended. In `creating` a fault only ever
    leads to a look."""
    later = at + policy.FAULT_WAIT_S
    if fact.address is not None:
        return tried(r, fact.address, later, at)
    r = _postponed(r._replace(faults=r.faults + 1), later)
    if r.stage is Stage.CREATING:
        r = r._replace(attempt_ended_at=at, looks=0, look_at=policy.look_at(at, 0))
    if r.faults < policy.FAULTS_MAX or r.stage not in (Stage.PLANNED, Stage.CREATING, Stage.LIVE):
        return r
    failed = over(r, EndedReason.OTHER, at)._replace(stage=Stage.FAILED, reason=str(FailReason.FAULT))
    failed = afterlook(failed._replace(ended_at=None), at)
    return failed if r.conversation_id is None else stray(failed, r.conversation_id, at)


def _postponed(r: Record, later: Instant) -> Record:
    return r._replace(
        starts_at=max(r.starts_at, later),
        inspect_at=None if r.inspect_at is None else max(r.inspect_at, later),
        end_at=None if r.end_at is None else max(r.end_at, later),
        strays=tuple(s if s.end_at is None else s._replace(end_at=max(s.end_at, later)) for s in r.strays),
    )


def _with_stray(r: Record, conversation_id: str, change: Callable[[Stray], Stray]) -> Record:
    strays = tuple(change(s) if s.conversation_id == conversation_id else s for s in r.strays)
    return r._replace(strays=strays)
