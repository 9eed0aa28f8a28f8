"""The life of an occurrence, as one table.

Theory of operation. A record is what an occurrence's facts add up to. `next_step` looks at a record
and names the one thing to do now; the runner does it; what came of it is a fact; `apply` looks up
(stage, kind of fact) in `TABLE` and returns the record as it is afterwards. Nothing else moves a
record: not the daemon, not a page, not SQL (claims are one bulk statement, and a contract test holds
it to this table).

What a record wants is done side by side: one request to the API at a time, and each delivery for itself,
so that a channel that hangs holds up no other one, no End and no Inspect.

Three ideas carry it. `creating` means that a POST may be on the wire, so it is left only by an
answer, by a definite no, or by a look: a Survey that saw our mark or, at the last look, did not
(S11, S12). A retry is a due time in the record, never a sleep. And whatever conversation of ours no
record wants becomes a stray of its record and is ended, whatever the record's own stage (S13).

A fact without a row in the table arrived too late to matter: it is kept in the ledger, and the
record stays as it is. This file decides nothing about requests or slots (`limits`), says nothing of
how long a wait is (`policy`), and does no input or output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from jobs.errors import Reason
from jobs.model import Address, Created, Delivered, Ended, Instant, NotEnded, NotThere, StillLive
from scheduler.facts import (
    Asked,
    Attempted,
    Cancelled,
    Doubted,
    Fact,
    Failed,
    Faulted,
    Found,
    GaveUp,
    GiveUpReason,
    Missed,
    MissReason,
    NothingThere,
    Skipped,
    Stage,
    StepKind,
    StrayEnded,
    StrayFound,
    StrayKept,
    Unlisted,
)
from scheduler.lifecycle import anytime, creation, living, steered
from scheduler.lifecycle.claims import heard
from scheduler.lifecycle.creation import Addresses, last_look
from scheduler.lifecycle.parts import open_delivery
from scheduler.record import Delivery, DeliveryState, Record

__all__ = [
    "TABLE",
    "Addresses",
    "Next",
    "Row",
    "apply",
    "heard",
    "last_look",
    "miss_reason",
    "next_delivery",
    "next_step",
    "wakes_at",
]


class Next(NamedTuple):
    """The one request to make now; `conversation_id` for Inspect and End."""

    kind: StepKind
    conversation_id: str = ""
    stray: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: how a fact moves a record, and the stages it can lead to."""

    move: Callable[[Record, Any, Instant, Addresses], Record]
    leads_to: frozenset[Stage]


def next_step(record: Record, now: Instant) -> Next | None:
    """The request to be made now, if any; one at a time: End before Inspect before Create."""
    due = [want for want in _wants(record) if want[0] <= now]
    return min(due, key=lambda want: want[1])[2] if due else None


def next_delivery(record: Record, address: Address, now: Instant) -> Delivery | GaveUp | None:
    """What is to be done for this address now: its delivery, giving it up as stale (S28), or nothing."""
    delivery = open_delivery(record, address)
    if delivery is None or delivery.due > now:
        return None
    return delivery if now <= delivery.not_after else GaveUp(address, GiveUpReason.STALE)


def wakes_at(record: Record) -> tuple[Instant, StepKind] | None:
    """When the record wants something next, and what; `None` when it never will again.

    Create is named only when nothing else is wanted: whoever waits in line is found there, but a
    stray is ended even if its record never gets its turn.
    """
    wants = [(when, place, step.kind) for when, place, step in _wants(record)]
    wants += [(d.due, 1, StepKind.DELIVER) for d in record.deliveries if d.state is DeliveryState.OPEN]
    wants = [want for want in wants if want[2] is not StepKind.CREATE] or wants
    when, _, kind = min(wants, default=(None, 0, None))
    return None if when is None or kind is None else (when, kind)


def apply(record: Record, fact: Fact, at: Instant, addresses: Addresses = ()) -> Record:
    """The record as it is after `fact`, noted at `at`.

    `addresses` are where the link goes, rendered from the claim's generation; they matter only to
    the facts by which a conversation becomes known (Created, Found).
    """
    row = TABLE.get((record.stage, type(fact)))
    return record if row is None else row.move(record, fact, at, addresses)


def miss_reason(record: Record, held: str | None, waited: bool) -> MissReason:
    """Why a window that is shut stayed unused: the account's hold, the last refusal, the line, or us."""
    if held is not None:
        return MissReason(held)
    if record.turned_away in (Reason.DENIED, Reason.SPENT, Reason.BUSY):
        return MissReason(str(record.turned_away))
    return MissReason.NO_CAPACITY if waited or record.turned_away == Reason.FULL else MissReason.LATE


def _wants(record: Record) -> Iterator[tuple[Instant, int, Next]]:
    """Every request that the record waits for: when, its precedence, and the step."""
    for stray in record.strays:
        if stray.end_at is not None:
            kind = StepKind.INSPECT if stray.tries % 2 else StepKind.END
            yield stray.end_at, 0, Next(kind, stray.conversation_id, stray=True)
    if record.stage is Stage.PLANNED:
        yield min(record.starts_at, record.shuts), 3, Next(StepKind.CREATE)
    if record.stage is Stage.LIVE and record.conversation_id is not None:
        if record.end_at is not None:
            yield record.end_at, 0, Next(StepKind.END, record.conversation_id)
        if record.inspect_at is not None:
            yield record.inspect_at, 2, Next(StepKind.INSPECT, record.conversation_id)


P, C, L, E = Stage.PLANNED, Stage.CREATING, Stage.LIVE, Stage.ENDED
S, M, X, F = Stage.SKIPPED, Stage.MISSED, Stage.CANCELLED, Stage.FAILED


def _rows() -> Iterator[tuple[tuple[Stage, type], Row]]:
    for stage, kind, move, *leads_to in _TABLE:
        yield (stage, kind), Row(move, frozenset(leads_to))
    for stage in Stage:
        yield (stage, StrayFound), Row(anytime.stray_found, frozenset({stage}))
        yield (stage, StrayEnded), Row(anytime.stray_ended, frozenset({stage}))
        yield (stage, StrayKept), Row(anytime.stray_kept, frozenset({stage}))
    for stage in (E, S, M, X, F):
        yield (stage, Found), Row(anytime.listed, frozenset({stage}))
        yield (stage, Created), Row(anytime.listed, frozenset({stage}))
        yield (stage, NothingThere), Row(anytime.looked, frozenset({stage}))
        yield (stage, Faulted), Row(anytime.faulted, frozenset({stage}))


_TABLE: tuple[Any, ...] = (
    # stage, fact, move, the stages it can lead to
    (P, Attempted, creation.claim, C),
    (P, Skipped, creation.close, S),
    (P, Missed, creation.close, M),
    (P, Cancelled, creation.close, X),
    (P, Found, creation.found, L, E, P, M, F),
    (P, Asked, steered.asked, P, X),
    (P, Faulted, anytime.faulted, P, F),
    (C, Created, creation.created, L, E),
    (C, Found, creation.found, C, L, E, P, M, F),
    (C, NothingThere, creation.nothing_there, C, P, M),
    (C, Unlisted, creation.unlisted, C, F),
    (C, Failed, creation.create_failed, C, P, F),
    (C, Faulted, anytime.faulted, C, F),
    (L, Delivered, living.delivered, L),
    (L, GaveUp, living.gave_up, L),
    (L, Failed, living.step_failed, L),
    (L, StillLive, living.still_live, L),
    (L, Doubted, living.doubted, L),
    (L, NothingThere, anytime.looked, L),
    (L, NotThere, living.not_there, L, E),
    (L, NotEnded, living.not_ended, L),
    (L, Ended, living.ended, E),
    (L, Asked, steered.asked, L),
    (L, Found, anytime.listed, L),
    (L, Created, anytime.listed, L),
    (L, Faulted, anytime.faulted, L, F),
    (F, Asked, steered.asked, P, C, F),
    # test_mode is over at once and its link delivered all the same; and some arrive when all is over
    (E, Delivered, living.delivered, E),
    (F, Delivered, living.delivered, F),
    (E, GaveUp, living.gave_up, E),
    (E, Failed, living.step_failed, E),
)

TABLE: Mapping[tuple[Stage, type], Row] = dict(_rows())
