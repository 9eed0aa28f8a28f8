"""Occurrences of people: identity, order, spread, rotation, and windows that join (S1, S4, S8, S18)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.model import ConversationRequest, Participant
from scheduler.model import Cron, Days, Every, Exclusion, Form, Occurrence, On, Schedule, Slot, When
from scheduler.planner import find, finder, occurrences

WEEKDAYS = frozenset(range(5))
NINE = Days(WEEKDAYS, (Slot("09:00", time(9)),))
ZONES = ("America/New_York", "America/Los_Angeles", None, "Asia/Kathmandu")


def instant(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def people(count: int) -> tuple[Participant, ...]:
    return tuple(Participant(f"p{i}", f"Person {i}", None, ZONES[i % len(ZONES)]) for i in range(count))


def schedule(*forms: Form, count: int = 4, timezone: str = "participant", **terms: Any) -> Schedule:
    when = tuple(When(form, timezone) for form in forms or (NINE,))
    terms = {"name": "practice", "fallback_zone": "Europe/London", **terms}
    return Schedule(when=when, participants=people(count), request=ConversationRequest(), **terms)


def listed(schedules: Iterable[Schedule], first: str, last: str) -> list[Occurrence]:
    return list(occurrences(schedules, instant(first), instant(last)))


def test_each_person_is_called_at_nine_on_their_own_wall() -> None:
    found = listed([schedule()], "2026-12-01", "2026-12-02")
    assert [(each.participant, each.timezone, each.due) for each in found] == [
        ("p3", "Asia/Kathmandu", instant("2026-12-01T03:15")),
        ("p2", "Europe/London", instant("2026-12-01T09:00")),
        ("p0", "America/New_York", instant("2026-12-01T14:00")),
        ("p1", "America/Los_Angeles", instant("2026-12-01T17:00")),
    ]
    assert found[0].key == "practice/09:00/2026-12-01/p3"


def test_opens_and_shuts_are_counted_from_due() -> None:
    terms = schedule(timezone="UTC", count=1, lead_s=45, start_window_s=600)
    (found,) = listed([terms], "2026-12-01", "2026-12-02")
    assert (found.due - found.opens, found.shuts - found.due) == (45, 600)
    assert not listed([terms], "2026-12-01T08:59:15", "2026-12-01T12:00")
    assert listed([terms], "2026-12-01T08:59:14", "2026-12-01T08:59:15") == [found]


def test_without_participants_there_is_one_for_each_slot() -> None:
    found = listed([schedule(timezone="UTC", count=0)], "2026-12-01", "2026-12-03")
    assert [each.key for each in found] == ["practice/09:00/2026-12-01/-", "practice/09:00/2026-12-02/-"]
    assert {each.participant for each in found} == {None}


def test_a_disabled_schedule_still_gives_its_occurrences() -> None:
    found = listed([schedule(enabled=False)], "2026-12-01", "2026-12-02")
    assert [(each.skip, each.note) for each in found] == [("disabled", "disabled")] * 4


def test_a_person_without_any_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="participant p2 has no time zone"):
        listed([schedule(fallback_zone=None)], "2026-12-01", "2026-12-02")


def test_nobody_is_always_last_whatever_the_rhythm() -> None:
    """Seven people, one slot a week: a rotation by whole days would stand still."""
    weekly = schedule(Days(frozenset({0}), NINE.slots), timezone="UTC", count=7)
    found = listed([weekly], "2026-01-01", "2027-12-31")
    last = Counter(each.participant for each in found if each.rank == 6)
    assert [12 <= last[each.id] <= 18 for each in weekly.participants] == [True] * 7  # of 104 weeks
    for day in {each.date for each in found}:
        assert [each.rank for each in found if each.date == day] == list(range(7))


def test_ranks_are_of_the_whole_roster_also_when_zones_part_it() -> None:
    found = listed([schedule(count=9)], "2026-12-01", "2026-12-02")
    assert sorted(each.rank for each in found) == list(range(9))


# --- spread (S8) ----------------------------------------------------------------------------------


def spread_of(found: list[Occurrence]) -> set[tuple[str | None, float]]:
    return {(each.participant, each.due % 86400) for each in found}


def test_a_spread_keeps_each_persons_minute_on_every_day() -> None:
    spread = schedule(timezone="UTC", count=50, spread_s=600)
    found = listed([spread], "2026-12-01", "2026-12-12")
    assert len(found) == 9 * 50
    assert len(spread_of(found)) == 50
    assert all(9 * 3600 <= at < 9 * 3600 + 600 for _, at in spread_of(found))
    assert len({at for _, at in spread_of(found)}) > 40


def test_a_spread_is_the_same_on_every_machine_and_no_part_of_identity() -> None:
    plain, spread = schedule(count=3), schedule(count=3, spread_s=600)
    without, with_it = (listed([each], "2026-12-01", "2026-12-02") for each in (plain, spread))
    assert {each.key for each in without} == {each.key for each in with_it}
    before = {each.key: each.due for each in without}
    moved_s = {each.participant: each.due - before[each.key] for each in with_it}
    assert moved_s == {"p0": 320.0, "p1": 419.0, "p2": 48.0}


@pytest.mark.parametrize(
    "forms",
    [
        (Days(WEEKDAYS, (Slot("late", time(9, 5)), Slot("09:00", time(9)))),),
        (NINE, On((datetime(2026, 12, 1, 9, 5),))),
        (NINE, Every(3600, 300)),
    ],
)
def test_a_spread_never_passes_the_next_slot(forms: tuple[Form, ...]) -> None:
    found = listed([schedule(*forms, timezone="UTC", count=50, spread_s=3600)], "2026-12-01", "2026-12-02")
    nine = instant("2026-12-01T09:00")
    assert {each.due for each in found if each.slot == "09:00"} <= {nine + each for each in range(300)}


def test_the_end_of_a_window_does_not_move_a_spread() -> None:
    two = schedule(Cron("0,5", "9", "*", "*", "*"), timezone="UTC", count=50, spread_s=3600)
    whole = listed([two], "2026-12-01", "2026-12-02")
    edges = [f"2026-12-01T{hour:02}:{minute:02}" for hour in (8, 9, 10) for minute in range(0, 60, 4)]
    parts = [listed([two], first, last) for first, last in pairwise(edges)]
    assert [each for part in parts for each in part] == whole


# --- identity and order ---------------------------------------------------------------------------

FORMS = st.sampled_from(
    [
        NINE,
        Days(frozenset(range(7)), (Slot("small hours", time(1, 30)), Slot("gap", time(2, 30)))),
        Cron("0", "*/6", "*", "*", "*"),
        Every(5 * 3600, 90),
        On((datetime(2026, 11, 1, 1, 45), datetime(2026, 11, 2, 9))),
    ]
)
PLANS = st.lists(
    st.builds(
        schedule,
        FORMS,
        count=st.integers(0, 9),
        timezone=st.sampled_from(["participant", "America/New_York", "UTC"]),
        spread_s=st.sampled_from([0, 600, 40000]),
        lead_s=st.sampled_from([0, 30]),
    ).filter(lambda each: each.participants or each.when[0].timezone != "participant"),
    min_size=1,
    max_size=3,
).map(lambda plan: [replace(each, name=f"s{i}") for i, each in enumerate(plan)])
STARTS = st.sampled_from(["2026-03-06", "2026-10-30", "2026-12-30"]).map(instant)


def order(each: Occurrence) -> tuple[object, ...]:
    return (each.opens, each.due, each.rank, each.schedule, each.slot, each.date)


@given(plan=PLANS, start=STARTS, cuts=st.lists(st.integers(1, 4 * 86400 - 1), max_size=4))
@settings(max_examples=60, deadline=None)
def test_once_each_in_order_and_windows_join(plan: list[Schedule], start: float, cuts: list[int]) -> None:
    whole = list(occurrences(plan, start, start + 4 * 86400))
    assert whole == sorted(whole, key=order)
    assert len({each.key for each in whole}) == len(whole)
    edges = [start, *sorted({start + cut for cut in cuts}), start + 4 * 86400]
    parts = [occurrences(plan, first, last) for first, last in pairwise(edges)]
    assert [each for part in parts for each in part] == whole


@given(plan=PLANS, start=STARTS, seed=st.randoms())
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_file_changes_nothing(
    plan: list[Schedule], start: float, seed: random.Random
) -> None:
    whole = list(occurrences(plan, start, start + 2 * 86400))
    shuffled = plan.copy()
    seed.shuffle(shuffled)
    assert list(occurrences(shuffled, start, start + 2 * 86400)) == whole


@given(plan=PLANS, start=STARTS)
@settings(max_examples=30, deadline=None)
def test_a_key_finds_its_own_occurrence(plan: list[Schedule], start: float) -> None:
    find_one = finder(plan)
    for each in occurrences(plan, start, start + 2 * 86400):
        assert find_one(each.key) == each


@pytest.mark.parametrize(
    "key",
    [
        "other/09:00/2026-12-01/p0",
        "practice/10:00/2026-12-01/p0",
        "practice/09:00/2026-12-05/p0",
        "practice/09:00/2026-12-01/p9",
        "practice/09:00/2026-12-01/-",
        "practice/09:00/20261201/p0",
        "practice/09:00/tomorrow/p0",
        "practice/09:00/9999-12-31/p0",
        "practice/09:00/0001-01-01/p0",
        "practice/09:00/2026-12-01",
        "practice",
        "",
    ],
)
def test_a_key_that_the_schedules_do_not_name_finds_nothing(key: str) -> None:
    assert find([schedule()], key) is None


def test_what_will_be_skipped_is_found_with_its_reason() -> None:
    closed = When(NINE, "UTC", exclusions=(Exclusion(date(2026, 12, 1), date(2026, 12, 1)),))
    holiday = Schedule(name="practice", when=(closed,), participants=people(1), request=ConversationRequest())
    found = find([holiday], "practice/09:00/2026-12-01/p0")
    assert found
    assert (found.skip, found.note) == ("excluded", "excluded")


def test_a_long_window_is_a_stream() -> None:
    """The first of ten years of minutes comes without the others being computed."""
    minutes = schedule(Every(60), timezone="UTC", count=100)
    first = next(occurrences([minutes], instant("2026-12-01"), instant("2036-12-01")))
    assert first.due == instant("2026-12-01T00:01")
