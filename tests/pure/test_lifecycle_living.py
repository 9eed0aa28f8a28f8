"""A conversation's rows of the table: its link, its questions, its end, its strays (S12, S13, S23, S28)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jobs.errors import Reason
from jobs.model import Delivered, Ended, EndReason, NotEnded, NotThere, StillLive
from scheduler.facts import (
    Attempted,
    Doubted,
    EndedReason,
    Fact,
    Failed,
    GaveUp,
    GiveUpReason,
    NothingThere,
    Stage,
    StepKind,
    StrayFound,
)
from scheduler.lifecycle import Next, next_step, wakes_at
from scheduler.record import DeliveryState, Record
from tests.pure.lives import (
    CREATED,
    LOG,
    MAIL,
    T0,
    after,
    again,
    delivery,
    live,
    promise,
    seen,
    strays,
    told,
)

TOLD = ((2, Delivered(LOG)), (2, Delivered(MAIL)))
OVERDUE = 1 + 1800 + 60


def undelivered(address: object, reason: Reason) -> Failed:
    return Failed(StepKind.DELIVER, reason, "told so", address)  # type: ignore[arg-type]


def failed(step: StepKind, reason: Reason = Reason.LOST) -> Failed:
    return Failed(step, reason, "told so")


def kind(record: Record, at: float) -> StepKind | None:
    step = next_step(record, T0 + at)
    return step.kind if isinstance(step, Next) else None


# --- the link --------------------------------------------------------------------------------------


def test_the_log_comes_first_then_the_soonest_to_die() -> None:
    record = live((MAIL, LOG))
    first = next_step(record, T0 + 1)
    assert isinstance(first, Next) and first.delivery is not None and first.delivery.address == LOG
    second = next_step(after(record, TOLD[0]), T0 + 2)
    assert isinstance(second, Next) and second.delivery is not None and second.delivery.address == MAIL
    assert kind(told(), 3) is None


def test_a_delivery_is_tried_again_after_5_15_30_60_s() -> None:
    record, waits = live(), list[float]()
    for at in (10, 20, 40, 80, 150):
        record = after(record, (at, undelivered(MAIL, Reason.LOST)))
        waits.append(delivery(record, MAIL).due - T0 - at)
    assert waits == [5, 15, 30, 60, 60]
    assert delivery(record, LOG) == delivery(live(), LOG)


def test_a_link_is_never_sent_after_it_dies() -> None:
    record = live()
    dies = delivery(record, MAIL).not_after
    record = after(record, TOLD[0], (100, undelivered(MAIL, Reason.BUSY)))
    late = record._replace(deliveries=tuple(d._replace(due=dies + 1) for d in record.deliveries))
    assert wakes_at(late) == (dies, StepKind.DELIVER)
    assert kind(late, dies - T0) is StepKind.DELIVER
    assert next_step(late, dies + 0.001) == GaveUp(MAIL, GiveUpReason.STALE)


def test_a_try_that_would_come_too_late_is_given_up_now() -> None:
    record = after(live(), TOLD[0], (270, undelivered(MAIL, Reason.LOST)))
    assert delivery(record, MAIL).reason == "stale"
    assert record.end_at is None, "one has delivered: nothing is ended"


def test_when_every_channel_has_given_up_the_conversation_is_ended_at_once() -> None:
    record = after(live(), (3, undelivered(LOG, Reason.REFUSED)))
    assert record.end_at is None
    record = after(record, (4, undelivered(MAIL, Reason.REFUSED)))
    assert next_step(record, T0 + 4) == Next(StepKind.END, "c1")
    over = after(record, (5, Ended(EndReason.BY_US)))
    assert (over.stage, over.reason) == (Stage.ENDED, "undelivered")


@pytest.mark.parametrize("reason", list(EndReason))
def test_an_end_keeps_its_reason_if_anybody_was_told(reason: EndReason) -> None:
    one = after(live(), TOLD[0], (9, Ended(reason)))
    assert (one.stage, one.reason) == (Stage.ENDED, str(reason))
    assert delivery(one, MAIL).reason == "ended"
    nobody = after(live(), (9, Ended(reason)))
    assert (nobody.reason, {d.state for d in nobody.deliveries}) == ("undelivered", {DeliveryState.GIVEN_UP})
    unasked = after(live(()), (9, Ended(reason)))
    assert unasked.reason == str(reason)
    assert [wakes_at(r) for r in (one, nobody, unasked)] == [None] * 3


@pytest.mark.parametrize(
    "fact", [GaveUp(LOG, GiveUpReason.STALE), undelivered(LOG, Reason.LOST), Delivered(LOG)]
)
def test_what_is_delivered_stays_so(fact: Fact) -> None:
    assert after(told(), (50, fact)) == told()


def test_what_the_api_can_say_of_an_end_is_among_our_reasons() -> None:
    assert set(map(str, EndReason)) <= set(map(str, EndedReason))


# --- the questions (S23) ---------------------------------------------------------------------------


def test_it_is_asked_after_when_nobody_may_have_come_and_when_it_is_overdue() -> None:
    record = told()
    assert wakes_at(record) == (T0 + 316, StepKind.INSPECT)
    record = after(record, (316, StillLive()))
    assert wakes_at(record) == (T0 + OVERDUE, StepKind.INSPECT)
    record = after(record, (OVERDUE, StillLive()))
    assert wakes_at(record) == (T0 + OVERDUE, StepKind.END)


def test_a_question_in_between_replaces_none_of_these() -> None:
    record = after(told(), (40, Doubted("survey")))
    assert kind(record, 40) is StepKind.INSPECT
    assert wakes_at(after(record, (41, StillLive()))) == (T0 + 316, StepKind.INSPECT)


def test_a_call_shorter_than_the_wait_for_people_is_still_held_to_its_length() -> None:
    assert wakes_at(told(max_call_s=60)) == (T0 + 1 + 60 + 60, StepKind.INSPECT)


def test_a_question_that_fails_is_asked_again_after_10_30_60_s() -> None:
    record, waits = told(), list[float]()
    for at in (316, 400, 500, 600):
        record = after(record, (at, failed(StepKind.INSPECT)))
        waits.append((record.inspect_at or 0) - T0 - at)
    assert waits == [10, 30, 60, 60]
    assert record.end_at is None


def test_when_nobody_answers_the_last_question_it_is_ended_all_the_same() -> None:
    record = after(told(), (316, StillLive()), (OVERDUE, failed(StepKind.INSPECT)))
    assert kind(record, OVERDUE) is StepKind.END
    record = after(record, (OVERDUE, failed(StepKind.END)))
    assert record.end_at == T0 + OVERDUE + 30


def test_an_unknown_id_means_live_in_the_first_minute_and_gone_at_the_second_time_after_it() -> None:
    record = after(told(), (20, NotThere()), (30, NotThere()), (60, NotThere()))
    assert (record.stage, record.not_there) == (Stage.LIVE, 0)
    record = after(record, (61, NotThere()))
    assert (record.stage, record.inspect_at) == (Stage.LIVE, T0 + 71)
    assert after(record, (71, StillLive()), (80, NotThere())).stage is Stage.LIVE
    gone = after(record, (71, NotThere()))
    assert (gone.stage, gone.reason) == (Stage.ENDED, "gone")


# --- the end ---------------------------------------------------------------------------------------


def test_an_end_that_is_refused_is_no_failure() -> None:
    record, waits = after(told(), (316, StillLive()), (OVERDUE, StillLive())), list[float]()
    for at in (1900, 2000, 2100, 2200):
        record = after(record, (at, NotEnded()))
        assert kind(record, at) is StepKind.INSPECT
        waits.append((record.end_at or 0) - T0 - at)
        record = after(record, (at, StillLive()))
        assert wakes_at(record) == (record.end_at, StepKind.END)
    assert waits == [10, 30, 60, 60]
    over = after(record, (2300, NotEnded()), (2300, Ended(EndReason.BY_US, at=T0 + 2299)))
    assert (over.stage, over.reason, over.ended_at) == (Stage.ENDED, "by_us", T0 + 2299)


@pytest.mark.parametrize(("said", "kept"), [(None, 50), (20, 20), (-900, 1), (900, 50)])
def test_it_ended_between_its_creation_and_now(said: float | None, kept: float) -> None:
    fact = Ended(EndReason.LEFT, None if said is None else T0 + said)
    assert after(told(), (50, fact)).ended_at == T0 + kept


def test_end_comes_before_deliver_and_deliver_before_inspect() -> None:
    record = live()._replace(end_at=T0 + 5, inspect_at=T0 + 2)
    assert [kind(record, at) for at in (2, 5)] == [StepKind.DELIVER, StepKind.END]
    assert kind(told()._replace(inspect_at=T0 + 2), 5) is StepKind.INSPECT


def test_without_a_grant_only_a_delivery_can_be_done() -> None:
    record = live()._replace(end_at=T0 + 5, inspect_at=T0 + 2)
    step = next_step(record, T0 + 9, granted=False)
    assert isinstance(step, Next) and step.kind is StepKind.DELIVER
    assert next_step(after(record, *TOLD), T0 + 9, granted=False) is None
    assert next_step(promise(), T0 + 9, granted=False) is None


@pytest.mark.parametrize("step", [StepKind.INSPECT, StepKind.END])
def test_an_answer_that_failed_after_the_end_moves_nothing(step: StepKind) -> None:
    over = after(told(), (9, Ended(EndReason.LEFT)))
    assert after(over, (10, failed(step))) == over


# --- the look after a second create (S12) ----------------------------------------------------------


def second() -> Record:
    return after(again(), (40, Attempted(1)), (41, replace(CREATED, conversation_id="c2")), *TOLD)


def test_a_second_create_is_looked_after_once_more() -> None:
    record = second()
    assert record.look_at == T0 + 101
    found = after(record, (102, StrayFound("c1")), (102, NothingThere(T0 + 102)))
    assert (found.stage, found.look_at, strays(found)) == (Stage.LIVE, None, {"c1": 102})


@pytest.mark.parametrize("fact", [NothingThere(T0 + 100), Doubted("survey"), seen("c2", 41), StillLive()])
def test_nothing_but_that_look_settles_it(fact: Fact) -> None:
    assert after(second(), (105, fact)).look_at == T0 + 101


def test_it_is_still_looked_after_when_it_is_over() -> None:
    record = after(second(), (50, Ended(EndReason.LEFT)))
    assert (record.stage, record.look_at) == (Stage.ENDED, T0 + 101)
    assert strays(after(record, (102, seen("c1")))) == {"c1": 102}
