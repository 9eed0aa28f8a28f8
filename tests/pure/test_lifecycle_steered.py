"""What a person asks of one promise: skip, end, resend, retry; asked too late, it changes nothing."""

from __future__ import annotations

import pytest

from jobs.errors import Reason
from jobs.model import Delivered, Ended, EndReason
from scheduler.facts import (
    Ask,
    Asked,
    Attempted,
    Failed,
    Faulted,
    Found,
    GaveUp,
    GiveUpReason,
    NothingThere,
    Stage,
    StepKind,
)
from scheduler.lifecycle import Next, next_step
from scheduler.record import DeliveryState, Record
from tests.pure.lives import (
    CREATED,
    LOG,
    MAIL,
    T0,
    after,
    again,
    creating,
    delivery,
    live,
    lost,
    promise,
    told,
)

SKIP, END, RESEND, RETRY, MAKE_UP = (Asked(ask, "ops", "because") for ask in Ask)
REFUSED = Failed(StepKind.CREATE, Reason.REFUSED, "no such persona")
FAULTED = Faulted("x")


def refused() -> Record:
    return after(creating(), (1, REFUSED))


# --- skip ------------------------------------------------------------------------------------------


def test_a_planned_promise_is_taken_back() -> None:
    record = after(promise(), (-60, SKIP))
    assert (record.stage, record.reason, record.look_at) == ("cancelled", "by_person", None)


def test_one_whose_answer_was_once_lost_is_looked_for_once_more() -> None:
    assert after(again(), (37, SKIP)).look_at == T0 + 97


@pytest.mark.parametrize("record", [creating(), lost(), live(), refused()])
def test_what_has_begun_is_not_skipped(record: Record) -> None:
    assert after(record, (50, SKIP)) == record


# --- end -------------------------------------------------------------------------------------------


def test_a_conversation_is_ended_at_once() -> None:
    record = after(told(), (100, END))
    assert next_step(record, T0 + 100) == Next(StepKind.END, "c1")
    over = after(record, (101, Ended(EndReason.BY_US, None)))
    assert (over.stage, over.reason) == ("ended", "by_us")


def test_a_link_that_arrives_meanwhile_does_not_save_it() -> None:
    record = after(live(), (3, END), (4, Delivered(LOG)))
    assert record.end_at == T0 + 3


def test_nor_does_one_that_arrives_when_all_was_given_up() -> None:
    lost = after(live(), *((3, GaveUp(to, GiveUpReason.REFUSED)) for to in (LOG, MAIL)))
    assert after(lost, (4, Delivered(LOG))).end_at is None
    assert after(lost, (4, END), (5, Delivered(LOG))).end_at == T0 + 4


def test_asked_twice_it_is_ended_once() -> None:
    waits = after(told(), (100, END), (101, Failed(StepKind.END, Reason.BUSY, "x")))
    assert after(waits, (102, END)) == waits


# --- resend ----------------------------------------------------------------------------------------


def test_what_was_delivered_is_delivered_again() -> None:
    record = after(told(), (60, RESEND))
    assert {d.state for d in record.deliveries} == {DeliveryState.OPEN}
    assert {d.due for d in record.deliveries} == {T0 + 60}
    assert record.resends == 1
    anew = after(record, (61, Delivered(LOG)), (61, Delivered(MAIL)))
    assert {(d.state, d.at) for d in anew.deliveries} == {(DeliveryState.DELIVERED, T0 + 61)}


def test_only_the_channel_that_was_named() -> None:
    record = after(told(), (60, Asked(Ask.RESEND, "ops", channel="mail")))
    assert (delivery(record, LOG).state, delivery(record, MAIL).state) == ("delivered", "open")


def test_what_was_given_up_is_tried_anew() -> None:
    tried = after(live(), (2, Delivered(LOG)), (3, GaveUp(MAIL, GiveUpReason.REFUSED)))
    record = after(tried, (60, Asked(Ask.RESEND, "ops", channel="mail")))
    mail = delivery(record, MAIL)
    assert (mail.state, mail.tries, mail.reason, mail.at) == (DeliveryState.OPEN, 0, None, None)


def test_what_is_still_on_its_way_is_tried_at_once_and_stays_the_same_message() -> None:
    failed = after(live(), (2, Failed(StepKind.DELIVER, Reason.BUSY, "x", MAIL)))
    record = after(failed, (3, RESEND))
    assert (delivery(record, MAIL).due, delivery(record, MAIL).tries, record.resends) == (T0 + 3, 1, 0)


def test_a_dead_link_is_not_sent_again() -> None:
    record = told()
    assert after(record, (272, RESEND)) == record


def test_nobody_is_called_to_a_conversation_that_is_being_ended() -> None:
    ending = after(told(), (60, END))
    assert after(ending, (61, RESEND)) == ending


def test_a_resend_that_fails_takes_nothing_back() -> None:
    """It had arrived: the conversation is not ended for want of anybody who knows of it (S28)."""
    record = after(told(), (60, RESEND), *((61, GaveUp(to, GiveUpReason.REFUSED)) for to in (LOG, MAIL)))
    assert {(d.state, d.at) for d in record.deliveries} == {(DeliveryState.DELIVERED, T0 + 2)}
    assert record.end_at is None


def test_nor_does_the_end_of_the_conversation() -> None:
    record = after(told(), (60, RESEND), (61, Ended(EndReason.LEFT, None)))
    assert (record.stage, record.reason) == ("ended", "left")
    assert {d.state for d in record.deliveries} == {DeliveryState.DELIVERED}


# --- retry -----------------------------------------------------------------------------------------


def test_a_definite_no_goes_straight_back_into_line_under_the_terms_of_now() -> None:
    record = after(refused(), (30, RETRY))
    assert (record.stage, record.reason, record.starts_at) == ("planned", None, T0 + 30)
    assert (record.generation, record.attempt) == (None, 1)


def test_one_that_never_left_the_house_does_too() -> None:
    faulty = after(promise(), *((at, FAULTED) for at in (1, 2, 3)))
    assert faulty.stage is Stage.FAILED
    assert after(faulty, (30, RETRY)).stage is Stage.PLANNED


def test_where_an_answer_may_be_lost_it_is_looked_for_first() -> None:
    faulty = after(lost(), *((at, FAULTED) for at in (6, 7, 8)))
    assert faulty.stage is Stage.FAILED
    looking = after(faulty, (30, RETRY))
    assert (looking.stage, looking.look_at, looking.looks) == (Stage.CREATING, T0 + 32, 0)
    found = after(looking, (33, Found("c1", CREATED.url, T0 + 1, True)))
    assert (found.stage, found.conversation_id) == (Stage.LIVE, "c1")


def test_and_created_anew_only_after_the_last_look_in_vain() -> None:
    faulty = after(lost(), *((at, FAULTED) for at in (6, 7, 8)))
    record = after(faulty, (30, RETRY))
    for at in (32, 40):
        record = after(record, (at, NothingThere(T0 + at)))
        assert record.stage is Stage.CREATING
    record = after(record, (60, NothingThere(T0 + 60)))
    assert (record.stage, record.attempt) == (Stage.PLANNED, 2)


def test_a_refusal_after_an_answer_that_was_lost_waits_for_its_last_look() -> None:
    record = after(again(), (37, Attempted(7)), (38, REFUSED))
    assert record.look_at is not None
    assert after(record, (40, RETRY)).stage is Stage.CREATING
    done = after(record, (99, NothingThere(T0 + 99)))
    assert after(done, (100, RETRY)).stage is Stage.PLANNED


def test_not_beside_a_conversation() -> None:
    faulty = after(live(), *((at, FAULTED) for at in (6, 7, 8)))
    assert (faulty.stage, faulty.conversation_id) == (Stage.FAILED, "c1")
    assert after(faulty, (30, RETRY)) == faulty


def test_not_when_the_window_is_shut() -> None:
    assert after(refused(), (601, RETRY)) == refused()


@pytest.mark.parametrize("record", [promise(), creating(), told()])
def test_only_what_has_failed_is_tried_again(record: Record) -> None:
    assert after(record, (30, RETRY)) == record


@pytest.mark.parametrize("record", [promise(), told(), refused()])
def test_a_make_up_only_leaves_its_trace(record: Record) -> None:
    assert after(record, (30, MAKE_UP)) == record
