"""What belongs to no one stage: strays, the fence, and facts that come too late (S12, S13, S15)."""

from __future__ import annotations

import pytest

from jobs.errors import Reason
from jobs.model import Created, Delivered, Ended, EndReason, NotEnded, NotThere, StillLive
from scheduler.facts import (
    Attempted,
    Cancelled,
    CancelReason,
    Doubted,
    Failed,
    Faulted,
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
from scheduler.lifecycle import Next, next_step, wakes_at
from scheduler.record import DeliveryState, Record
from tests.pure.lives import LOG, LOST, T0, after, creating, live, lost, promise, seen, strays, told

# --- strays (S13) ----------------------------------------------------------------------------------

EVERY = [
    *(promise(), creating(), live(), told()),
    after(promise(), (1, Missed(MissReason.LATE))),
    after(told(), (9, Ended(EndReason.LEFT))),
    after(creating(), (1, Failed(StepKind.CREATE, Reason.REFUSED, "no"))),
]


@pytest.mark.parametrize("record", EVERY, ids=lambda r: str(r.stage))
def test_a_stray_is_ended_whatever_the_stage_and_changes_nothing_else(record: Record) -> None:
    found = after(record, (400, StrayFound("c9")))
    assert next_step(found, T0 + 400) == Next(StepKind.END, "c9", stray=True)
    assert found._replace(strays=()) == record
    assert after(found, (401, StrayEnded("c9")))._replace(strays=()) == record
    assert after(found, (500, StrayFound("c9"))) == found


def test_a_stray_is_asked_after_and_ended_again_until_it_is_over() -> None:
    record, asked = after(told(), (10, StrayFound("c9"))), list[tuple[float, StepKind]]()
    at = 10.0
    for _ in range(6):
        step = next_step(record, T0 + at)
        assert isinstance(step, Next) and step.stray
        asked.append((at, step.kind))
        record = after(record, (at, StrayKept("c9", "still live")))
        at = strays(record)["c9"] or 0
    ends = [(10, StepKind.END), (20, StepKind.END), (50, StepKind.END)]
    assert [each for each in asked if each[1] is StepKind.END] == ends
    assert [each for each in asked if each[1] is StepKind.INSPECT] == [(t, StepKind.INSPECT) for t, _ in ends]


def test_a_late_row_beside_a_live_one_is_a_stray() -> None:
    assert strays(after(told(), (50, seen("c9")))) == {"c9": 50}
    assert after(told(), (50, seen("c1"))) == told()
    assert after(told(), (50, seen("c9", active=False))) == told()


def test_an_ended_one_that_lingers_in_the_list_is_ended_again() -> None:
    over = after(told(), (50, Ended(EndReason.LEFT)))
    assert after(over, (110, seen())) == over, "lists are late"
    assert strays(after(over, (111, seen()))) == {"c1": 111}


# --- the fence -------------------------------------------------------------------------------------


def test_a_fault_while_planned_waits_five_minutes_and_the_third_fails() -> None:
    record = after(promise(), (1, Faulted("x")))
    assert (record.stage, record.starts_at) == (Stage.PLANNED, T0 + 301)
    record = after(record, (302, Faulted("x")), (603, Faulted("x")))
    assert (record.stage, record.reason, wakes_at(record)) == (Stage.FAILED, "fault", None)


@pytest.mark.parametrize("record", [creating(), lost()])
def test_a_fault_while_creating_only_ever_leads_to_a_look(record: Record) -> None:
    faulted = after(record, (6, Faulted("x")))
    assert (faulted.stage, faulted.look_at, faulted.attempt) == (Stage.CREATING, T0 + 8, 1)
    third = after(faulted, (7, Faulted("x")), (8, Faulted("x")))
    assert (third.stage, third.reason, third.look_at) == (Stage.FAILED, "fault", T0 + 68)
    assert strays(after(third, (70, seen()))) == {"c1": 70}


def test_a_fault_postpones_every_request_by_five_minutes_and_no_link() -> None:
    record = after(live(), (2, StrayFound("c9")), (3, Faulted("x")))
    assert wakes_at(record) == (T0 + 1, StepKind.DELIVER)
    assert (record.stage, record.inspect_at, strays(record)) == (Stage.LIVE, T0 + 316, {"c9": 303})


def test_the_third_fault_fails_it_and_ends_what_still_bills() -> None:
    record = after(live(), *((at, Faulted("x")) for at in (3, 310, 620)))
    assert (record.stage, record.reason, strays(record)) == (Stage.FAILED, "fault", {"c1": 620})
    assert {d.state for d in record.deliveries} == {DeliveryState.GIVEN_UP}
    assert wakes_at(record) == (T0 + 620, StepKind.END)
    assert after(record, (700, seen())) == record
    assert wakes_at(after(record, (700, StrayEnded("c1")))) is None


def test_a_fault_at_a_stray_of_something_over_only_waits() -> None:
    over = after(told(), (9, Ended(EndReason.LEFT)), (10, StrayFound("c9")))
    over = after(over, *((at, Faulted("x")) for at in (10, 20, 30, 40)))
    assert (over.stage, over.reason, strays(over)) == (Stage.ENDED, "left", {"c9": 340})


# --- what arrives too late -------------------------------------------------------------------------

LATE = (
    *(Attempted(1), LOST, NothingThere(T0 + 99), Unlisted(), StillLive(), Doubted("x")),
    *(Skipped(SkipReason.PAUSED), Missed(MissReason.LATE), Cancelled(CancelReason.REMOVED)),
    *(NotThere(), NotEnded(), Ended(EndReason.LEFT), Delivered(LOG), GaveUp(LOG, GiveUpReason.STALE)),
)


@pytest.mark.parametrize("fact", LATE, ids=lambda fact: type(fact).__name__)
def test_a_fact_without_a_row_moves_nothing(fact: object) -> None:
    record = after(promise(), (1, Missed(MissReason.LATE)))
    assert after(record, (99, fact)) == record  # type: ignore[arg-type]


def test_a_late_answer_to_a_promise_given_up_is_a_stray() -> None:
    record = after(promise(), (1, Missed(MissReason.LATE)), (5, Created("c9", "https://x", T0)))
    assert (record.stage, strays(record)) == (Stage.MISSED, {"c9": 5})
