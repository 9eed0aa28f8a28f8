"""A person pauses a house at work: what is paused is skipped as it opens, and resuming never replays (S5)."""

from __future__ import annotations

import pytest

from jobs.tavus.sandbox.fault import Fault
from scheduler.desk import Breadth, Effect, Refused, Scope
from tests.house.steered import ALL, EIGHT, KEY, OPS, stages, steered
from tests.house.teams import team

MINUTE, HOUR = 60.0, 3600.0


async def test_a_morning_off_is_skipped_and_the_afternoon_is_kept(rig, at):
    async with steered(rig, team(2, at='["08:00", "10:00", "14:00"]')) as (daemon, desk):
        answer = await desk.pause(ALL, at + 5 * HOUR, OPS)
        assert answer.effect is Effect.DONE
        await rig.until(daemon, at + 7 * HOUR)
    found = stages(rig)
    assert [found[KEY.format(slot)] for slot in ("08:00", "10:00", "14:00")] == [
        *("skipped paused", "skipped paused"),
        "live",
    ]
    assert len(rig.asked("create")) == 2


async def test_nothing_is_skipped_before_it_opens(rig, at):
    """Resumed in between, the promise is kept."""
    async with steered(rig, team(1)) as (daemon, desk):
        await rig.until(daemon, at + HOUR - 10 * MINUTE)
        await desk.pause(ALL, None, OPS)
        await rig.until(daemon, at + HOUR - MINUTE)
        assert stages(rig) == {EIGHT: "planned"}
        assert (await desk.resume(ALL, OPS)).effect is Effect.DONE
        await rig.until(daemon, at + HOUR)
    assert stages(rig) == {EIGHT: "live"}


async def test_resuming_never_replays(rig, at):
    async with steered(rig, team(1)) as (daemon, desk):
        await desk.pause(ALL, None, OPS)
        await rig.until(daemon, at + HOUR)
        await desk.resume(ALL, OPS)
        await rig.until(daemon, at + HOUR + 9 * MINUTE)
    assert stages(rig) == {EIGHT: "skipped paused"}
    assert rig.asked("create") == []


async def test_live_conversations_are_untouched(rig, at):
    async with steered(rig, team(1, at='["08:00", "08:20"]')) as (daemon, desk):
        await rig.until(daemon, at + HOUR)
        await desk.pause(ALL, None, OPS)
        await rig.until(daemon, at + HOUR + MINUTE)
        assert stages(rig)[EIGHT] == "live"
    assert rig.asked("end") == []


async def test_a_person_is_paused_in_every_schedule(rig, at):
    two = team(2) + team(2, at='"09:00"').split("schedules:")[1].replace("practice:", "evening:")
    async with steered(rig, two) as (daemon, desk):
        await desk.pause(Scope(Breadth.PARTICIPANT, "p000"), None, OPS)
        await rig.until(daemon, at + 2 * HOUR)
    found = stages(rig)
    assert {key.split("/")[3] for key, stage in found.items() if stage == "skipped paused"} == {"p000"}
    assert sorted(key.split("/")[0] for key, stage in found.items() if "p000" in key) == [
        "evening",
        "practice",
    ]
    assert not any(stage == "skipped paused" for key, stage in found.items() if "p001" in key)


async def test_who_waits_in_line_when_the_pause_begins_is_skipped_too(rig, at):
    rig.sandbox.faults.add(Fault(kind="status", operation="create", status=429))
    async with steered(rig, team(1)) as (daemon, desk):
        await rig.until(daemon, at + HOUR - 30)
        assert stages(rig) == {EIGHT: "planned"}
        await desk.pause(Scope(Breadth.SCHEDULE, "practice"), None, OPS)
        await rig.until(daemon, at + HOUR)
    assert stages(rig) == {EIGHT: "skipped paused"}
    assert len(rig.asked("create")) == 1


async def test_a_pause_survives_the_process_and_what_it_missed_meanwhile(rig, at):
    text = team(1, at='["08:00", "09:00"]')
    async with steered(rig, text) as (_, desk):
        await desk.pause(ALL, at + 1.5 * HOUR, OPS)
    rig.clock.move(at + 1.9 * HOUR)
    async with steered(rig, text) as (daemon, _):
        await rig.until(daemon, at + 2 * HOUR)
    assert stages(rig) == {EIGHT: "skipped paused", KEY.format("09:00"): "live"}


async def test_a_reload_in_a_pause_changes_nothing_of_it(rig, at):
    async with steered(rig, team(1)) as (daemon, desk):
        await desk.pause(ALL, None, OPS)
        await rig.until(daemon, at + HOUR - MINUTE)
        daemon.reload(rig.config(team(2, extra="lead: 40s")))
        await rig.until(daemon, at + HOUR)
    assert set(stages(rig).values()) == {"skipped paused"}


@pytest.mark.parametrize(
    ("scope", "near"),
    [(Scope(Breadth.SCHEDULE, "practise"), "practice"), (Scope(Breadth.PARTICIPANT, "p00"), "p000")],
)
async def test_a_name_that_nobody_has_is_suggested(rig, at, scope, near):
    async with steered(rig, team(1)) as (_, desk):
        with pytest.raises(Refused, match=near):
            await desk.pause(scope, None, OPS)


@pytest.mark.parametrize("until", [float("nan"), float("inf"), 1e308, 253402318740.0])
async def test_an_end_that_no_calendar_shows_is_refused_before_anything_is_written(rig, at, until):
    async with steered(rig, team(1)) as (_, desk):
        with pytest.raises(Refused, match="within ten years"):
            await desk.pause(ALL, until, OPS)
        with pytest.raises(Refused, match="that is over"):
            await desk.pause(ALL, -1e308, OPS)
        assert (await desk.resume(ALL, OPS)).effect is Effect.ALREADY


async def test_asked_twice_it_says_so(rig, at):
    async with steered(rig, team(1)) as (_, desk):
        with pytest.raises(Refused, match="is over"):
            await desk.pause(ALL, at - 1, OPS)
        effects = [(await verb).effect for verb in (desk.pause(ALL, None, OPS), desk.pause(ALL, None, OPS))]
        assert effects == [Effect.DONE, Effect.ALREADY]
        await desk.pause(Scope(Breadth.SCHEDULE, "practice"), None, OPS)
        answer = await desk.resume(ALL, OPS)
        assert "schedule practice is still paused" in answer.said[1]
        assert (await desk.resume(ALL, OPS)).effect is Effect.ALREADY
