"""One person, one conversation at a time, over all schedules (S6)."""

from __future__ import annotations

import pytest

from tests.house.teams import team

MINUTE, HOUR = 60.0, 3600.0

CLOCKS = "max_call_duration: {call}, participant_left_timeout: 60s, participant_absent_timeout: {absent}"


def _two_slots(call: str, extra: str = "") -> str:
    """08:00 and 08:30; whoever joins stays as long as they may."""
    return team(1, at='["08:00", "08:30"]', extra=extra, properties=CLOCKS.format(call=call, absent="2m"))


def _room(rig):
    (room,) = rig.sandbox.rooms.values()
    return room.conversation_id


async def _joined(rig, daemon, at):
    """The person of the first slot comes in time."""
    await rig.until(daemon, at + HOUR)
    rig.sandbox.join(_room(rig))


async def test_half_an_hour_after_half_an_hour_both_happen(rig, at):
    async with rig.open(rig.config(_two_slots("30m"))) as daemon:
        await _joined(rig, daemon, at)
        await rig.until(daemon, at + 1.5 * HOUR + 30)
    first, second = rig.records().values()
    assert (first.reason, second.stage) == ("max_call_duration", "live")
    assert second.created_at >= first.ended_at
    assert second.lateness_s == 0, "it was asked after as soon as it should be over"
    rig.clean()


async def test_one_that_runs_beyond_the_window_is_asked_after_and_then_skips(rig, at):
    async with rig.open(rig.config(_two_slots("50m"))) as daemon:
        await _joined(rig, daemon, at)
        await rig.until(daemon, at + 1.6 * HOUR)
    first, second = rig.records().values()
    opened = second.opens
    assert (first.stage, second.stage, second.reason) == ("live", "skipped", "overlap")
    assert [t for t in rig.asked("get") if t >= opened][:1] == [opened]
    assert len(rig.asked("create")) == 1
    rig.clean()


async def test_one_that_is_over_already_does_not_skip(rig, at):
    """It would run beyond the window, but its person never came: nobody is skipped for an empty room."""
    async with rig.open(rig.config(_two_slots("50m"))) as daemon:
        await rig.until(daemon, at + 1.6 * HOUR)
    first, second = rig.records().values()
    assert (first.reason, second.reason, second.lateness_s) == ("absent", "absent", 0.0)


async def test_who_left_just_before_is_free_at_once(rig, at):
    """Left 70 s before the next one opens, so that no Survey needs to have told of it."""
    async with rig.open(rig.config(_two_slots("50m"))) as daemon:
        await _joined(rig, daemon, at)
        await rig.until(daemon, at + 1.5 * HOUR - 100)
        rig.sandbox.leave(_room(rig))
        await rig.until(daemon, at + 1.6 * HOUR)
    first, second = rig.records().values()
    assert (first.reason, second.lateness_s) == ("left", 0.0)
    rig.clean()


async def test_the_wait_for_a_running_one_ends_with_the_window(rig, at):
    """Its hard end lies inside the window, but it goes on all the same: then it is an overlap."""
    text = _two_slots("30m", extra="start_window: 20s")
    async with rig.open(rig.config(text)) as daemon:
        await rig.until(daemon, at + HOUR)
        rig.sandbox.join(_room(rig))
        rig.stubborn(_room(rig))
        await rig.until(daemon, at + 1.6 * HOUR)
    second = list(rig.records().values())[1]
    assert (second.stage, second.reason) == ("skipped", "overlap")
    assert len(rig.asked("create")) == 1
    rig.clean()


TWO_SCHEDULES = """
rosters:
  team: [{{id: ana, name: Ana}}]
schedules:
  morning: &m
    when: {{days: daily, at: "08:00", timezone: UTC}}
    participants: [team]
    conversation: {body}
  other:
    when: {{days: daily, at: "08:05", timezone: UTC}}
    participants: [team]
    overlap: {overlap}
    conversation: {body}
"""
BODY = "{persona_id: pdced222244b, properties: {max_call_duration: 30m, participant_absent_timeout: 20m}}"


@pytest.mark.parametrize(("overlap", "stages"), [("skip", ["live", "skipped"]), ("allow", ["live", "live"])])
async def test_two_schedules_for_one_person(rig, at, overlap, stages):
    text = TWO_SCHEDULES.format(body=BODY, overlap=overlap).replace(" &m", "")
    async with rig.open(rig.config(text)) as daemon:
        await rig.until(daemon, at + HOUR + 6 * MINUTE)
    assert [str(r.stage) for r in rig.records().values()] == stages
    rig.clean()


@pytest.mark.parametrize(("overlap", "most"), [("skip", 1), ("allow", 2)])
async def test_two_at_the_same_moment_for_one_person(rig, at, overlap, most):
    text = TWO_SCHEDULES.format(body=BODY, overlap=overlap).replace(" &m", "").replace("08:05", "08:00")
    text = text.replace('"08:00", timezone: UTC}\n', f'"08:00", timezone: UTC}}\n    overlap: {overlap}\n', 1)
    async with rig.open(rig.config(text)) as daemon:
        await rig.until(daemon, at + HOUR + MINUTE)
    assert sum(r.stage == "live" for r in rig.records().values()) == most
    assert len(rig.sandbox.rooms) == most
    rig.clean()


NOBODY = """
schedules:
  one:
    when: {days: daily, at: ["08:00", "08:05"], timezone: UTC}
    conversation: BODY
  two:
    when: {days: daily, at: "08:00", timezone: UTC}
    conversation: BODY
""".replace("BODY", BODY)


async def test_without_participants_each_schedule_is_a_party_of_its_own(rig, at):
    async with rig.open(rig.config(NOBODY)) as daemon:
        await rig.until(daemon, at + HOUR + 6 * MINUTE)
    stages = {key: str(r.stage) for key, r in rig.records().items()}
    day = "2026-11-30/-"
    assert stages == {
        f"one/08:00/{day}": "live",
        f"two/08:00/{day}": "live",
        f"one/08:05/{day}": "skipped",
    }
    rig.clean()
