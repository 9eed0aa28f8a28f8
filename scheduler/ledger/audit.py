"""The conservation check (S15): every promise stands in exactly one stage, with a reason when it is over.

It counts what was ever promised against what the records say, replays each record's facts through
the lifecycle's table, and looks for conversations that two records claim. It compares what became of
a record, not its times, since those follow a policy that a newer program may have changed. It reads,
and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from scheduler import lifecycle
from scheduler.facts import REASONS, Stage
from scheduler.ledger.promises import GAP_SLOT
from scheduler.ledger.snapshot import PAGE, Snapshot, Told
from scheduler.record import Record


@dataclass(frozen=True, slots=True)
class Day:
    """One schedule's day: what was promised, and how many records stand in each stage, or did."""

    schedule: str
    date: str
    promised: int
    stages: dict[str, int]
    pruned: dict[str, int] = field(default_factory=dict)
    """Records that were forgotten since, by the stage that they had reached."""

    @property
    def accounted(self) -> int:
        """How many are there or were."""
        return sum(self.stages.values()) + sum(self.pruned.values())

    @property
    def conserved(self) -> bool:
        """Whether what was promised is what the stages, and what was forgotten, add up to."""
        return self.promised == self.accounted


@dataclass(slots=True)
class Audit:
    """What the check found; it is clean when `faults` is empty."""

    days: list[Day] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def audit(snapshot: Snapshot) -> Audit:
    """Check the whole ledger."""
    days = _days(snapshot)
    faults = _unconserved(days)
    owners: dict[str, str] = {}
    for record in snapshot.records():
        faults.extend(_wrong(record, owners))
    stories = snapshot.stories()
    while page := dict(islice(stories, PAGE)):
        rows = snapshot.found(list(page))
        faults.extend(fault for key, story in page.items() for fault in _diverged(rows.get(key), key, story))
    return Audit(days, faults)


def unconserved(snapshot: Snapshot) -> list[str]:
    """The days on which promises are missing or too many: the quick part of the audit."""
    return _unconserved(_days(snapshot))


def _days(snapshot: Snapshot) -> list[Day]:
    tallies, counts, pruned = snapshot.tallies(), snapshot.counts(), snapshot.pruned()
    return [
        Day(*place, tallies.get(place, 0), counts.get(place, {}), pruned.get(place, {}))
        for place in sorted(tallies.keys() | counts.keys() | pruned.keys())
    ]


def _unconserved(days: list[Day]) -> list[str]:
    return [
        f"{day.schedule} {day.date}: {day.promised} promised, {day.accounted} accounted for"
        for day in days
        if not day.conserved
    ]


def _wrong(record: Record, owners: dict[str, str]) -> Iterator[str]:
    closed = REASONS.get(record.stage)
    if closed is not None and record.reason not in closed:
        yield f"{record.key}: {record.stage} without a known reason ({record.reason})"
    if record.stage in (Stage.PLANNED, Stage.LIVE) and lifecycle.wakes_at(record) is None:
        yield f"{record.key}: {record.stage}, but nothing will ever wake it"
    if record.stage is Stage.LIVE and record.conversation_id is None:
        yield f"{record.key}: live without a conversation"
    if record.conversation_id is not None:
        other = owners.setdefault(record.conversation_id, record.key)
        if other != record.key:
            yield f"{record.key}: its conversation belongs to {other} too"


def _diverged(record: Record | None, key: str, story: list[Told]) -> Iterator[str]:
    if record is None:
        yield f"{key}: facts without a promise"
        return
    if record.slot == GAP_SLOT:
        return
    row, facts = _outcome(record), _outcome(_replay(record, story))
    if row != facts:
        differ = ", ".join(name for name in row if row[name] != facts[name])
        yield f"{key}: its facts add up to {facts['stage']}, its row says {row['stage']} (differ: {differ})"


def _outcome(record: Record) -> dict[str, object]:
    return {
        "stage": record.stage,
        "reason": record.reason,
        "attempt": record.attempt,
        "conversation": record.conversation_id,
        "deliveries": {d.address: d.state for d in record.deliveries},
        "strays": {s.conversation_id: s.end_at is None for s in record.strays},
    }


def _replay(record: Record, story: list[Told]) -> Record:
    promised = {name: getattr(record, name) for name in _PROMISE}
    again = Record(**promised, starts_at=record.opens, mark=record.mark)
    for told in story:
        if told.fact is not None:
            again = lifecycle.apply(again, told.fact, told.at, told.addresses)
    return again


_PROMISE = (
    *("key", "schedule", "slot", "date", "participant", "due", "opens", "shuts"),
    *("max_call_s", "absent_s", "timezone", "private"),
)
