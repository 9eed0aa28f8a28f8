"""What another configuration changes: counted by what is promised, today and in the days after (S1, S7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time
from typing import Any

import pytest

from jobs.model import ConversationRequest, Participant
from scheduler.changes import MOST, changes, moved_times
from scheduler.model import PARTICIPANT_ZONE, Days, Every, Schedule, Slot, When
from scheduler.vitals import Changed, Changes

DAILY = frozenset(range(7))
NOW = datetime.fromisoformat("2026-11-30T08:00+00:00").timestamp()
NONE = Changed(0, 0, 0)


def practice(*slots: str, people: int = 2, name: str = "practice", **terms: Any) -> dict[str, Schedule]:
    """Every day at these times: `09:00`, or `early=07:30`."""
    named = [each.rpartition("=") for each in slots]
    times = tuple(Slot(slot or at, time.fromisoformat(at)) for slot, _, at in named)
    roster = tuple(Participant(f"p{n}", "P") for n in range(people))
    when = (When(Days(DAILY, times), terms.pop("timezone", "UTC")),)
    return {name: Schedule(name=name, when=when, participants=roster, request=ConversationRequest(), **terms)}


def test_what_is_the_same_changes_nothing() -> None:
    found = changes(practice("09:00"), practice("09:00"), NOW)
    assert found == Changes(NONE, NONE, 7)
    assert str(found) == "nothing changes today and in the 7 days after"


@pytest.mark.parametrize(
    ("before", "after", "today", "later"),
    [
        (practice("09:00"), practice("09:00", people=3), (1, 0, 0), (7, 0, 0)),
        (practice("09:00", people=3), practice("09:00"), (0, 1, 0), (0, 7, 0)),
        (practice("a=09:00"), practice("a=10:00"), (0, 0, 2), (0, 0, 14)),
        (practice("09:00"), practice("10:00"), (2, 2, 0), (14, 14, 0)),
        (practice("07:00"), practice("07:00", people=3), (0, 0, 0), (7, 0, 0)),
        (practice("a=07:00"), practice("a=10:00"), (0, 0, 0), (0, 0, 14)),
        (practice("a=10:00"), practice("a=07:00"), (0, 2, 0), (0, 0, 14)),
        (practice("09:00"), {}, (0, 2, 0), (0, 14, 0)),
        ({}, practice("09:00"), (2, 0, 0), (14, 0, 0)),
        (practice("09:00"), practice("09:00", enabled=False), (0, 2, 0), (0, 14, 0)),
        (practice("09:00"), practice("09:00", lead_s=90), (0, 0, 0), (0, 0, 0)),
        (practice("09:00"), practice("09:00") | practice("11:00", name="b"), (2, 0, 0), (14, 0, 0)),
    ],
)
def test_promises_that_come_go_and_move(
    before: dict[str, Schedule],
    after: dict[str, Schedule],
    today: tuple[int, int, int],
    later: tuple[int, int, int],
) -> None:
    found = changes(before, after, NOW)
    assert (found.today, found.later) == (Changed(*today), Changed(*later))


def test_today_is_where_the_promise_is() -> None:
    """At 20:00 in New York it is tomorrow in UTC, and a slot at 21:00 is still today's."""
    now = datetime.fromisoformat("2026-12-01T01:00+00:00").timestamp()
    evening = practice("21:00", timezone="America/New_York")
    assert changes({}, evening, now).today == Changed(2, 0, 0)
    assert changes({}, practice("21:00"), now).today == Changed(2, 0, 0)
    assert changes({}, practice("00:30"), now).today == NONE


def test_said_in_words() -> None:
    assert str(Changes(Changed(3, 1, 2), Changed(2100, 0, 0), 7)) == (
        "+3, -1, 2 moved today; +2,100 in the 7 days after"
    )
    assert str(Changes(NONE, Changed(0, 4, 0), 7, cut=True)) == "-4 in a part of the 7 days after"


def test_a_large_roster_costs_no_more_than_its_zones() -> None:
    every_five = tuple(f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(0, 60, 5))
    found = changes(practice(*every_five, people=9_000), practice(*every_five, people=10_000), NOW)
    assert not found.cut
    assert found.today.added == (16 * 12 - 1) * 1_000


def test_more_than_can_be_looked_at_is_told() -> None:
    when = (When(Every(1), "UTC"),)
    found = changes({}, {"x": replace(practice("09:00", people=0)["practice"], when=when)}, NOW)
    assert found.cut
    assert 0 < found.today.added + found.later.added <= MOST


def test_each_person_moves_on_their_own_clock() -> None:
    schedule = practice("a=09:00", people=0, fallback_zone="UTC")["practice"]
    own = tuple(When(each.form, PARTICIPANT_ZONE) for each in schedule.when)
    zones = ("America/New_York", "Europe/London", None)

    def roster(*there: str | None) -> dict[str, Schedule]:
        people = tuple(Participant(f"p{n}", "P", None, each) for n, each in enumerate(there))
        return {"practice": replace(schedule, when=own, participants=people)}

    assert changes(roster(*zones), roster(*zones), NOW).today == NONE
    assert changes(roster(*zones), roster("Europe/London", *zones[1:]), NOW).today == Changed(0, 0, 1)
    assert changes(roster(*zones), roster("UTC", "America/Denver", None), NOW).later == Changed(0, 0, 14)


def test_an_unnamed_time_that_changes_is_told_and_a_named_one_is_not() -> None:
    assert moved_times(practice("09:00"), practice("09:30")) == ("practice",)
    assert moved_times(practice("a=09:00"), practice("a=09:30")) == ()
    assert moved_times(practice("09:00"), practice("09:00", "09:30")) == ()
    assert moved_times(practice("09:00"), practice("09:30", name="other")) == ()
