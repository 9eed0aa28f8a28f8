"""Times and lengths in a letter's words, on each person's own clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jobs.letter.words import length, rfc3339, told
from jobs.model import LETTER_NAMES, Invitation
from scheduler.zones import zone, zone_names
from tests.pure.letters import INVITATION, NINE


def say(name: str, invitation: Invitation = INVITATION) -> str:
    return told(invitation, zone)[name]


def test_every_name_has_words() -> None:
    assert tuple(told(INVITATION, zone)) == LETTER_NAMES
    nobody = told(replace(INVITATION, participant=None, practice=None), zone)
    assert {name for name, words in nobody.items() if not words} == {"participant.id", "participant.name"}


@pytest.mark.parametrize(
    ("timezone", "local"),
    [
        ("America/New_York", "Monday 23 November, 09:00 in New York (UTC-5)"),
        ("America/St_Johns", "Monday 23 November, 10:30 in St Johns (UTC-3:30)"),
        ("Asia/Kathmandu", "Monday 23 November, 19:45 in Kathmandu (UTC+5:45)"),
        ("Pacific/Kiritimati", "Tuesday 24 November, 04:00 in Kiritimati (UTC+14)"),
        ("Europe/London", "Monday 23 November, 14:00 in London (UTC+0)"),
        ("America/Argentina/Buenos_Aires", "Monday 23 November, 11:00 in Buenos Aires (UTC-3)"),
        ("Etc/UTC", "Monday 23 November, 14:00 in UTC"),
    ],
)
def test_each_person_reads_their_own_clock(timezone: str, local: str) -> None:
    there = replace(INVITATION, timezone=timezone)
    assert f"{say('slot.day', there)}, {say('slot.time', there)} in {say('slot.zone', there)}" == local


def test_summer_is_an_hour_ahead_and_seconds_show_where_there_are_some() -> None:
    summer = replace(INVITATION, due=NINE + 182 * 86_400 + 5)
    assert (say("slot.time", summer), say("slot.zone", summer)) == ("10:00:05", "New York (UTC-4)")


def test_every_zone_can_be_told() -> None:
    for name in zone_names():
        assert say("slot.zone", replace(INVITATION, timezone=name))


@pytest.mark.parametrize(
    ("open_s", "until", "long"),
    [
        (90, "09:01", "90 seconds"),
        (85.5, "09:00:50", "86 seconds"),
        (270, "09:04", "4 minutes 30 seconds"),
        (870, "09:14", "14 minutes 30 seconds"),
        (630, "09:10", "10 minutes 30 seconds"),
        (15 * 3600 + 60, "Tuesday, 00:00", "15 hours 1 minute"),
        (-5, "08:59:20", "0 seconds"),
    ],
)
def test_how_long_the_link_is_open(open_s: float, until: str, long: str) -> None:
    created = INVITATION.created_at
    invitation = replace(INVITATION, not_after=created + open_s)
    assert (say("link.until", invitation), say("link.length", invitation)) == (until, long)


def test_no_link_is_promised_for_longer_than_it_lives() -> None:
    for open_s in range(0, 4000, 7):
        end = INVITATION.created_at + open_s
        hour, minute, *second = map(int, say("link.until", replace(INVITATION, not_after=end)).split(":"))
        assert NINE + (hour - 9) * 3600 + minute * 60 + sum(second) <= end


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((0, "0 seconds"), (1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (119, "119 seconds")),
        *((120, "2 minutes"), (150, "2 minutes 30 seconds"), (1800, "30 minutes"), (3600, "1 hour")),
        *((5400, "1 hour 30 minutes"), (7199, "1 hour 59 minutes"), (86_400, "24 hours")),
    ],
)
def test_lengths(seconds: int, words: str) -> None:
    assert length(seconds) == words


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (NINE, "2026-11-23T14:00:00Z"),
        (NINE + 0.4, "2026-11-23T14:00:00.400Z"),
        (NINE + 0.9999, "2026-11-23T14:00:00.999Z"),
        (NINE + 0.0001, "2026-11-23T14:00:00Z"),
    ],
)
def test_instants_for_programs(instant: float, text: str) -> None:
    assert rfc3339(instant) == text
