"""A conversation's rows of the table: its link, its questions, its end, its strays (S12, S13, S23, S28)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jobs.errors import Reason
from jobs.model import Address, Delivered, Ended, EndReason, NotEnded, NotThere, StillLive
from scheduler.facts import (
    Attempted,
    Doubted,
    EndedReason,
    Fact,
    Failed,
    Faulted,
    GaveUp,
    GiveUpReason,
    NothingThere,
    Stage,
    StepKind,
    StrayFound,
)
from scheduler.lifecycle import Next, next_delivery, next_step, wakes_at
from scheduler.record import DeliveryState, Record
from tests.pure.lives import (
    CREATED,
    HOOK,
    LOG,
    MAIL,
    T0,
    after,
    again,
    delivery,
    live,
    seen,
    strays,
    told,
)

TOLD = ((2, Delivered(LOG)), (2, Delivered(MAIL)))
OVERDUE = 1 + 1800 + 60


def undelivered(address: Address, reason: Reason, **told: Any) -> Failed:
    return Failed(StepKind.DELIVER, reason, "told so", address, **told)


def failed(step: StepKind, reason: Reason = Reason.LOST) -> Failed:
    return Failed(step, reason, "told so")


def kind(record: Record, at: float) -> StepKind | None:
    step = next_step(record, T0 + at)
    return step.kind if isinstance(step, Next) else None


# --- the link --------------------------------------------------------------------------------------


def test_each_address_is_delivered_to_for_itself() -> None:
    record = live((MAIL, LOG))
    for address in (MAIL, LOG):
        assert next_delivery(record, address, T0 + 1) == delivery(record, address)
        assert next_delivery(record, address, T0 + 0.9) is None
    record = after(record, TOLD[0])
    assert (next_delivery(record, LOG, T0 + 2), next_delivery(record, HOOK, T0 + 2)) == (None, None)
    assert next_delivery(record, MAIL, T0 + 2) == delivery(record, MAIL)


def waits(record: Record, address: Address, *tries_at: float, **told: Any) -> list[float | None]:
    """When the next try is due after each of these failed; `None` once it is given up."""
    found = list[float | None]()
    for at in tries_at:
        record = after(record, (at, undelivered(address, Reason.LOST, **told)))
        state = delivery(record, address)
        found.append(state.due - T0 - at if state.state is DeliveryState.OPEN else None)
    return found


def test_a_mail_is_tried_again_after_5_15_30_60_s() -> None:
    assert waits(live(), MAIL, 10, 20, 40, 80, 150) == [5, 15, 30, 60, 60]


def test_a_post_is_tried_at_0_and_5_s_30_s_2_min_and_5_min_and_no_more() -> None:
    record = live((HOOK, LOG), absent_s=1000)
    assert waits(record, HOOK, 1, 6, 31, 121, 301) == [5, 25, 90, 180, None]
    for at in (1, 6, 31, 121, 301):
        record = after(record, (at, undelivered(HOOK, Reason.LOST)))
    assert delivery(record, HOOK).reason == "exhausted"
    assert delivery(record, LOG) == delivery(live((HOOK, LOG), absent_s=1000), LOG)


def test_whoever_asks_for_more_time_gets_it_and_never_less() -> None:
    assert waits(live(), MAIL, 10, 60, retry_after_s=40.0) == [40, 40]
    assert waits(live(), MAIL, 10, 20, retry_after_s=1.0) == [5, 15]
    assert waits(live(), MAIL, 10, retry_after_s=3600.0) == [None]


def test_a_link_is_never_sent_after_it_dies() -> None:
    record = live()
    dies = delivery(record, MAIL).not_after
    record = after(record, TOLD[0], (100, undelivered(MAIL, Reason.BUSY)))
    assert wakes_at(record) == (T0 + 105, StepKind.DELIVER)
    assert next_delivery(record, MAIL, dies) == delivery(record, MAIL)
    assert next_delivery(record, MAIL, dies + 0.001) == GaveUp(MAIL, GiveUpReason.STALE)


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


def test_a_link_that_arrives_when_all_is_over_has_arrived() -> None:
    """The room ended while it was on its way: nobody had been told in time, and that stays the reason."""
    over = after(live((MAIL,)), (9, Ended(EndReason.LEFT)))
    late = after(over, (10, Delivered(MAIL)))
    assert (late.stage, late.reason) == (Stage.ENDED, "undelivered")
    assert (delivery(late, MAIL).state, delivery(late, MAIL).at) == (DeliveryState.DELIVERED, T0 + 10)
    failed = after(live((MAIL,), faults=2), (9, Faulted("x")), (10, Delivered(MAIL)))
    assert (failed.stage, delivery(failed, MAIL).state) == (Stage.FAILED, DeliveryState.DELIVERED)


def test_a_link_that_arrives_after_it_was_given_up_saves_its_conversation() -> None:
    lost = after(live((MAIL,)), (3, undelivered(MAIL, Reason.REFUSED)))
    saved = after(lost, (4, Delivered(MAIL)))
    assert (lost.end_at, saved.end_at) == (T0 + 3, None)
    assert wakes_at(saved) == (T0 + 316, StepKind.INSPECT)
    overdue = after(live((MAIL,)), (OVERDUE, StillLive()), (OVERDUE, Delivered(MAIL)))
    assert kind(overdue, OVERDUE) is StepKind.END


def test_a_fault_in_one_delivery_holds_up_nothing_else() -> None:
    record = after(live(), (2, Faulted("x", MAIL)))
    assert delivery(record, MAIL).due == T0 + 2 + 300 or delivery(record, MAIL).reason == "stale"
    assert (record.faults, record.inspect_at) == (0, live().inspect_at)
    assert delivery(record, LOG) == delivery(live(), LOG)
    later = after(live(absent_s=1000), (2, Faulted("x", MAIL)))
    assert (delivery(later, MAIL).due, delivery(later, MAIL).tries) == (T0 + 302, 1)
    assert delivery(after(live(), (2, Faulted("x"))), MAIL).due == T0 + 1


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


def test_end_comes_before_inspect_and_neither_waits_for_a_delivery() -> None:
    record = live()._replace(end_at=T0 + 5, inspect_at=T0 + 2)
    assert [kind(record, at) for at in (2, 5)] == [StepKind.INSPECT, StepKind.END]
    assert next_delivery(record, MAIL, T0 + 5) == delivery(record, MAIL)


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
