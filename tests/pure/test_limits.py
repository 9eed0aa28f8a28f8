"""The limits by example: lanes, the window, the penalty, and the line when the account is full."""

from __future__ import annotations

import math

import pytest

from scheduler.limits import Admission, Lane, Limits
from scheduler.model import Rate

MANY = 10_000


def wanting(**lanes: int) -> dict[Lane, int]:
    return {Lane[name.upper()]: count for name, count in lanes.items()}


def granted(admission: Admission) -> dict[str, int]:
    return {lane.name.lower(): count for lane, count in admission.granted.items() if count}


def send(limits: Limits, now: float, count: int) -> None:
    for _ in range(count):
        limits.sent(now)


def shut(limits: Limits, now: float) -> None:
    """Shut the line by the refusal of one create."""
    assert granted(limits.admit(now, wanting(create=1), MANY)) == {"create": 1}
    limits.sent(now)
    limits.full(now)


def heads(limits: Limits, now: float) -> int:
    return limits.admit(now, wanting(create=50), MANY).granted[Lane.CREATE]


def test_lanes_are_served_in_order_and_every_lane_is_answered():
    limits = Limits(Rate(10, 1.0))
    admission = limits.admit(0.0, wanting(inspect=5, create=7, end=2, survey=1), MANY)
    assert granted(admission) == {"end": 2, "survey": 1, "create": 7}
    assert set(admission.granted) == set(Lane)


def test_nobody_waits_and_nothing_is_next():
    assert Limits(Rate(10, 1.0)).admit(0.0, {}, 5) == Admission(dict.fromkeys(Lane, 0), None)


def test_creation_takes_no_more_than_the_free_slots_and_waits_for_one():
    limits = Limits(Rate(100, 1.0))
    admission = limits.admit(0.0, wanting(create=9), 4)
    assert granted(admission) == {"create": 4}
    assert admission.next_at is None
    assert granted(limits.admit(0.0, wanting(create=9), -2)) == {}


def test_a_grant_counts_until_it_is_sent_and_then_for_the_widened_window():
    limits = Limits(Rate(2, 10.0))
    limits.admit(0.0, wanting(end=2), 0)
    assert limits.admit(1000.0, wanting(end=1), 0) == Admission(dict.fromkeys(Lane, 0), None)
    limits.sent(1000.0)
    limits.sent(1003.0)
    assert limits.in_window(1003.0) == 2
    next_at = limits.admit(1004.0, wanting(end=1), 0).next_at
    assert next_at == pytest.approx(1010.2)
    assert granted(limits.admit(math.nextafter(next_at, 0), wanting(end=1), 0)) == {}
    assert granted(limits.admit(next_at, wanting(end=2), 0)) == {"end": 1}


def test_a_grant_given_back_is_free_at_once():
    limits = Limits(Rate(1, 60.0))
    limits.admit(0.0, wanting(end=1), 0)
    limits.unsent()
    assert granted(limits.admit(0.0, wanting(end=1), 0)) == {"end": 1}


def test_a_late_burst_and_the_next_one_never_meet():
    limits = Limits(Rate(20, 1.0))
    limits.admit(0.0, wanting(create=MANY), MANY)
    send(limits, 0.9, 20)  # they took their time
    assert granted(limits.admit(1.5, wanting(create=MANY), MANY)) == {}
    assert granted(limits.admit(1.92, wanting(create=MANY), MANY)) == {"create": 20}


def test_what_was_sent_before_a_restart_counts():
    limits = Limits(Rate(3, 60.0))
    limits.begin([95.0, 20.0, 90.0])
    admission = limits.admit(100.0, wanting(create=5), MANY)
    assert granted(admission) == {"create": 1}
    limits.sent(100.0)
    assert limits.admit(101.0, wanting(create=4), MANY).next_at == pytest.approx(90.0 + 61.2)


@pytest.mark.parametrize(("count", "tenth"), [(60, 6), (19, 1), (3, 1)])
def test_inspect_takes_a_tenth_of_the_window_and_at_least_one(count, tenth):
    limits = Limits(Rate(count, 60.0))
    admission = limits.admit(0.0, wanting(inspect=MANY), 0)
    assert granted(admission) == {"inspect": tenth}
    assert admission.next_at == pytest.approx(61.2)
    send(limits, 0.0, tenth)
    assert granted(limits.admit(admission.next_at, wanting(inspect=MANY), 0)) == {"inspect": tenth}


def test_a_lower_rate_applies_at_once_and_waits_for_as_many_to_leave():
    limits = Limits(Rate(4, 10.0))
    for at in (0.0, 1.0, 2.0, 3.0):
        limits.admit(at, wanting(end=1), 0)
        limits.sent(at)
    limits.set_rate(Rate(2, 10.0))
    assert limits.admit(4.0, wanting(end=1), 0).next_at == pytest.approx(2.0 + 10.2)
    limits.set_rate(Rate(5, 10.0))
    assert granted(limits.admit(4.0, wanting(end=3), 0)) == {"end": 1}
    limits.set_rate(Rate(50, 10.0))
    assert granted(limits.admit(4.0, wanting(inspect=9), 0)) == {"inspect": 5}


# --- the clock is set -----------------------------------------------------------------------------


def test_a_clock_set_back_costs_one_window_and_never_lifts_the_limit():
    limits = Limits(Rate(2, 10.0))
    limits.admit(10_000.0, wanting(end=2), 0)
    send(limits, 10_000.0, 2)
    assert limits.admit(50.0, wanting(end=1), 0).next_at == pytest.approx(60.2)
    assert granted(limits.admit(60.2, wanting(end=5), 0)) == {"end": 2}


def test_a_clock_set_back_a_little_keeps_the_order_of_sendings():
    limits = Limits(Rate(2, 10.0))
    limits.admit(100.0, wanting(end=2), 0)
    limits.sent(100.0)
    limits.sent(98.0)
    limits.set_rate(Rate(1, 10.0))
    assert limits.admit(109.0, wanting(end=1), 0).next_at == pytest.approx(110.2)  # not 108.2: past


def test_a_stale_now_does_not_make_sendings_older():
    limits = Limits(Rate(1, 10.0))
    limits.admit(100.0, wanting(end=1), 0)
    limits.sent(100.5)
    assert limits.admit(100.0, wanting(end=1), 0).next_at == pytest.approx(110.7)


def test_neither_penalty_nor_a_full_line_survive_a_clock_set_back_by_more_than_themselves():
    limits = Limits(Rate(100, 1.0))
    shut(limits, 10_000.0)
    limits.turned_away(10_000.0, 9_999.0, 20.0)
    assert limits.admit(50.0, wanting(end=1), 0).next_at == 70.0
    assert heads(limits, 70.0) == 1
    limits.turned_away(71.0, 70.0, None)
    assert limits.held_until == 72.0


# --- turned away ----------------------------------------------------------------------------------


def test_backing_off_doubles_up_to_thirty_seconds_and_starts_over_when_accepted():
    limits, now, waits = Limits(Rate(100, 1.0)), 0.0, []
    for _ in range(7):
        limits.turned_away(now + 0.1, now, None)
        waits.append(limits.held_until - (now + 0.1))
        now = limits.held_until
    assert waits == pytest.approx([1, 2, 4, 8, 16, 30, 30])
    limits.accepted()
    limits.turned_away(now + 0.1, now, None)
    assert limits.held_until == pytest.approx(now + 1.1)


def test_a_penalty_holds_every_lane_and_then_none():
    limits = Limits(Rate(100, 1.0))
    limits.turned_away(5.0, 4.0, None)
    admission = limits.admit(5.5, wanting(end=1, survey=1, create=1, inspect=1), MANY)
    assert (granted(admission), admission.next_at) == ({}, 6.0)
    assert len(granted(limits.admit(6.0, wanting(end=1, survey=1, create=1, inspect=1), MANY))) == 4
    assert limits.held_until is None


def test_answers_to_requests_sent_before_the_penalty_began_do_not_escalate_it():
    limits = Limits(Rate(100, 1.0))
    for late in (5.0, 5.1, 5.9, 30.0):
        limits.turned_away(late, 4.9, None)
    assert limits.held_until is None  # 30.0 came long after it, and brought no news
    limits.turned_away(31.0, 30.5, None)
    assert limits.held_until == 33.0


def test_requests_that_could_not_be_sent_escalate_once_for_each_penalty():
    limits = Limits(Rate(100, 1.0))
    for _ in range(20):
        limits.turned_away(5.0, None, None)
    assert limits.held_until == 6.0
    limits.turned_away(7.0, None, None)
    assert limits.held_until == 9.0


@pytest.mark.parametrize(
    ("asked_s", "held_s"), [(12.0, 12.0), (-3.0, 0.0), (86_400.0, 300.0), (math.nan, 300.0)]
)
def test_retry_after_is_obeyed_within_five_minutes(asked_s, held_s):
    limits = Limits(Rate(100, 1.0))
    limits.turned_away(5.0, 4.0, asked_s)
    assert limits.held_until == 5.0 + held_s


def test_a_shorter_retry_after_never_shortens_a_penalty():
    limits = Limits(Rate(100, 1.0))
    limits.turned_away(5.0, 4.0, 60.0)
    limits.turned_away(6.0, 4.0, 1.0)
    assert limits.held_until == 65.0


# --- full -----------------------------------------------------------------------------------------


def test_the_head_alone_tries_again_after_3_5_10_10_seconds():
    limits, now = Limits(Rate(100, 1.0)), 0.0
    shut(limits, now)
    for wait_s in (3.0, 5.0, 10.0, 10.0):
        admission = limits.admit(now, wanting(create=50), MANY)
        assert (granted(admission), admission.next_at) == ({}, now + wait_s)
        now += wait_s
        assert (heads(limits, now), heads(limits, now + 0.5)) == (1, 0)
        limits.sent(now)
        now += 0.6
        limits.full(now)


def test_the_heads_success_opens_the_line_and_the_count_starts_over():
    limits = Limits(Rate(100, 1.0))
    shut(limits, 0.0)
    assert heads(limits, 3.0) == 1
    limits.opened()
    assert heads(limits, 3.1) == 50
    limits.full(4.0)
    assert limits.admit(4.0, wanting(create=1), MANY).next_at == 7.0


def test_answers_from_before_the_line_was_shut_neither_open_nor_lengthen_it():
    limits = Limits(Rate(100, 1.0))
    limits.admit(0.0, wanting(create=3), 3)
    send(limits, 0.0, 3)
    limits.full(0.5)
    limits.full(0.6)
    limits.opened()
    assert limits.admit(0.7, wanting(create=5), 5).next_at == 3.5


def test_a_full_line_stops_only_creation():
    limits = Limits(Rate(100, 1.0))
    shut(limits, 0.0)
    assert granted(limits.admit(1.0, wanting(end=2, survey=1, create=9, inspect=1), 9)) == {
        "end": 2,
        "survey": 1,
        "inspect": 1,
    }


def test_a_head_that_was_never_sent_lets_the_next_one_try_at_once():
    limits = Limits(Rate(100, 1.0))
    shut(limits, 0.0)
    assert heads(limits, 3.0) == 1
    limits.unsent()
    assert heads(limits, 3.1) == 1


def test_a_head_without_a_verdict_is_followed_by_another_one():
    limits = Limits(Rate(100, 1.0))
    shut(limits, 0.0)
    assert heads(limits, 3.0) == 1
    limits.undecided(4.0)
    assert [heads(limits, now) for now in (4.0, 6.9, 7.0)] == [0, 0, 1]
    limits.turned_away(8.0, 7.0, None)
    limits.undecided(8.0)
    assert [heads(limits, now) for now in (9.0, 11.0)] == [0, 1]
    admission = limits.admit(12.0, wanting(create=5), 5)
    assert admission.next_at == 11.0 + 75.0  # the answer never came
    assert heads(limits, admission.next_at) == 1
