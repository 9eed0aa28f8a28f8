"""Any verbs in any order: the rows stay what their facts add up to, and wake when the lifecycle says."""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from jobs.errors import Reason
from jobs.model import Created, Delivered, Ended, EndReason, NotEnded, NotThere, StillLive
from scheduler import lifecycle, policy
from scheduler.desk import Asker, Breadth, Pause, Scope
from scheduler.facts import (
    Ask,
    Asked,
    Cancelled,
    CancelReason,
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
    SkipReason,
    Stage,
    StepKind,
    StrayEnded,
    StrayFound,
    StrayKept,
    Unlisted,
)
from scheduler.ledger import Ledger, Note, Place, pauses, place_of
from scheduler.ledger.audit import audit
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Occurrence
from scheduler.record import Record
from tests.contract.ledger.world import BASE_URL, BIRTH, DUE, HOOK, LINK, LOG, SCHEDULES, occurrence, same
from tests.postgres import Server

T = TypeVar("T")
PEOPLE = ("ana", "ben", "cai")
ids = st.sampled_from(["s1", "s2", "s3"])
addresses = st.sampled_from([LOG, HOOK])
details = st.just("so it went")
OPS = Asker("ops", "a holiday")
scopes = st.sampled_from(
    [Scope(), Scope(Breadth.SCHEDULE, "coach"), *(Scope(Breadth.PARTICIPANT, who) for who in PEOPLE[:2])]
)
facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(Created, ids, st.just(LINK), st.just(DUE), st.booleans()),
    st.builds(Found, ids, st.just(LINK), st.just(DUE), st.booleans()),
    st.builds(Failed, st.just(StepKind.CREATE), st.sampled_from(Reason), details),
    st.builds(Failed, st.sampled_from([StepKind.INSPECT, StepKind.END]), st.sampled_from(Reason), details),
    st.builds(Failed, st.just(StepKind.DELIVER), st.sampled_from(Reason), details, addresses),
    st.builds(NothingThere, st.floats(DUE, DUE + 4000)),
    st.builds(Delivered, addresses),
    st.builds(GaveUp, addresses, st.sampled_from(GiveUpReason)),
    st.builds(Ended, st.sampled_from(EndReason), st.none() | st.just(DUE + 50)),
    st.builds(Skipped, st.sampled_from(SkipReason)),
    st.builds(Missed, st.sampled_from(MissReason)),
    st.builds(Cancelled, st.sampled_from(CancelReason)),
    st.builds(StrayFound, ids),
    st.builds(StrayEnded, ids),
    st.builds(StrayKept, ids, details),
    st.builds(Doubted, details),
    st.builds(Faulted, details),
    st.builds(Asked, st.sampled_from(Ask), details, st.none() | details),
    st.sampled_from([StillLive(), NotThere(), NotEnded(), Unlisted()]),
)


class Verbs(RuleBasedStateMachine):
    """A ledger, a clock that only goes on, and what every record must be by the lifecycle alone."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.place = self.new_place()
        self.ledger = self.open()
        self.now = DUE - 40
        self.expected: dict[str, Record] = {}
        self.conversations = 0
        self.pauses: list[Pause] = []

    def new_place(self) -> Place:
        return Path(self.folder.name) / "callboard.db"

    def open(self) -> Ledger:
        return Ledger.open(self.place, BASE_URL, BIRTH)

    def run(self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(asyncio.wait_for(work, 10))

    def teardown(self) -> None:
        self.ledger.close()
        self.loop.close()
        self.folder.cleanup()

    # --- verbs ---

    @initialize()
    def first(self) -> None:
        self.promise(promise_to("ana"))

    @rule(o=st.builds(lambda who, where, slot: promise_to(who, where, slot), st.sampled_from(PEOPLE),
                      st.sampled_from(sorted(SCHEDULES)), st.sampled_from(["09:00", "x"])))  # fmt: skip
    def promise(self, o: Occurrence) -> None:
        self.run(self.ledger.promise([o], SCHEDULES, self.now, self.now))
        if o.key not in self.expected:
            record = self.run(self.ledger.record(o.key))
            assert record is not None
            self.expected[o.key] = record

    @rule(count=st.integers(0, 4))
    def claim(self, count: int) -> None:
        generation = self.run(self.ledger.generation("{}", self.now))
        claimed = self.run(self.ledger.claim(self.now, count, generation))
        assert len(claimed) <= count
        for record in claimed:
            assert record.schedule == "loose" or not self.running(record.participant)
            assert not self.covered(record.key)
            self.move(record.key, lifecycle.Attempted(generation))
            assert same(record) == same(self.expected[record.key])

    def running(self, who: str | None) -> list[str]:
        busy = (Stage.CREATING, Stage.LIVE)
        return [r.key for r in self.expected.values() if r.participant == who and r.stage in busy]

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), fact=facts, to=st.sampled_from([(), (LOG,), (LOG, HOOK)]))
    def note(self, data: st.DataObject, fact: Fact, to: tuple[object, ...]) -> None:
        self.note_all([data.draw(st.sampled_from(sorted(self.expected)))], [fact], to)

    @precondition(lambda self: self.expected)
    @rule(
        data=st.data(), several=st.lists(facts, min_size=2, max_size=6), to=st.sampled_from([(), (LOG, HOOK)])
    )
    def note_several(self, data: st.DataObject, several: list[Fact], to: tuple[object, ...]) -> None:
        keys = st.sampled_from(sorted(self.expected))
        self.note_all([data.draw(keys) for _ in several], several, to)

    def note_all(self, keys: list[str], several: list[Fact], to: tuple[object, ...]) -> None:
        several = [self.with_id_of_its_own(fact) for fact in several]
        notes = [Note(key, fact, self.now, to) for key, fact in zip(keys, several, strict=True)]  # type: ignore[arg-type]
        for noted in self.run(self.ledger.note(*notes)):
            assert same(noted.before) == same(self.expected[noted.note.key])
            self.move(noted.note.key, noted.note.fact, to)
            assert same(noted.after) == same(self.expected[noted.note.key])

    def with_id_of_its_own(self, fact: Fact) -> Fact:
        """The service makes none twice."""
        if not isinstance(fact, Created | Found):
            return fact
        self.conversations += 1
        return dataclasses.replace(fact, conversation_id=f"c{self.conversations}")

    @rule(on=st.sampled_from([0.5, 5.0, 40.0, 700.0]))
    def later(self, on: float) -> None:
        self.now += on

    @rule(later_s=st.sampled_from([0.0, 45.0]), name=st.sampled_from(sorted(SCHEDULES)))
    def settle(self, later_s: float, name: str) -> None:
        planned = [r for r in self.expected.values() if r.stage is Stage.PLANNED and r.schedule == name]
        stays = [occurrence(r.participant, name, slot=r.slot, due=r.due + later_s) for r in planned]
        self.run(self.ledger.settle(stays, SCHEDULES, self.now))
        for o in stays:
            r = self.expected[o.key]
            starts = o.opens if r.starts_at == r.opens else max(r.starts_at, o.opens)
            moved = {"due": o.due, "opens": o.opens, "shuts": o.shuts, "starts_at": starts}
            self.expected[o.key] = r._replace(**moved, generation=None)

    @rule(scope=scopes, for_s=st.none() | st.sampled_from([1.0, 60.0]))
    def pause(self, scope: Scope, for_s: float | None) -> None:
        until = None if for_s is None else self.now + for_s
        before = self.run(self.ledger.steering.pause(scope, until, OPS, self.now))
        assert (before is not None) == (scope in {p.scope for p in self.in_force()})
        since = self.now if before is None else before.since
        changed = before is not None and before.until == until
        paused = before if changed else Pause(scope, since, until, *OPS)
        self.pauses = [p for p in self.pauses if p not in self.in_force() or p.scope != scope] + [paused]

    @rule(scope=scopes)
    def resume(self, scope: Scope) -> None:
        ended = self.run(self.ledger.steering.resume(scope, OPS, self.now))
        assert [ended] == ([p for p in self.in_force() if p.scope == scope] or [None])
        self.pauses = [p._replace(until=self.now) if p == ended else p for p in self.pauses]

    def in_force(self) -> list[Pause]:
        return [p for p in self.pauses if p.until is None or p.until > self.now]

    @rule()
    def close_paused(self) -> None:
        """What the ledger calls paused is what the pauses cover, and what a claim leaves alone."""
        opened = {r.key for r in self.expected.values() if r.stage is Stage.PLANNED and r.opens <= self.now}
        told = {r.key for r in self.run(self.ledger.steering.opened_paused(self.now))}
        assert told == {key for key in opened if self.covered(key)}
        assert self.run(self.ledger.look(self.now)).paused == len(told)
        for key in sorted(told):
            fact = Skipped(SkipReason.PAUSED)
            self.run(self.ledger.note(Note(key, fact, self.now)))
            self.move(key, fact)

    def covered(self, key: str) -> bool:
        r = self.expected[key]
        promise = occurrence(r.participant, r.schedule, due=r.due, slot=r.slot)
        return pauses.covers(self.pauses, promise, self.now)

    @rule()
    def reopen(self) -> None:
        self.ledger.close()
        self.ledger = self.open()

    def move(self, key: str, fact: Fact, to: tuple[object, ...] = ()) -> None:
        self.expected[key] = lifecycle.apply(self.expected[key], fact, self.now, to)  # type: ignore[arg-type]

    # --- what always holds ---

    @invariant()
    def the_rows_are_what_the_facts_add_up_to(self) -> None:
        with Snapshot.open(self.place) as snapshot:
            records = {record.key: same(record) for record in snapshot.records()}
            found = audit(snapshot)
        assert records == {key: same(record) for key, record in self.expected.items()}
        assert found.faults == []

    @invariant()
    def held_is_what_bills(self) -> None:
        given_back_s = 60 + policy.GIVE_BACK_S
        held = sum(
            r.stage is Stage.CREATING
            or (r.stage is Stage.LIVE and (r.created_at or 0) + r.max_call_s + given_back_s > self.now)
            for r in self.expected.values()
        )
        strays = [s for r in self.expected.values() for s in r.strays if s.end_at is not None]
        assert self.run(self.ledger.look(self.now)).held == held + len(strays)

    @invariant()
    def next_is_always_ahead(self) -> None:
        view = self.run(self.ledger.look(self.now))
        assert view.next_at is None or view.next_at > self.now
        waits = any(r.stage is Stage.PLANNED and r.shuts >= self.now for r in self.expected.values())
        assert view.next_at is not None or not waits


def promise_to(who: str, schedule: str = "coach", slot: str = "09:00") -> Occurrence:
    return occurrence(who, schedule, slot=slot)


Verbs.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestVerbs = Verbs.TestCase


def test_verbs_on_postgresql(postgres: Server) -> None:
    class Elsewhere(Verbs):
        def new_place(self) -> Place:
            return place_of(postgres.new())

    run_state_machine_as_test(Elsewhere, settings=settings(Verbs.TestCase.settings, max_examples=10))
