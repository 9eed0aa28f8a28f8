"""What pages make of values: days by zone, the curve, words for every reason, and times in a zone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import Reason
from jobs.model import Address, ConversationRequest, Participant, Properties
from scheduler.facts import KINDS, REASONS, GiveUpReason, Stage
from scheduler.ledger.snapshot import Told
from scheduler.model import Account, Config, Schedule, Service
from scheduler.planner import SlotTime
from scheduler.record import Delivery, DeliveryState, Record, Stray, Tally
from scheduler.web.pages import curve, times, words
from scheduler.web.pages.roster import Roster
from scheduler.web.pages.story import lines
from scheduler.web.pages.times import HOUR_S
from scheduler.web.pages.today import BEFORE_ROWS, HEIGHT, ROWS_MAX, WIDTH, days, span
from scheduler.web.pages.trouble import trouble

NEW_YORK, TOKYO = "America/New_York", "Asia/Tokyo"
NOON = datetime.fromisoformat("2026-11-30T12:00:00-05:00").timestamp()
DAY = "2026-11-30"


def slot(
    at: float, people: int = 1, *, name: str = "coach", room_s: float = 0.0, zone: str = NEW_YORK
) -> SlotTime:
    return SlotTime(at, name, f"{at}", DAY, zone, people, room_s, None, None)


def schedule(call_s: int = 1800, **more: object) -> Schedule:
    request = ConversationRequest(properties=Properties(max_call_duration=call_s))
    return Schedule(name="coach", when=(), participants=(), request=request, lead_s=0, **more)  # type: ignore[arg-type]


def record(**more: object) -> Record:
    first = Record(
        "coach/09:00/2026-11-30/ana", "coach", "09:00", DAY, "ana", NOON, NOON, NOON + 600, 1800, 300
    )
    return first._replace(**more)  # type: ignore[arg-type]


# --- words ---


@pytest.mark.parametrize("reason", sorted(set().union(*REASONS.values())))
def test_every_reason_has_a_sentence(reason: str) -> None:
    assert words.why(reason) != reason


@pytest.mark.parametrize("reason", [*Reason, *GiveUpReason])
def test_every_failure_has_one_too(reason: str) -> None:
    assert reason in (*words.TURNED_AWAY, *words.GAVE_UP)


def test_every_stage_looks_like_something() -> None:
    assert set(words.LOOKS) == set(Stage)
    assert words.look(record(stage=Stage.ENDED, reason="left")) == "well"
    assert words.look(record(stage=Stage.ENDED, reason="undelivered")) == "wrong"


@pytest.mark.parametrize("kind", KINDS)
def test_a_fact_that_has_no_sentence_yet_is_named(kind: str) -> None:
    (line,) = lines([Told(NOON, kind, None, (), "{}")])
    assert line.said.lower() == kind.replace("_", " ")


# --- trouble ---

MAIL = Delivery(Address("mail", "ana@example.com"), due=NOON + 5, not_after=NOON + 300)


@pytest.mark.parametrize(
    ("broken", "said", "next_at"),
    [
        (record(stage=Stage.MISSED, reason="busy"), "missed: the service turned every try away", None),
        (
            record(stage=Stage.CREATING, look_at=NOON + 2),
            "the answer was lost; it is being looked for",
            NOON + 2,
        ),
        (
            record(turned_away="full", starts_at=NOON + 3),
            "not made yet: the account's places were all taken",
            NOON + 3,
        ),
        (
            record(stage=Stage.LIVE, deliveries=(MAIL._replace(tries=2),)),
            "mail ana@example.com: waiting, 2 tries failed",
            NOON + 5,
        ),
        (
            record(
                stage=Stage.LIVE, deliveries=(MAIL._replace(state=DeliveryState.GIVEN_UP, reason="stale"),)
            ),
            "mail ana@example.com: given up: the link would have been dead",
            None,
        ),
        (
            record(stage=Stage.LIVE, strays=(Stray("c2", NOON + 9),)),
            "a second conversation has to be ended",
            NOON + 9,
        ),
    ],
)
def test_what_went_wrong_is_said_with_its_next_try(broken: Record, said: str, next_at: float | None) -> None:
    assert trouble(broken) == (said, next_at)


# --- today ---


def test_a_day_has_what_is_written_and_what_is_to_come_once_each() -> None:
    at = NOON - HOUR_S
    counted = [
        Tally(NEW_YORK, DAY, "coach", f"{at}", "ended", at, 3),
        Tally(NEW_YORK, DAY, "coach", f"{at}", "missed", at, 1),
    ]
    (day,) = days(counted, [slot(at, 4), slot(NOON + HOUR_S, 2)], NOON)
    assert [(row.at, row.people, row.outcomes) for row in day.rows] == [
        (at, 4, [("ended", 3), ("missed", 1)]),
        (NOON + HOUR_S, 2, [("planned", 2)]),
    ]
    assert day.told == "2 planned, 3 ended, 1 missed"
    assert day.now_x == WIDTH / 2


def test_each_zone_has_its_own_today_the_fullest_first() -> None:
    tokyo_noon = datetime.fromisoformat("2026-12-01T12:00:00+09:00").timestamp()
    found = days([], [slot(NOON, 1), slot(tokyo_noon, 5, zone=TOKYO), slot(NOON + 86400)], NOON)
    assert [(each.timezone, len(each.rows)) for each in found] == [(TOKYO, 1), (NEW_YORK, 1)]
    since, until = span(NOON, [NEW_YORK, TOKYO])
    assert since <= min(each.starts for each in found)
    assert until >= NOON + 12 * HOUR_S


def test_a_slot_every_minute_is_shown_around_now() -> None:
    (day,) = days([], [slot(NOON + 60 * n) for n in range(-600, 600)], NOON)
    assert len(day.rows) == ROWS_MAX
    assert day.hidden == 1200 - ROWS_MAX
    assert sum(row.at < NOON for row in day.rows) == BEFORE_ROWS


@given(
    st.lists(
        st.tuples(st.integers(0, 86_399), st.sampled_from(list(Stage)), st.integers(1, 500)), max_size=60
    )
)
def test_bars_stay_inside_their_drawing(rows: Sequence[tuple[int, Stage, int]]) -> None:
    midnight = times.midnights(NOON, NEW_YORK)[0]
    counted = [Tally(NEW_YORK, DAY, "coach", f"{at}", stage, midnight + at, n) for at, stage, n in rows]
    for day in days(counted, [], NOON):
        for bar in day.bars:
            assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
            assert -12 <= bar.y <= bar.y + bar.height <= HEIGHT + 0.2


# --- the curve ---


def curved(slots: Sequence[SlotTime], cap: int = 5, **more: object) -> curve.Day:
    midnights = times.midnights(NOON, NEW_YORK)
    (day,) = curve.days({"coach": schedule(**more)}, slots, cap, midnights, NOON)
    return day


def test_the_peak_is_what_runs_at_once() -> None:
    day = curved([slot(NOON, 3), slot(NOON + 1799, 4), slot(NOON + 1800, 2)])
    assert (day.promises, day.peak, day.peak_at, day.over) == (9, 7, NOON + 1799, 2)
    assert curve.spoken(day, NEW_YORK, 5) == "At most 7 at once, first at 12:29; 2 more than the 5 allowed."


def test_what_began_yesterday_still_runs() -> None:
    midnight = times.midnights(NOON, NEW_YORK)[0]
    day = curved([slot(midnight - 600, 4)])
    assert (day.promises, day.peak, day.peak_at) == (0, 4, midnight)


def test_a_spread_flattens_the_peak() -> None:
    assert curved([slot(NOON, 12, room_s=7200.0)]).peak < curved([slot(NOON, 12)]).peak == 12


def test_what_holds_no_place_is_not_drawn() -> None:
    test = schedule()
    free = Schedule(
        name="coach",
        when=(),
        participants=(),
        request=ConversationRequest(test_mode=True),
        lead_s=test.lead_s,
    )
    (day,) = curve.days({"coach": free}, [slot(NOON, 9)], 5, times.midnights(NOON, NEW_YORK), NOON)
    assert (day.peak, curve.spoken(day, NEW_YORK, 5)) == (0, "Nothing is planned.")


def test_a_day_full_of_slots_is_still_a_short_path() -> None:
    midnight = times.midnights(NOON, NEW_YORK)[0]
    day = curved([slot(midnight + 10 * n) for n in range(8640)])
    assert len(day.line) < 40_000
    assert re.fullmatch(r"M0 [\d.]+(H\d+(V[\d.]+)?)+", day.line)
    assert day.more_slots == 8640 - curve.SLOTS_MAX


# --- times ---


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (3900, "1 h 5 min"),
        (3e5, "3 days"),
    ],
)
def test_lengths_are_as_exact_as_people_need(seconds: float, said: str) -> None:
    assert times.length(seconds) == said


def test_a_moment_is_of_a_zone_that_is_named() -> None:
    assert times.moment(NOON, NEW_YORK) == "Mon 30 Nov 2026, 12:00"
    assert times.moment(NOON, TOKYO) == "Tue 1 Dec 2026, 02:00"
    assert times.machine(NOON) == "2026-11-30T17:00:00Z"
    assert (times.place(NEW_YORK), times.place("UTC")) == ("New York (America/New_York)", "UTC")
    assert (times.due(NOON - 5, NOON), times.due(NOON + 5, NOON)) == ("now", "in 5 s")
    assert (times.away(NOON - 90, NOON), times.away(NOON, NOON)) == ("1 min ago", "now")


def test_a_day_of_a_clock_change_has_23_hours() -> None:
    march = datetime.fromisoformat("2026-03-08T12:00:00-04:00").timestamp()
    first, second = times.midnights(march, NEW_YORK)
    assert second - first == 23 * HOUR_S


# --- people ---


def test_people_are_found_by_any_part_of_their_name() -> None:
    ana = Participant("ana", "Ana Ruiz", "a.ruiz@example.com", NEW_YORK)
    bob = Participant("bob", "Bob Öst", None, None)
    both = schedule(fallback_zone=TOKYO)
    config = Config(
        service=Service(ledger="x"),
        account=Account(),
        schedules={"coach": replace(both, participants=(ana, bob))},
    )
    roster = Roster(config)
    assert [each.participant.id for each in roster.find("RUIZ")] == ["ana"]
    assert [each.participant.id for each in roster.find("öst")] == ["bob"]
    assert [each.timezone for each in roster.people.values()] == [NEW_YORK, TOKYO]
    assert Roster(replace(config, schedules={})).zone == "UTC"
