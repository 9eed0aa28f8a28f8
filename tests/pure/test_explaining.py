"""What the configuration says of a key: what can stop a promise, and what is to come (S1-S5)."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest

from jobs.model import ConversationRequest, Participant
from scheduler.desk import Asker, Breadth, Pause, Scope
from scheduler.explaining import Explanation, Known, Part, Verdict, explain, keys_on, nothing_on
from scheduler.model import (
    PARTICIPANT_ZONE,
    Account,
    Cron,
    Days,
    Every,
    Exclusion,
    Form,
    Monthly,
    On,
    Schedule,
    Slot,
    When,
)

WEEK = frozenset(range(5))
NINE = Days(WEEK, (Slot("09:00", time(9)),))
PEOPLE = (Participant("ana", "Ana", None, "America/New_York"), Participant("ben", "Ben"))
KEY = "practice/09:00/2026-12-01/ana"


def instant(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()


NOW = instant("2026-11-23T12:00")


def practice(
    form: Form = NINE, timezone: str = "UTC", people: tuple[Participant, ...] = PEOPLE, **terms: Any
):
    bounds = {name: terms.pop(name) for name in ("first", "last", "exclusions") if name in terms}
    when = (When(form, timezone, **bounds),)
    given = {"fallback_zone": "Europe/London", "name": "practice", **terms}
    return Schedule(when=when, participants=people, request=ConversationRequest(), **given)


def known(*schedules: Schedule, **more: Any) -> Known:
    given = {"account": Account(concurrent_conversations=5), "now": NOW, **more}
    return Known(schedules={each.name: each for each in schedules or (practice(),)}, **given)


def verdicts(found: Explanation) -> dict[str, str]:
    return {str(link.link): str(link.verdict) for link in found.chain}


def words(found: Explanation, part: Part) -> str:
    return next(link.words for link in found.chain if link.link is part)


def test_what_is_to_come_holds_at_every_link() -> None:
    found = explain(KEY, known())
    assert verdicts(found) == {
        **dict.fromkeys(("schedule", "zone", "calendar", "pause", "capacity"), "holds"),
        "outcome": "open",
    }
    assert found.said == "to come: written at 08:44:30, created from 08:59:30"
    assert words(found, Part.SCHEDULE) == "practice: Monday to Friday at 09:00, for 2 people"
    assert words(found, Part.ZONE) == "due 09:00 in UTC, 2026-12-01 09:00Z"


def test_ones_own_zone_is_told_as_such() -> None:
    here = known(practice(timezone=PARTICIPANT_ZONE))
    assert words(explain(KEY, here), Part.ZONE) == (
        "due 09:00 in America/New_York, ana's own, 2026-12-01 14:00Z"
    )
    assert "own" not in words(explain(KEY.replace("ana", "ben"), here), Part.ZONE)


@pytest.mark.parametrize(
    ("day", "note"), [("2027-03-14", "forward over the time"), ("2027-11-07", "comes twice")]
)
def test_a_clock_change_is_told(day: str, note: str) -> None:
    nightly = practice(Days(frozenset(range(7)), (Slot("n", time(1, 30) if "11" in day else time(2, 30)),)))
    here = known(practice(nightly.when[0].form, "America/New_York"))
    assert note in words(explain(f"practice/n/{day}/ana", here), Part.ZONE)


@pytest.mark.parametrize(
    ("schedule", "key", "part", "said"),
    [
        (practice(enabled=False), KEY, Part.SCHEDULE, "practice is disabled"),
        (practice(), KEY.replace("ana", "zoe"), Part.SCHEDULE, "zoe is in none of its rosters"),
        (practice(), KEY.replace("ana", "-"), Part.SCHEDULE, "its keys end in their ids"),
        (practice(people=()), KEY, Part.SCHEDULE, "its keys end in `-`"),
        (practice(), KEY.replace("practice", "other"), Part.SCHEDULE, "no schedule is called other"),
        (practice(), KEY.replace("12-01", "12-05"), Part.CALENDAR, "Saturday 5 December 2026 is none of its"),
        (practice(first=date(2026, 12, 2)), KEY, Part.CALENDAR, "it begins on 2026-12-02 (`from`)"),
        (practice(last=date(2026, 11, 30)), KEY, Part.CALENDAR, "it ended on 2026-11-30 (`until`)"),
        (
            practice(),
            KEY.replace("09:00", "10:00"),
            Part.CALENDAR,
            "no slot 10:00 on this date; it has 09:00",
        ),
        (practice(Every(900)), KEY.replace("09:00", "09:07Z"), Part.CALENDAR, "at 09:07Z: every 15 min"),
        (practice(), KEY.replace("12-01", "12-32"), Part.CALENDAR, "2026-12-32 is no date"),
        (
            practice(exclusions=(Exclusion(date(2026, 11, 30), date(2026, 12, 2), "Fair"),)),
            KEY,
            Part.CALENDAR,
            "excluded by `except`: Fair (2026-11-30 to 2026-12-02)",
        ),
        (
            practice(timezone="Pacific/Apia", form=Days(frozenset(range(7)), NINE.slots)),
            "practice/09:00/2011-12-30/ana",
            Part.CALENDAR,
            "does not exist on this date",
        ),
    ],
)
def test_what_stops_a_promise_ends_its_chain(schedule: Schedule, key: str, part: Part, said: str) -> None:
    found = explain(key, known(schedule))
    stopped = found.chain[-2]
    assert (stopped.link, stopped.verdict) == (part, Verdict.STOPS)
    assert said in stopped.words
    assert found.chain[-1].verdict is Verdict.STOPS
    assert [link.verdict for link in found.chain[:-2]] == [Verdict.HOLDS] * (len(found.chain) - 2)


@pytest.mark.parametrize(
    ("scope", "since", "until", "stops"),
    [
        (Scope(), NOW - 60, None, True),
        (Scope(Breadth.SCHEDULE, "practice"), NOW - 60, None, True),
        (Scope(Breadth.PARTICIPANT, "ana"), NOW - 60, instant("2026-12-01T09:00"), True),
        (Scope(Breadth.PARTICIPANT, "ana"), NOW - 60, instant("2026-12-01T08:59"), False),
        (Scope(Breadth.PARTICIPANT, "ana"), instant("2026-12-01T09:00"), None, False),
        (Scope(Breadth.PARTICIPANT, "ben"), NOW - 60, None, False),
        (Scope(Breadth.SCHEDULE, "ana"), NOW - 60, None, False),
    ],
)
def test_a_pause_stops_what_opens_in_it(scope: Scope, since: float, until: float | None, stops: bool) -> None:
    found = explain(KEY, known(pauses=[Pause(scope, since, until, "kim", "fair")]))
    assert (verdicts(found)["pause"] == "stops") is stops
    if stops:
        assert f"{scope} is paused since 2026-11-23 11:59" in words(found, Part.PAUSE)
        assert words(found, Part.PAUSE).endswith("by kim (fair)")


def test_a_skip_that_was_asked_for_ahead_is_told() -> None:
    found = explain(KEY, known(skips={KEY: Asker("kim", "on leave")}))
    assert words(found, Part.PAUSE) == "it is to be skipped: kim (on leave) asked for it"
    assert found.said == "it will not be created"


def test_the_crowd_of_the_same_minute_stands_against_the_cap() -> None:
    crowd = tuple(Participant(f"p{n}", "P") for n in range(7))
    others = practice(Days(WEEK, (Slot("x", time(9, 0, 40)),)), name="other", people=crowd, lead_s=120)
    later = practice(Days(WEEK, (Slot("y", time(9, 1)),)), name="later", people=crowd)
    off = practice(name="off", people=crowd, enabled=False)
    account = Account(concurrent_conversations=10, reserve=1)
    found = explain(KEY, known(practice(), others, later, off, account=account))
    assert verdicts(found)["capacity"] == "holds"
    assert words(found, Part.CAPACITY) == (
        "8 others due in the same minute, room for 9 at once, requests 60 in 60 s"
    )
    found = explain(KEY, known(practice(), others, account=Account(concurrent_conversations=8)))
    assert verdicts(found)["capacity"] == "delays"
    assert words(found, Part.CAPACITY).endswith("some wait, until 09:10 at the latest")


@pytest.mark.parametrize(
    ("more", "verdict", "said"),
    [
        ({"born": instant("2026-12-01T09:02")}, "stops", "it opened before the ledger began, at 09:02"),
        (
            {"promised_until": instant("2026-11-30T12:00")},
            "open",
            "started before 09:10, it still creates it",
        ),
        ({"promised_until": instant("2026-12-01T09:20")}, "stops", "before this configuration was in force"),
        (
            {"promised_until": instant("2026-11-30T12:00"), "now": instant("2026-12-01T10:00")},
            "stops",
            "no daemon has looked at this ledger since it opened (it wrote until 2026-11-30 12:00)",
        ),
    ],
)
def test_what_opened_and_was_not_written_has_its_reason(
    more: dict[str, Any], verdict: str, said: str
) -> None:
    found = explain(KEY, known(**{"now": instant("2026-12-01T09:05"), "born": NOW, **more}))
    assert said in found.said
    assert verdicts(found)["outcome"] == verdict


def test_a_hold_delays_what_is_open() -> None:
    now = instant("2026-12-01T09:01")
    found = explain(KEY, known(now=now, holds=[("denied", now - 60)], promised_until=NOW))
    assert words(found, Part.CAPACITY) == "creation is held: denied since 09:00"


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(ValueError, match="x/y is no key"):
        explain("x/y", known())


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (Cron("0", "9", "*", "*", "mon-fri"), 'cron "0 9 * * mon-fri"'),
        (Monthly("last", NINE.slots), "monthly on day last at 09:00"),
        (On((datetime(2026, 12, 2, 9),)), "2026-12-02 09:00"),
        (Days(frozenset({0, 2}), (Slot("early", time(7)),)), "Monday and Wednesday at 07:00 (early)"),
        (Days(frozenset(range(7)), NINE.slots), "every day at 09:00"),
    ],
)
def test_every_form_is_said_in_words(form: Form, said: str) -> None:
    assert explain(KEY, known(practice(form))).chain[0].words == f"practice: {said}, for 2 people"


# --- a date ---------------------------------------------------------------------------------------


def test_a_persons_date_names_their_keys_and_why_other_schedules_have_none() -> None:
    weekend = practice(Days(frozenset({5}), NINE.slots), name="weekend")
    others = practice(name="others", people=PEOPLE[1:])
    schedules = {each.name: each for each in (practice(), weekend, others)}
    day = date(2026, 12, 1)
    assert list(keys_on(schedules, day, "ana")) == [KEY]
    (absent,) = nothing_on(schedules, day, "ana", NOW)
    assert absent.schedule == "weekend"
    assert absent.words == (
        "Tuesday 1 December 2026 is none of its days: Saturday at 09:00; next: 2026-12-05 09:00 UTC"
    )


def test_a_date_holds_for_zones_and_leads_far_from_utc() -> None:
    far = practice(Days(frozenset(range(7)), (Slot("a", time(0)), Slot("b", time(23, 59)))), PARTICIPANT_ZONE)
    people = (
        Participant("e", "E", None, "Pacific/Kiritimati"),
        Participant("w", "W", None, "Pacific/Midway"),
    )
    schedules = {"practice": practice(far.when[0].form, PARTICIPANT_ZONE, people, lead_s=3600, spread_s=1800)}
    found = sorted(keys_on(schedules, date(2026, 12, 1), None))
    assert found == [f"practice/{slot}/2026-12-01/{who}" for slot in "ab" for who in "ew"]


def test_somebody_in_no_schedule_hears_it_from_each() -> None:
    (absent,) = nothing_on({"practice": practice()}, date(2026, 12, 1), "zoe", NOW)
    assert "zoe is in none of its rosters" in absent.words
