"""Make-ups: what may be made up, as what, and what a change of the configuration leaves of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest

from jobs.model import ConversationRequest, Participant
from scheduler import makeups
from scheduler.facts import EndedReason, Stage
from scheduler.makeups import NotMadeUp
from scheduler.model import Days, Schedule, When
from scheduler.record import Record

DUE = 1_772_632_800.0
"""2026-03-04 09:00 in New York; the clocks go forward on the 8th."""
LATER = DUE + 700
PRACTICE = Schedule(
    name="practice",
    when=(When(Days(frozenset(range(7)), ()), "America/New_York"),),
    participants=(Participant("ana", "Ana", timezone="America/Chicago"), Participant("ben", "Ben")),
    request=ConversationRequest(),
)


def record(who: str | None = "ana", stage: str = "missed", reason: str | None = "busy", **more) -> Record:
    changed = {"slot": "09:00", "timezone": "America/New_York", **more}
    return Record(
        key=f"practice/{changed['slot']}/2026-03-04/{who or '-'}",
        schedule="practice",
        date="2026-03-04",
        participant=who,
        due=DUE,
        opens=DUE - 30,
        shuts=DUE + 600,
        max_call_s=1800,
        absent_s=300,
        stage=Stage(stage),
        reason=reason,
        **changed,
    )


def made(who: str | None = "ana", on: str = "2026-03-05", at: str | None = None, **more):
    schedule = more.pop("schedule", PRACTICE)
    clock_time = time.fromisoformat(at) if at else None
    return makeups.make_up(record(who, **more), schedule, date.fromisoformat(on), clock_time, LATER)


def test_its_key_names_what_it_makes_up() -> None:
    assert made().key == "practice/make-up:09:00:2026-03-04/2026-03-05/ana"
    assert made(slot="morning").slot == "make-up:morning:2026-03-04"


def test_a_make_up_of_a_make_up_stands_for_the_first() -> None:
    second = made(slot="make-up:09:00:2026-03-01", on="2026-03-07")
    assert second.key == "practice/make-up:09:00:2026-03-01/2026-03-07/ana"
    with pytest.raises(NotMadeUp, match="another date"):
        made(slot="make-up:09:00:2026-03-01", on="2026-03-04", at="20:00")


@pytest.mark.parametrize(
    ("who", "at", "after_s", "timezone"),
    [
        ("ben", None, 86_400, "America/New_York"),
        ("ben", "10:30", 86_400 + 5_400, "America/New_York"),
        ("ana", "10:30", 86_400 + 9_000, "America/Chicago"),
        ("ana", None, 86_400, "America/Chicago"),
    ],
)
def test_times_are_those_of_the_persons_own_clock(who, at, after_s, timezone) -> None:
    promise = made(who, at=at)
    assert (promise.due - DUE, promise.timezone) == (after_s, timezone)
    assert (promise.opens, promise.shuts) == (promise.due - 30, promise.due + 600)


def test_over_a_clock_change_the_wall_time_stays() -> None:
    assert made("ben", on="2026-03-09").due == DUE + 5 * 86_400 - 3600


@pytest.mark.parametrize(("on", "at"), [("2026-03-04", "09:11"), ("2026-03-03", None), ("2028-01-01", None)])
def test_not_in_the_past_nor_far_away(on, at) -> None:
    with pytest.raises(NotMadeUp, match=r"is over|year ahead"):
        made("ben", on=on, at=at)


def test_on_the_same_day_later_there_is_time() -> None:
    assert made("ben", on="2026-03-04", at="09:12").due == DUE + 720


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        (None, "no schedule practice"),
        (replace(PRACTICE, participants=PRACTICE.participants[1:]), "ana is not in"),
        (replace(PRACTICE, participants=()), "ana is not in"),
        (replace(PRACTICE, enabled=False), "disabled"),
    ],
)
def test_who_has_gone_is_not_called(schedule, why) -> None:
    with pytest.raises(NotMadeUp, match=why):
        made(schedule=schedule)


def test_a_schedule_for_nobody_in_particular() -> None:
    alone = replace(PRACTICE, participants=())
    assert made(None, schedule=alone).key.endswith("/-")
    with pytest.raises(NotMadeUp):
        made(None)


def test_a_date_that_does_not_exist() -> None:
    apia = replace(PRACTICE, participants=(Participant("ana", "Ana", timezone="Pacific/Apia"),))
    before = record()._replace(due=1_325_000_000.0)
    with pytest.raises(NotMadeUp, match="does not exist"):
        makeups.make_up(before, apia, date(2011, 12, 30), time(9), 1_325_000_000.0)


@pytest.mark.parametrize(
    ("stage", "reason", "can"),
    [
        ("missed", "busy", True),
        ("missed", "gap", False),
        ("skipped", "paused", True),
        ("failed", "refused", True),
        ("cancelled", "by_person", True),
        ("cancelled", "removed", False),
        ("planned", None, False),
        ("creating", None, False),
        ("live", None, False),
        *(("ended", str(reason), reason in makeups._CAME_TO_NOTHING) for reason in EndedReason),
    ],
)
def test_what_came_to_nothing_can_be_made_up(stage, reason, can) -> None:
    assert (makeups.obstacle(record(stage=stage, reason=reason)) is None) is can


@pytest.mark.parametrize(
    ("stage", "reason", "stands"),
    [
        ("planned", None, True),
        ("ended", "left", True),
        ("missed", "late", False),
        ("cancelled", "removed", False),
    ],
)
def test_there_is_none_beside_one_that_stands(stage, reason, stands) -> None:
    assert makeups.stands(record(stage=stage, reason=reason)) is stands


KEY = "practice/make-up:09:00:2026-03-04/2026-03-05/ana"


def test_a_swap_leaves_it_where_it_is_under_the_new_terms() -> None:
    changed = {"practice": replace(PRACTICE, lead_s=60, start_window_s=0)}
    assert makeups.settled(changed, KEY, DUE, "America/Chicago") == made()._replace(
        due=DUE, opens=DUE - 60, shuts=DUE
    )
    off = {"practice": replace(PRACTICE, enabled=False)}
    settled = makeups.settled(off, KEY, DUE, "America/Chicago")
    assert settled is not None and settled.skip == "disabled"


@pytest.mark.parametrize(
    ("schedules", "key"),
    [
        ({}, KEY),
        ({"practice": replace(PRACTICE, participants=PRACTICE.participants[1:])}, KEY),
        ({"practice": PRACTICE}, "practice/09:00/2026-03-05/ana"),
        ({"practice": PRACTICE}, "practice/make-up:09:00:2026-03-04/2026-03-05/-"),
    ],
)
def test_what_is_gone_or_no_make_up_has_no_place(schedules, key) -> None:
    assert makeups.settled(schedules, key, DUE, "UTC") is None
