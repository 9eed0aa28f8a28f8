"""How long each wait is (S7, S12, S14, S17, S23, S28)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import policy

T0 = 1_795_338_000.0
tries = st.integers(0, 10_000)


def test_the_waits_before_each_try() -> None:
    for channel in ("log", "mail"):
        assert [policy.deliver_wait_s(channel, n) for n in range(6)] == [5, 15, 30, 60, 60, 60]
    for channel in ("webhook", "slack"):
        assert [policy.deliver_wait_s(channel, n) for n in range(6)] == [5, 25, 90, 180, None, None]
    assert [policy.end_wait_s(n) for n in range(10)] == [10, 30, 60, 60, 60, 60, 300, 900, 3600, 3600]


@given(st.text(), tries)
def test_a_create_waits_up_to_a_quarter_longer_always_the_same(key: str, n: int) -> None:
    plain = (1, 2, 4, 8, 15, 30)[min(n, 5)]
    assert plain <= policy.create_wait_s(key, n) <= 1.25 * plain
    assert policy.create_wait_s(key, n) == policy.create_wait_s(key, n)


def test_a_roster_that_was_turned_away_together_does_not_come_back_together() -> None:
    waits = [policy.create_wait_s(f"practice/09:00/2026-11-22/p{n}", 3) for n in range(1_000)]
    by_tenth = [sum(8 + n / 5 <= wait < 8 + (n + 1) / 5 for wait in waits) for n in range(10)]
    assert min(by_tenth) > 50


def test_looks_are_counted_from_the_end_of_the_attempt() -> None:
    assert [policy.look_at(T0, n) - T0 for n in range(len(policy.LOOKS_S))] == [2, 10, 30]


def test_a_link_dies_half_a_minute_before_an_empty_room_ends() -> None:
    assert policy.link_dies_at(T0, 300) == T0 + 270


@pytest.mark.parametrize(
    ("absent_s", "max_call_s", "after_s", "asked_s"),
    [
        (300, 1800, 0, 315),
        (300, 1800, 314, 315),
        (300, 1800, 315, 1860),
        (300, 1800, 1900, 1860),
        (300, 240, 0, 300),
        (300, 300, 0, 315),
    ],
)
def test_when_a_conversation_is_asked_after(
    absent_s: int, max_call_s: int, after_s: float, asked_s: float
) -> None:
    assert policy.check_at(T0, absent_s, max_call_s, T0 + after_s) == T0 + asked_s


@given(st.integers(1, 7_200), st.integers(1, 7_200), st.floats(0, 10_000))
def test_the_last_question_is_never_later_than_a_minute_after_the_end(
    absent_s: int, max_call_s: int, after_s: float
) -> None:
    asked = policy.check_at(T0, absent_s, max_call_s, T0 + after_s)
    assert asked <= policy.overdue_at(T0, max_call_s) == T0 + max_call_s + 60
