"""What must hold after every history, whatever went wrong in it.

Read from the outside: the server's own rooms and requests, the ledger's rows and facts through its read-only
door, and the lines that were written. Each check names what it found; none repairs anything.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from jobs.errors import Reason
from jobs.tavus.sandbox import Room
from scheduler.facts import (
    REASONS,
    Attempted,
    Fact,
    Failed,
    Faulted,
    Found,
    NothingThere,
    Stage,
    StepKind,
    StrayFound,
)
from scheduler.ledger.audit import audit
from scheduler.ledger.snapshot import Snapshot, Told
from scheduler.record import Record
from tests.house.conftest import Rig
from tests.proofs.oracle import Promise

MARK = re.compile(r" \[cb-([A-Z2-7]{16})-(\d+)\]$")
SECRETS = ("test-key", "/join/", "?t=")
LAST_LOOK_S = 30.0
"""After this the rows of a list are believed (S12)."""


def check(rig: Rig, *, over: bool = True) -> None:
    """Everything that needs no more than the rig; `over`: every promise's time is over."""
    assert_safe(rig)
    if over:
        assert_settled(rig)


def assert_safe(rig: Rig) -> None:
    """The ledger adds up, and no promise has a conversation too many."""
    with Snapshot.open(rig.place) as snapshot:
        records = {record.mark: record for record in snapshot.records()}
        stories = dict(snapshot.stories())
        assert not (faults := audit(snapshot).faults), faults
    rooms = by_attempt(rig.sandbox.rooms.values())
    assert rooms.keys() <= records.keys(), "a conversation without a promise"
    for mark, attempts in rooms.items():
        record = records[mark]
        assert not (trouble := list(too_many(record, attempts, stories[record.key]))), trouble
    for story in stories.values():
        assert not any("/join/" in told.data for told in story), "a link in the ledger's story"


def by_attempt(rooms: Iterable[Room]) -> dict[str, dict[int, list[Room]]]:
    """Conversations by mark and attempt."""
    found: dict[str, dict[int, list[Room]]] = defaultdict(lambda: defaultdict(list))
    for room in rooms:
        if match := MARK.search(str(room.body["conversation_name"])):
            found[match[1]][int(match[2])].append(room)
    return found


def too_many(record: Record, attempts: Mapping[int, Sequence[Room]], story: Sequence[Told]) -> Iterator[str]:
    """One conversation for each attempt, and a further attempt only after the last look in vain."""
    for attempt, rooms in attempts.items():
        if len(rooms) > 1:
            yield f"{record.key}: {len(rooms)} conversations in attempt {attempt}"
        if attempt > record.attempt:
            yield f"{record.key}: attempt {attempt} was never begun"
    ended_at, settled = 0.0, True
    for told in story:
        if isinstance(told.fact, Attempted):
            if not settled:
                yield f"{record.key}: created again without a last look in vain"
            ended_at, settled = told.at, False
        elif _is_unknown(told.fact):
            ended_at = told.at
        else:
            settled = settled or _settles(told.fact, record.private, ended_at)


def _is_unknown(fact: Fact | None) -> bool:
    return isinstance(fact, Faulted) or (isinstance(fact, Failed) and fact.reason is Reason.LOST)


def _settles(fact: Fact | None, private: bool, ended_at: float) -> bool:
    """Whether another attempt may follow: a definite no, a last look, or a private room that is a stray."""
    match fact:
        case Failed(step=StepKind.CREATE) | StrayFound():
            return True
        case NothingThere(since=since):
            return since >= ended_at + LAST_LOOK_S
    return private and isinstance(fact, Found)


def assert_settled(rig: Rig) -> None:
    """Every promise stands in one terminal stage with a reason, and nothing of ours still bills."""
    for record in rig.records().values():
        assert record.stage in REASONS, f"{record.key} is still {record.stage}"
        assert record.reason in REASONS[Stage(record.stage)]
        assert all(stray.end_at is None for stray in record.strays), f"{record.key} has a stray"
        told = {delivery.state for delivery in record.deliveries}
        assert "open" not in told, f"{record.key}: a delivery is still open"
    still = [room.conversation_id for room in rig.sandbox.rooms.values() if room.status == "active"]
    assert not still, f"still active: {still}"


def assert_expected(rig: Rig, expected: Mapping[str, Promise]) -> None:
    """What the oracle expects has a row, due to the second; nothing else has one."""
    records = rig.records()
    assert expected.keys() - records.keys() == set(), "lost without a row"
    assert records.keys() - expected.keys() == set(), "promised by nobody"
    for key, promise in expected.items():
        record = records[key]
        assert record.due == promise.due, f"{key}: due {record.due}, expected {promise.due}"
        if promise.skip is not None:
            assert (record.stage, record.reason) == ("skipped", promise.skip), key


def assert_rate(times: Iterable[float], count: int, per_s: float) -> None:
    """No window of this length has more requests than this, as they came in."""
    found = sorted(times)
    for first, beyond in zip(found, found[count:], strict=False):
        assert beyond - first >= per_s, f"{count + 1} requests within {beyond - first} s at {first}"


def most_at_once(rooms: Iterable[Room]) -> int:
    """The most conversations that the server had at one time; one that ends makes room for the next."""
    changes = [(room.created_at, 1) for room in rooms if not room.life.test_mode]
    changes += [(room.ended.at, -1) for room in rooms if room.ended and not room.life.test_mode]
    at_once = most = 0
    for _, change in sorted(changes):
        at_once += change
        most = max(most, at_once)
    return most


def assert_discreet(lines: Iterable[Mapping[str, object]]) -> None:
    """No secret and no link but in the log channel's own line."""
    for line in lines:
        if line["event"] != "link":
            told = repr(line)
            assert not any(secret in told for secret in SECRETS), f"{line['event']} tells too much"
