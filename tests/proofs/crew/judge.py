"""What must hold of a crew, whatever was done to it: read at the service, in the ledger, in what was said.

It knows what was done to whom, since a few things are allowed to happen then and at no other time.
"""

from __future__ import annotations

import asyncio
import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from jobs.errors import Reason
from jobs.tavus.sandbox import Room
from scheduler.facts import Attempted, Failed, Stage, StrayFound
from scheduler.ledger.audit import audit
from scheduler.ledger.shared.workers import LEASE_S
from scheduler.ledger.snapshot import Snapshot, Told
from scheduler.record import DeliveryState, Record
from tests.proofs.crew.crew import CONCURRENT, PER_S, REQUESTS, STREAMS, Crew, Hand
from tests.proofs.invariants import assert_rate, by_attempt, most_at_once, too_many

ON_THE_WAY_S = 0.2
"""From a worker's last look at its lease, or at its clock, to the log of the service: on two busy cores."""


class Held(NamedTuple):
    """What the service had, and what the ledger said a moment later."""

    rooms: list[Room]
    records: dict[str, Record]
    stories: dict[str, list[Told]]
    faults: list[str]


async def held(crew: Crew) -> Held:
    rooms = list(crew.service.sandbox.rooms.values())

    def read() -> Held:
        with Snapshot.open(crew.place) as snapshot:
            records = {record.mark: record for record in snapshot.records()}
            return Held(rooms, records, dict(snapshot.stories()), list(audit(snapshot).faults))

    return await asyncio.to_thread(read)


def trouble(crew: Crew, held: Held) -> Iterator[str]:
    """What must not be at any time."""
    yield from held.faults
    for mark, attempts in by_attempt(held.rooms).items():
        if mark not in held.records:
            yield f"a conversation without a promise: {mark}"
            continue
        record = held.records[mark]
        yield from too_many(record, attempts, held.stories[record.key])
        yield from _extra(record, [room for rooms in attempts.values() for room in rooms], held)
    yield from _past_lease(crew)


def settled(crew: Crew, held: Held, since: float, until: float) -> Iterator[str]:
    """What must not be once everything that was due then has had its time."""
    by_due = {(record.due, record.participant): record for record in held.records.values()}
    rooms = by_attempt(held.rooms)
    for due, person in expected(since, until):
        record = by_due.get((due, person))
        if record is None:
            yield f"lost: {person} at {due}"
            continue
        count = sum(map(len, rooms[record.mark].values())) if record.mark in rooms else 0
        if record.stage in (Stage.LIVE, Stage.ENDED):
            if not count:
                yield f"{record.key}: {record.stage} without a conversation"
        else:
            yield f"{record.key}: {record.stage} {record.reason}, {count} conversations"
        yield from _undelivered(record)


def expected(since: float, until: float) -> Iterator[tuple[float, str]]:
    """What the configuration promised for this time, worked out anew (S1)."""
    for stream in STREAMS:
        for due in range(-(-int(since) // stream.every_s) * stream.every_s, int(until), stream.every_s):
            for number in range(stream.people):
                yield float(due), f"{stream.name}-{number}"


def links(crew: Crew, held: Held) -> Iterator[str]:
    """Each link once, unless whoever handed it over was harmed before that could be written down."""
    said: dict[str, list[tuple[float, Hand]]] = defaultdict(list)
    for hand in crew.everybody:
        for line in lines(hand):
            if line["event"] == "link":
                said[line["key"]].append((datetime.fromisoformat(line["timestamp"]).timestamp(), hand))
    for record in held.records.values():
        if record.key not in said and not list(_undelivered(record)) and record.deliveries:
            yield f"{record.key}: its link is delivered, and nobody said it"
    for told in said.values():
        (first, hand), *more = sorted(told, key=lambda each: each[0])
        for again, other in more:
            if not any(first - LEASE_S <= harm <= again for harm in hand.harms):
                yield f"a link was said by {hand.key} at {first} and by {other.key} at {again}"


def lines(hand: Hand) -> Iterator[dict]:
    """What it said; its last line may be half."""
    for line in hand.log.read_text(errors="replace").splitlines():
        if line.startswith("{") and line.endswith("}"):
            yield json.loads(line)


def faulted(crew: Crew) -> Iterator[str]:
    """Nobody meets what it doesn't expect."""
    for hand in crew.everybody:
        yield from (
            f"{hand.key} {line}" for line in hand.log.read_text(errors="replace").splitlines() if _odd(line)
        )


def assert_limits(crew: Crew) -> None:
    """The account's limits, as its server saw them."""
    assert_rate((each.at for each in crew.service.arrivals), REQUESTS, PER_S - ON_THE_WAY_S)
    most = most_at_once(crew.service.sandbox.rooms.values())
    assert most <= crew.concurrent, f"{most} conversations at once"


class Takeover(NamedTuple):
    """One change of leader: what round it came in, and how long after the harm the next one led, and claimed;
    `None` where people often wait for a slot, and nothing can be claimed at once."""

    kind: str
    led_s: float
    claimed_s: float | None


def takeovers(crew: Crew, held: Held, rounds: list[tuple[str, float, float]]) -> Iterator[Takeover]:
    """Each change of leader that follows upon a harm."""
    hands = {hand.number: hand for hand in crew.everybody}
    claims = sorted(
        told.at for story in held.stories.values() for told in story if isinstance(told.fact, Attempted)
    )
    for before, after in zip(crew.watch.terms, crew.watch.terms[1:], strict=False):
        harms = [harm for harm in hands[before.number].harms if harm < after.since]
        kind = next((kind for kind, begun, over in rounds if begun <= after.since <= over), "")
        if harms and kind:
            claimed = next((at for at in claims if at >= after.since), after.since)
            roomy = crew.concurrent == max(CONCURRENT)
            yield Takeover(kind, after.since - harms[-1], claimed - harms[-1] if roomy else None)


def summary(crew: Crew, held: Held) -> str:
    """One crew's figures, in words."""
    records = [each for each in held.records.values() if each.stage is not Stage.PLANNED]
    stages = Counter(f"{record.stage} {record.reason or ''}".strip() for record in records)
    lateness_s = max((each.created_at or each.due) - each.due for each in records)
    arrivals = sorted(each.at for each in crew.service.arrivals)
    busiest = max(bisect_left(arrivals, at + PER_S) - number for number, at in enumerate(arrivals))
    said = {
        "promises": f"{len(records)} ({', '.join(f'{count} {stage}' for stage, count in stages.items())})",
        "conversations": len(held.rooms),
        "strays": sum(len(record.strays) for record in records),
        "second attempts": sum(record.attempt > 1 for record in records),
        "answers looked for": sum(map(_was_unknown, held.stories.values())),
        "at once": f"{most_at_once(held.rooms)} of {crew.concurrent}",
        "requests": f"{len(arrivals)}, {busiest} in the busiest second",
        "latest creation": f"{lateness_s:.1f} s",
        "commits lost": sum(hand.cable.spoilt for hand in crew.everybody),
        "leaders": len(crew.watch.terms),
        "processes": len(crew.everybody),
    }
    return f"seed {crew.seed}: " + "; ".join(f"{name}: {value}" for name, value in said.items())


def _was_unknown(story: list[Told]) -> bool:
    return any(isinstance(told.fact, Failed) and told.fact.reason is Reason.LOST for told in story)


def _odd(line: str) -> bool:
    return not line.startswith("{") or '"event": "faulted"' in line


def _extra(record: Record, rooms: list[Room], held: Held) -> Iterator[str]:
    """A further conversation is one that was found to be astray."""
    known = {t.fact.conversation_id for t in held.stories[record.key] if isinstance(t.fact, StrayFound)}
    for room in rooms if len(rooms) > 1 else ():
        if room.conversation_id not in {*known, record.conversation_id}:
            yield f"{record.key}: {room.conversation_id} is one too many, and nobody knows it"


def _undelivered(record: Record) -> Iterator[str]:
    """A conversation that people left before it was found has no link any more."""
    if not record.deliveries and record.reason != "unseen":
        yield f"{record.key}: no link"
    for delivery in record.deliveries:
        if delivery.state is not DeliveryState.DELIVERED:
            yield f"{record.key}: its link is {delivery.state}"


def _past_lease(crew: Crew) -> Iterator[str]:
    hands = {hand.key: hand for hand in crew.everybody}
    for arrival in crew.service.arrivals:
        age_s = crew.watch.lease_age_s(hands[arrival.key].number, arrival.at)
        if age_s > LEASE_S + ON_THE_WAY_S:
            what = f"a {arrival.operation} of {arrival.key} came in at {arrival.at}"
            yield f"{what}, {age_s:.2f} s after its last sign of life"
