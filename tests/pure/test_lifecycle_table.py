"""The table as a whole: what it says is what happens, whatever happens, in any order (S11, S12, S15)."""

from __future__ import annotations

import random
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.errors import Reason
from jobs.model import Created, Delivered, Ended, EndReason, NotEnded, NotThere, StillLive
from scheduler.facts import (
    KINDS,
    REASONS,
    Ask,
    Asked,
    Attempted,
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
from scheduler.lifecycle import TABLE, Next, next_delivery, next_step, wakes_at
from scheduler.record import Delivery, DeliveryState, Record
from tests.pure.lives import LOG, MAIL, T0, after, promise

IDS = ("c1", "c2", "c3")
OPEN = (Stage.PLANNED, Stage.CREATING, Stage.LIVE)
BEGUN = (Attempted(1), Failed(StepKind.CREATE, Reason.LOST, "x"))
LIKELY: dict[Stage, tuple[Fact, ...]] = {
    Stage.PLANNED: BEGUN,
    Stage.CREATING: BEGUN,
    Stage.FAILED: (Asked(Ask.RETRY, "ops"),),
}
"""What brings a record forward, or back: told more often, so that walks come far."""
LEAVES_CREATING = (Created, Found, NothingThere, Unlisted, Failed, Faulted)
"""An answer, a look, a definite no - and the fence, but only to `failed`."""


def facts(at: float) -> list[Fact]:
    """One of everything that can be noted at T0 + at, from a world with three conversations."""
    made = [T0 + at - 1, T0 - 50]
    return [
        *(Attempted(1), Unlisted(), StillLive(), NotThere(), NotEnded(), Doubted("x")),
        Faulted("x", MAIL if at % 3 == 0 else None),
        *(NothingThere(T0 + since) for since in (at, at - 20)),
        *(Created(c, f"https://{c}", made[0], ended) for c in IDS for ended in (False, True)),
        *(Found(c, f"https://{c}", made[1], active) for c in IDS for active in (False, True)),
        *(kind(c) for c in IDS for kind in (StrayFound, StrayEnded)),
        *(StrayKept(c, "x") for c in IDS),
        *(Failed(StepKind.CREATE, reason, "x") for reason in Reason),
        *(Failed(step, Reason.BUSY, "x") for step in (StepKind.INSPECT, StepKind.END)),
        *(Failed(StepKind.DELIVER, r, "x", LOG) for r in (Reason.LOST, Reason.REFUSED)),
        *(Delivered(address) for address in (LOG, MAIL)),
        *(GaveUp(address, GiveUpReason.STALE) for address in (LOG, MAIL)),
        *(Ended(reason, at) for reason, at in zip(EndReason, [None, *made] * 3, strict=False)),
        *(Skipped(SkipReason.OVERLAP), Missed(MissReason.LATE), Cancelled(CancelReason.REMOVED)),
    ]


Told = tuple[float, Fact, Record, Record]


def _some_promise(choices: random.Random) -> Record:
    private, shuts = choices.random() < 0.2, T0 + choices.choice([5, 600])
    return promise(private=private, shuts=shuts, faults=choices.choice([0, 0, 2]))


def walk(choices: random.Random, length: int) -> Iterator[Told]:
    """A promise to which anything is told, in any order, at any time: (at, fact, before, afterwards)."""
    at, record = 0.0, _some_promise(choices)
    for _ in range(length):
        at += choices.choice([0, 1, 3, 12, 40, 400])
        fact = choices.choice(facts(at))
        if choices.random() < 0.4 and record.stage in LIKELY:
            private = (Found(choices.choice(IDS), "https://c", T0, True),) if record.private else ()
            fact = choices.choice((*LIKELY[record.stage], *private))
        if choices.random() < 0.05:
            fact = Asked(choices.choice(list(Ask)), "ops")
        yield at, fact, record, (record := after(record, (at, fact)))


def test_every_move_that_the_table_names_happens_and_no_other() -> None:
    named = {(stage, kind, to) for (stage, kind), row in TABLE.items() for to in row.leads_to}
    seen = {
        (before.stage, type(fact), moved.stage)
        for seed in range(1_500)
        for _, fact, before, moved in walk(random.Random(seed), 12)
        if (before.stage, type(fact)) in TABLE
    }
    assert seen - named == set(), "something happened that the table does not name"
    assert named - seen == set(), "the table names what never happens"


def test_every_fact_has_a_row_somewhere() -> None:
    assert {kind for _, kind in TABLE} == set(KINDS.values())


walks = st.builds(
    lambda seed, length: list(walk(random.Random(seed), length)), st.integers(), st.integers(1, 40)
)
quick = settings(max_examples=300, deadline=None)


@quick
@given(walks)
def test_a_stage_is_left_only_as_the_table_says(told: list[Told]) -> None:
    for _, fact, before, moved in told:
        row = TABLE.get((before.stage, type(fact)))
        assert moved.stage in (row.leads_to if row else {before.stage})
        if before.stage not in OPEN and not (before.stage is Stage.FAILED and isinstance(fact, Asked)):
            assert (moved.stage, moved.reason) == (before.stage, before.reason)
        assert (moved.stage in REASONS) == (moved.reason is not None)
        assert moved.reason is None or moved.reason in REASONS[moved.stage]


@quick
@given(walks)
def test_creating_is_left_only_by_an_answer_a_definite_no_or_a_look(told: list[Told]) -> None:
    for _, fact, before, moved in told:
        if before.stage is not Stage.CREATING or moved.stage is Stage.CREATING:
            continue
        assert isinstance(fact, LEAVES_CREATING)
        on_the_wire = before.attempt_ended_at is None
        assert not (on_the_wire and isinstance(fact, Found | NothingThere | Unlisted))
        if isinstance(fact, Failed):
            assert on_the_wire and fact.reason is not Reason.LOST
        if isinstance(fact, Faulted):
            assert moved.stage is Stage.FAILED
        if moved.attempt > before.attempt:
            assert isinstance(fact, Found | NothingThere), "a second create only after a look"


@quick
@given(walks)
def test_one_conversation_is_adopted_and_never_another(told: list[Told]) -> None:
    """Neither is one that was called a stray adopted, nor a stray forgotten before it is over."""
    for _, fact, before, moved in told:
        if before.conversation_id is not None:
            assert moved.conversation_id == before.conversation_id
        known = {s.conversation_id for s in before.strays}
        assert known <= {s.conversation_id for s in moved.strays}
        if before.conversation_id is None and isinstance(fact, Found):
            assert moved.conversation_id not in known | {""}


@quick
@given(walks)
def test_every_conversation_that_the_record_heard_of_is_its_own_or_a_stray(told: list[Told]) -> None:
    for _, fact, before, moved in told:
        created = isinstance(fact, Created) and before.stage is not Stage.PLANNED
        found = isinstance(fact, Found) and fact.active and before.attempt_ended_at is not None
        if (created or found or isinstance(fact, StrayFound)) and not _on_the_wire(before, fact):
            assert fact.conversation_id in {  # type: ignore[union-attr]
                moved.conversation_id,
                *(s.conversation_id for s in moved.strays),
            }


def _on_the_wire(record: Record, fact: Fact) -> bool:
    waiting = record.stage is Stage.CREATING and record.attempt_ended_at is None
    return waiting and isinstance(fact, Found)


@quick
@given(walks, st.sampled_from([0.0, 1.0, 30.0, 10_000.0]))
def test_the_next_step_is_always_known(told: list[Told], later: float) -> None:
    for at, _, _, record in told:
        now, wake = T0 + at + later, wakes_at(record)
        for step in _steps(record, now):
            in_line = isinstance(step, Next) and step.kind is StepKind.CREATE  # it is claimed, never woken
            assert in_line or (wake is not None and wake[0] <= now)
            if isinstance(step, GaveUp):
                assert (step.reason, record.stage in (Stage.LIVE, Stage.ENDED)) == (GiveUpReason.STALE, True)
            if isinstance(step, Delivery):
                assert now <= step.not_after
            if isinstance(step, Next) and step.kind in (StepKind.END, StepKind.INSPECT):
                assert step.conversation_id, "we end and ask only what we know"
        if wake is not None:
            assert _steps(record, max(wake[0], T0 + at)), "it wakes for something"


def _steps(record: Record, now: float) -> list[Next | Delivery | GaveUp]:
    """Everything that is to be done now, side by side."""
    found = [next_step(record, now), *(next_delivery(record, d.address, now) for d in record.deliveries)]
    return [step for step in found if step is not None]


@quick
@given(walks)
def test_nothing_sleeps_that_wants_something(told: list[Told]) -> None:
    for _, _, _, record in told:
        undelivered = any(d.state is DeliveryState.OPEN for d in record.deliveries)
        running = any(s.end_at is not None for s in record.strays)
        wants = record.stage in (Stage.PLANNED, Stage.LIVE) or undelivered or running
        assert (wakes_at(record) is not None) == wants
        if record.stage is Stage.CREATING:
            assert (record.attempt_ended_at is None) == (record.look_at is None), "a POST, or a look"
        if record.stage is Stage.PLANNED:
            assert record.look_at is None


@quick
@given(walks)
def test_an_answer_once_lost_is_looked_for_until_a_look_that_was_due(told: list[Told]) -> None:
    for _, fact, before, moved in told:
        if before.look_at is not None and moved.look_at is None:
            over = isinstance(fact, NothingThere) and fact.since >= before.look_at
            assert over or before.stage is Stage.CREATING
        if moved.stage not in (*OPEN, before.stage) and moved.attempt > 1:
            assert moved.look_at is not None or before.stage is Stage.LIVE


@quick
@given(walks, st.floats(0, 4_000))
def test_left_to_itself_a_conversation_is_over_in_finite_steps(told: list[Told], later: float) -> None:
    """With an API that answers, every record comes to rest: nothing wants something for ever."""
    at, _, _, record = told[-1]
    now = T0 + at
    for _ in range(60):
        wake = wakes_at(record)
        if wake is None:
            break
        now = max(now, wake[0])
        record = after(record, (now - T0, _answer(_steps(record, now)[0])))
        if record.stage is Stage.CREATING and record.look_at is not None:
            now = max(now, record.look_at)
            record = after(record, (now - T0, NothingThere(now)))
    assert wakes_at(record) is None
    assert record.stage not in (Stage.PLANNED, Stage.LIVE)


def _answer(step: Next | Delivery | GaveUp) -> Fact:
    if isinstance(step, GaveUp):
        return step
    if isinstance(step, Delivery):
        return Delivered(step.address)
    if step.stray:
        return StrayEnded(step.conversation_id)
    over: dict[StepKind, Fact] = {StepKind.CREATE: Missed(MissReason.LATE)}
    return over.get(step.kind, Ended(EndReason.LEFT))


def test_a_move_never_touches_what_was_promised() -> None:
    promised = {"key", "schedule", "slot", "date", "participant", "due", "opens", "shuts", "mark", "private"}
    for seed in range(1_500):
        for _, _, before, moved in walk(random.Random(seed), 20):
            assert all(getattr(before, name) == getattr(moved, name) for name in promised)
            assert moved._replace(stage=before.stage).attempt >= before.attempt
