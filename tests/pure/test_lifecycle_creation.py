"""The rows of the table that leave `planned` and `creating` (design, section 3; S11, S12, S14, S15)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jobs.errors import Reason
from scheduler import policy
from scheduler.facts import (
    Attempted,
    Cancelled,
    CancelReason,
    Failed,
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
    StrayKept,
    Unlisted,
)
from scheduler.lifecycle import Next, last_look, miss_reason, next_delivery, next_step, wakes_at
from scheduler.record import Record
from tests.pure.lives import (
    CREATED,
    LOG,
    LOST,
    MAIL,
    T0,
    after,
    again,
    creating,
    delivery,
    live,
    lost,
    promise,
    seen,
    strays,
)


def no(reason: Reason) -> Failed:
    return Failed(StepKind.CREATE, reason, "told so")


# --- planned ---------------------------------------------------------------------------------------


def test_a_promise_waits_until_it_opens() -> None:
    early = promise(opens=T0 + 60, starts_at=T0 + 60)
    assert next_step(early, T0 + 59) is None
    assert next_step(early, T0 + 60) == Next(StepKind.CREATE)
    assert wakes_at(early) == (T0 + 60, StepKind.CREATE)


def test_a_try_that_would_come_after_the_window_wakes_when_that_shuts() -> None:
    assert wakes_at(promise(starts_at=T0 + 900)) == (T0 + 600, StepKind.CREATE)


def test_a_claim_means_that_a_post_may_be_on_the_wire() -> None:
    record = creating()
    assert (record.stage, record.generation, record.attempted_at) == (Stage.CREATING, 7, T0)
    assert (record.attempt_ended_at, record.look_at) == (None, None)
    assert next_step(record, T0 + 10_000) is None
    assert wakes_at(record) is None


@pytest.mark.parametrize(
    ("fact", "stage"),
    [
        *((Skipped(reason), Stage.SKIPPED) for reason in SkipReason),
        *((Missed(reason), Stage.MISSED) for reason in MissReason),
        *((Cancelled(reason), Stage.CANCELLED) for reason in CancelReason),
    ],
)
def test_a_promise_that_is_not_kept_has_its_reason(fact: Skipped | Missed | Cancelled, stage: Stage) -> None:
    record = after(promise(), (1, fact))
    assert (record.stage, record.reason, record.look_at) == (stage, str(fact.reason), None)
    assert wakes_at(record) is None
    lost_once = after(again(), (100, fact))
    assert lost_once.look_at == T0 + 160, "an answer was lost on the way: one more look"


@pytest.mark.parametrize(
    ("held", "turned_away", "waited", "reason"),
    [
        ("denied", None, False, MissReason.DENIED),
        ("spent", "busy", True, MissReason.SPENT),
        ("clock_held", None, False, MissReason.CLOCK_HELD),
        (None, "busy", True, MissReason.BUSY),
        (None, "denied", True, MissReason.DENIED),
        (None, "spent", False, MissReason.SPENT),
        (None, "full", False, MissReason.NO_CAPACITY),
        (None, None, True, MissReason.NO_CAPACITY),
        (None, None, False, MissReason.LATE),
    ],
)
def test_why_a_window_stayed_unused(
    held: str | None, turned_away: str | None, waited: bool, reason: MissReason
) -> None:
    assert miss_reason(promise(turned_away=turned_away), held, waited) is reason


# --- creating: the answer --------------------------------------------------------------------------


def test_an_answer_makes_it_live_with_the_deliveries_it_causes() -> None:
    record = live()
    assert (record.stage, record.conversation_id, record.created_at) == (Stage.LIVE, "c1", T0 + 1)
    assert [d.address for d in record.deliveries] == [LOG, MAIL]
    assert {d.not_after for d in record.deliveries} == {T0 + 1 + 300 - 30}
    assert record.inspect_at == T0 + 1 + 300 + 15
    assert record.lateness_s == 1


@pytest.mark.parametrize(("told", "kept"), [(-5_000.0, 0.0), (3.0, 3.0), (5_000.0, 5.0)])
def test_the_servers_clock_is_believed_between_the_claim_and_now(told: float, kept: float) -> None:
    record = after(creating(), (5, replace(CREATED, created_at=T0 + told)))
    assert record.created_at == T0 + kept


def test_test_mode_is_over_at_once_and_its_link_is_delivered_once() -> None:
    record = after(creating(), (1, replace(CREATED, ended=True)))
    assert (record.stage, record.reason, record.ended_at) == (Stage.ENDED, "test_mode", T0 + 1)
    assert next_step(record, T0 + 1) is None
    assert next_delivery(record, LOG, T0 + 1) == delivery(record, LOG)
    gone = after(record, (2, GaveUp(LOG, GiveUpReason.REFUSED)), (2, GaveUp(MAIL, GiveUpReason.REFUSED)))
    assert (gone.stage, gone.reason, wakes_at(gone)) == (Stage.ENDED, "test_mode", None)


def test_an_answer_after_it_was_called_lost_still_counts() -> None:
    record = after(lost(), (70, CREATED))
    assert (record.stage, record.look_at) == (Stage.LIVE, None)


# --- creating: a definite no (S14) -----------------------------------------------------------------


def test_busy_waits_longer_each_time_and_never_together_with_others() -> None:
    record, waits = promise(), list[float]()
    for at in range(0, 700, 100):
        record = after(record, (at, Attempted(1)), (at, no(Reason.BUSY)))
        waits.append(record.starts_at - T0 - at)
    plain = [1, 2, 4, 8, 15, 30, 30]
    assert all(p <= w <= p * 1.25 for p, w in zip(plain, waits, strict=True))
    assert (record.stage, record.attempt, record.turned_away) == (Stage.PLANNED, 1, "busy")
    assert policy.create_wait_s("a", 3) != policy.create_wait_s("b", 3)


@pytest.mark.parametrize("reason", [Reason.FULL, Reason.DENIED, Reason.SPENT])
def test_what_concerns_the_account_goes_back_into_line_at_once(reason: Reason) -> None:
    record = after(creating(), (2, no(reason)))
    assert (record.stage, record.starts_at, record.turned_away) == (Stage.PLANNED, T0 + 2, str(reason))


def test_refused_fails() -> None:
    record = after(creating(), (2, no(Reason.REFUSED)))
    assert (record.stage, record.reason, record.look_at) == (Stage.FAILED, "refused", None)
    second = after(again(), (40, Attempted(1)), (41, no(Reason.REFUSED)))
    assert (second.stage, second.look_at) == (Stage.FAILED, T0 + 101)


@pytest.mark.parametrize("reason", list(Reason))
def test_a_no_does_not_count_once_the_outcome_is_unknown(reason: Reason) -> None:
    assert after(lost(), (6, no(reason))) == lost()


# --- creating: the looks (S12) ---------------------------------------------------------------------


def test_looks_are_due_2_10_and_30_seconds_after_the_attempt_ended() -> None:
    record, due = lost(), list[float]()
    for at in (8, 16, 40):
        due.append((record.look_at or 0) - T0)
        assert record.stage is Stage.CREATING
        record = after(record, (at, NothingThere(T0 + at)))
    assert due == [7, 15, 35]
    assert (record.stage, record.attempt, record.starts_at) == (Stage.PLANNED, 2, T0 + 40)


@pytest.mark.parametrize("since", [0, 4.9, 6.9])
def test_a_look_that_began_before_it_was_due_does_not_count(since: float) -> None:
    assert after(lost(), (60, NothingThere(T0 + since))) == lost()


def test_a_look_overdue_by_more_than_30_s_is_the_last_one() -> None:
    assert not last_look(lost(), T0 + 37)
    assert last_look(lost(), T0 + 37.1)
    assert after(lost(), (37, NothingThere(T0 + 37))).stage is Stage.CREATING
    assert after(lost(), (38, NothingThere(T0 + 37.1))).stage is Stage.PLANNED


def test_a_second_lost_answer_starts_its_looks_anew() -> None:
    record = after(again(), (40, Attempted(1)), (44, LOST))
    assert (record.looks, record.look_at, record.attempt) == (0, T0 + 46, 2)


def test_the_last_look_after_the_window_shut_misses_and_looks_once_more() -> None:
    record = lost(shuts=T0 + 30)
    record = after(record, *((at, NothingThere(T0 + at)) for at in (7, 15, 36)))
    assert (record.stage, record.reason, record.look_at) == (Stage.MISSED, "late", T0 + 96)
    assert after(record, (97, NothingThere(T0 + 95))).look_at == T0 + 96, "begun before it was due"
    assert after(record, (97, NothingThere(T0 + 97))).look_at is None


@pytest.mark.parametrize("record", [lost(), again(), after(again(), (40, Attempted(1)), (44, LOST))])
def test_what_is_found_is_adopted(record: Record) -> None:
    record = after(record, (50, seen("c9")))
    assert (record.stage, record.conversation_id, record.created_at) == (Stage.LIVE, "c9", T0 + 1)
    assert [d.due for d in record.deliveries] == [T0 + 50] * 2
    assert record.look_at == (T0 + 110 if record.attempt > 1 else None)


def test_what_is_found_ended_was_never_seen() -> None:
    record = after(lost(), (50, seen(active=False)))
    assert (record.stage, record.reason, record.deliveries) == (Stage.ENDED, "unseen", ())
    assert wakes_at(record) is None


@pytest.mark.parametrize("fact", [seen(), seen(active=False), NothingThere(T0 + 90), Unlisted()])
def test_while_the_answer_is_on_its_way_no_list_counts(fact: object) -> None:
    second = after(again(), (40, Attempted(1)))
    assert after(second, (90, fact)) == second  # type: ignore[arg-type]


def test_a_list_too_long_leaves_it_unknown() -> None:
    record = after(lost(), (40, Unlisted()))
    assert (record.stage, record.reason, record.look_at) == (Stage.FAILED, "unknown_outcome", T0 + 100)


# --- private rooms ---------------------------------------------------------------------------------


def test_a_private_room_whose_answer_was_lost_is_ended_and_made_anew() -> None:
    record = after(lost(private=True), (8, seen()))
    assert (record.stage, record.attempt, strays(record)) == (Stage.PLANNED, 2, {"c1": 8})
    assert next_step(record, T0 + 8) == Next(StepKind.END, "c1", stray=True)
    assert after(record, (9, seen())) == record, "a stray is never adopted, nor counted twice"
    second = after(record, (9, Attempted(1)), (10, replace(CREATED, conversation_id="c2")))
    assert (second.conversation_id, second.look_at) == ("c2", T0 + 70)


def test_a_stray_is_ended_while_its_record_waits_in_line() -> None:
    """Its slot may be the very one that the record waits for."""
    record = after(lost(private=True), (8, seen()), (9, StrayKept("c1", "busy")))
    record = after(record, (10, StrayKept("c1", "still live")))
    assert record.starts_at < T0 + 20
    assert wakes_at(record) == (T0 + 20, StepKind.END)
    assert wakes_at(after(record, (20, StrayEnded("c1")))) == (T0 + 8, StepKind.CREATE)


def test_a_private_room_that_ended_is_not_a_stray() -> None:
    record = after(lost(private=True), (8, seen(active=False)))
    assert (record.stage, record.reason, record.strays) == (Stage.ENDED, "unseen", ())


def test_a_private_room_found_after_the_window_shut_is_missed() -> None:
    record = after(lost(private=True, shuts=T0 + 6), (8, seen()))
    assert (record.stage, record.reason, strays(record)) == (Stage.MISSED, "late", {"c1": 8})
