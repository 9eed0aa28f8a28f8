"""The sandbox's conversations in time: endings, and the account's indexes against plain counting."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.tavus.sandbox.account import Account, RoomClosed
from jobs.tavus.sandbox.life import Ending, Life, Shutdown, Timers, ending, is_over, joined, left, shut
from jobs.tavus.sandbox.plan import Plan
from jobs.tavus.sandbox.rate import Window
from jobs.tavus.sandbox.room import Room

START = 1_700_000_000.0
TIMERS = Timers(max_call_duration_s=1800, participant_left_timeout_s=60, participant_absent_timeout_s=120)

acts = st.tuples(st.sampled_from(["join", "leave", "shut"]), st.sampled_from(["ana", "ben"]))
stories = st.lists(st.tuples(st.integers(0, 400), acts), max_size=12)


def lived(life: Life, story: list[tuple[int, tuple[str, str]]]) -> tuple[Life, float]:
    """The record after a story of (seconds later, act), and the time of its last act."""
    now = life.created_at
    for later, (act, who) in story:
        now += later
        life = {"join": joined, "leave": left, "shut": shut}[act](life, who, now)
    return life, now


def test_nobody_joins():
    life = Life(START, TIMERS)
    assert ending(life) == Ending(START + 120, Shutdown.ABSENT)
    assert not is_over(life, START + 119.9)
    assert is_over(life, START + 120)


def test_a_participant_keeps_it_alive_up_to_the_cap():
    life = joined(Life(START, TIMERS), "ana", START + 119)
    assert ending(life) == Ending(START + 1800, Shutdown.MAX_CALL_DURATION)


def test_the_last_one_leaves_and_comes_back():
    life = joined(joined(Life(START, TIMERS), "ana", START), "ben", START + 5)
    life = left(life, "ana", START + 10)
    assert ending(life).reason == Shutdown.MAX_CALL_DURATION
    life = left(life, "ben", START + 20)
    assert ending(life) == Ending(START + 80, Shutdown.LEFT)
    assert ending(joined(life, "ben", START + 79)).reason == Shutdown.MAX_CALL_DURATION
    assert joined(life, "ben", START + 80) == life


def test_one_dropped_connection_ends_a_call_with_the_default_timeout():
    life = left(joined(Life(START), "ana", START + 1), "ana", START + 2)
    assert ending(life) == Ending(START + 2, Shutdown.LEFT)


def test_mode_is_over_at_once_and_has_no_reason():
    assert ending(Life(START, test_mode=True)) == Ending(START, None)


def test_a_timer_that_came_first_keeps_its_reason():
    life = Life(START, TIMERS)
    assert shut(life, "late", START + 120) == life
    assert ending(shut(life, "in time", START + 119)) == Ending(START + 119, "in time")


@given(stories)
def test_never_longer_than_the_cap_and_never_before_creation(story):
    life, _ = lived(Life(START, TIMERS), story)
    assert START <= ending(life).at <= START + TIMERS.max_call_duration_s


@given(stories, st.sampled_from([joined, left, shut]), st.sampled_from(["ana", "ben"]), st.integers(0, 4000))
def test_what_is_over_stays_as_it_was(story, act, who, later):
    life, now = lived(Life(START, TIMERS), story)
    assert act(life, who, max(now, ending(life).at) + later) == life


@given(stories)
def test_presence_and_the_empty_timer_agree(story):
    life, _ = lived(Life(START, TIMERS), story)
    never = life.first_joined_at is None
    assert (life.empty_since is None) == (never or bool(life.present))


# --- the account's indexes ---------------------------------------------------------------------------------


def held_by_counting(account: Account, lag_s: float, now: float) -> int:
    lives = [room.life for room in account.rooms.values() if not room.life.test_mode]
    return sum(now < ending(life).at + lag_s for life in lives)


def next_by_counting(account: Account, lag_s: float, now: float) -> float | None:
    ends = [ending(room.life).at for room in account.rooms.values() if not room.life.test_mode]
    return min((at for end in ends for at in (end, end + lag_s) if at > now), default=None)


moves = st.tuples(
    st.integers(0, 90), st.sampled_from(["add", "try", "join", "leave", "shut", "delete"]), st.integers(0, 7)
)


@settings(max_examples=60)
@given(st.lists(moves, max_size=40), st.sampled_from([0.0, 7.0]))
def test_the_indexes_agree_with_counting_everything(story, lag_s):
    now, account = START, Account(Plan(concurrent=3, release_lag_s=lag_s), lambda room, events: None)
    for later, move, which in story:
        now += later
        account.settle(now)
        play(account, move, which, now)
        assert account.is_full() == (held_by_counting(account, lag_s, now) >= 3)
        assert account.next_change() == next_by_counting(account, lag_s, now)
        shown = [room for room in account.rooms.values() if room.deleted_at is None][::-1]
        assert [*account.listed(None)[0]] == shown
        for status in ("active", "ended"):
            rooms, total = account.listed(status)
            expected = [room for room in shown if is_over(room.life, now) == (status == "ended")]
            assert ([*rooms], total) == (expected, len(expected))


def play(account: Account, move: str, which: int, now: float) -> None:
    name = f"c{which}"
    room = account.find(name)
    if move in ("add", "try") and name not in account.rooms:
        account.add(Room(name, {}, {}, "", Life(now, TIMERS, test_mode=move == "try")))
    elif room is not None and move == "join" and room.ended is None:
        account.enter(room, "ana", now)
    elif room is not None and move in ("leave", "shut", "delete"):
        arguments = {"leave": ("ana", now), "shut": ("gone", now), "delete": (now,)}[move]
        getattr(account, move)(room, *arguments)
        account.settle(now)


def test_a_room_holds_max_participants_with_the_replica():
    account = Account(Plan(), lambda room, events: None)
    room = Room("c1", {"max_participants": 2}, {}, "", Life(START, TIMERS))
    account.add(room)
    account.enter(room, "ana", START)
    account.enter(room, "ana", START)
    with pytest.raises(RoomClosed, match="full"):
        account.enter(room, "ben", START)


@given(st.lists(st.floats(0, 3), max_size=60), st.integers(1, 5))
def test_the_rate_window_is_exact(gaps, most):
    window, now, granted = Window(most, 2.0), START, []
    for gap in gaps:
        now += gap
        free = sum(at > now - 2.0 for at in granted) < most
        assert window.grants(now) is free
        granted += [now] if free else []


def test_no_limit_grants_all():
    assert all(Window(None, 1.0).grants(START) for _ in range(1000))
