"""The clock may jump: small steps are lateness, large ones stop everything for a while (S9)."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from tests.house.teams import team

MINUTE, HOUR = 60.0, 3600.0


async def test_an_hour_forward_is_lateness(rig, at):
    """08:00 was jumped over: its window is shut; 09:05 was not."""
    config = rig.config(team(1, at='["08:00", "08:25"]'))
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + 0.5 * HOUR)
        rig.clock.set_wall(at + 1.5 * HOUR)
        await rig.until(daemon, at + 1.5 * HOUR + MINUTE)
    missed, late = rig.records().values()
    assert (missed.stage, missed.reason) == ("missed", "late")
    assert (late.stage, late.lateness_s) == ("live", 5 * MINUTE)
    assert rig.holds() == []
    rig.clean()


@pytest.mark.parametrize("after_s", [-10.0, 10.0, 300.0, 3000.0])
async def test_an_hour_back_fires_nothing_twice(rig, at, after_s):
    """Set back shortly before the slot, within it, after it, and long after it."""
    async with rig.open(rig.config(team(2))) as daemon:
        await rig.until(daemon, at + HOUR + after_s)
        rig.clock.set_wall(rig.clock.now() - HOUR)
        await rig.until(daemon, at + 3 * HOUR)
    assert len(rig.asked("create")) == 2
    assert {r.stage for r in rig.records().values()} == {"ended"}
    assert rig.holds() == []
    rig.clean()


async def test_an_hour_back_does_not_blind_us_for_an_hour(rig, at):
    """Surveys go on by the clock as it is now: a conversation that is over is known within two minutes."""
    async with rig.open(rig.config(team(1, properties="participant_absent_timeout: 20m"))) as daemon:
        await rig.until(daemon, at + HOUR)
        rig.clock.set_wall(at)
        await rig.until(daemon, at + 10 * MINUTE)
        surveys = rig.asked("list")
    assert sum(t < at + 10 * MINUTE for t in surveys if t > at) >= 7


async def test_a_quiet_house_set_back_by_an_hour_goes_on(rig, at):
    """The newest fact is older than the new now: there is nothing to disbelieve."""
    async with rig.open(rig.config(team(1))) as daemon:
        await rig.until(daemon, at + 6 * HOUR)
        rig.clock.set_wall(at + 5 * HOUR)
        await rig.quiet(daemon)
        assert rig.holds() == []


@pytest.mark.parametrize("step_s", [3 * HOUR, -3 * HOUR, 30 * 24 * HOUR, -30 * 24 * HOUR])
async def test_three_hours_either_way_hold_everything_for_two_minutes(rig, at, step_s):
    async with rig.open(rig.config(team(1))) as daemon:
        await rig.until(daemon, at + 0.5 * HOUR)
        with capture_logs() as lines:
            rig.clock.set_wall(rig.clock.now() + step_s)
            jumped = rig.clock.now()
            await rig.until(daemon, jumped + 119)
            assert rig.holds() == ["clock_held"]
            await rig.until(daemon, jumped + 121)
            assert rig.holds() == []
    told = [(line["event"], line["log_level"]) for line in lines if line.get("reason") == "clock_held"]
    assert told == [("held", "warning"), ("lifted", "info")]
    rig.clean()


async def test_a_month_ahead_believed_and_corrected_loses_no_day(rig, at):
    """The wrong month is one gap; afterwards the plan goes on from the true now, not from the false one."""
    day = 24 * HOUR
    async with rig.open(rig.config(team(2))) as daemon:
        await rig.until(daemon, at + 3 * HOUR)
        rig.clock.set_wall(rig.clock.now() + 30 * day)
        await rig.until(daemon, rig.clock.now() + 10 * MINUTE)
        assert rig.promised_in_gaps() == [30 * 2]
        rig.clock.set_wall(rig.clock.now() - 30 * day)
        await rig.until(daemon, at + 2 * day + 3 * HOUR)
    kept = {(r.date, str(r.stage)) for r in rig.records().values() if r.slot != "*"}
    assert kept == {(f"2026-{date}", "ended") for date in ("11-30", "12-01", "12-02")}
    assert len(rig.sandbox.rooms) == 3 * 2
    rig.clean()


async def test_a_call_that_ends_after_the_clock_went_back_is_known_to_be_over(rig, at):
    """Its creation lies ahead of us now; that must not blind the Survey until then."""
    async with rig.open(rig.config(team(1, properties="participant_absent_timeout: 20m"))) as daemon:
        await rig.until(daemon, at + HOUR)
        rig.clock.set_wall(at - HOUR)
        await rig.until(daemon, at - HOUR + 5 * MINUTE)
        (room,) = rig.sandbox.rooms.values()
        rig.sandbox.shut(room.conversation_id, "participant_left_timeout")
        await rig.until(daemon, at - HOUR + 8 * MINUTE)
    (record,) = rig.records().values()
    assert (record.stage, record.reason) == ("ended", "left")


async def test_there_and_back_again_is_believed_sooner_or_later(rig, at):
    async with rig.open(rig.config(team(1))) as daemon:
        await rig.until(daemon, at + 0.5 * HOUR)
        rig.clock.set_wall(at + 12 * HOUR)
        await rig.quiet(daemon)
        rig.clock.set_wall(at + 0.5 * HOUR)
        await rig.until(daemon, at + HOUR + MINUTE)
    assert [r.lateness_s for r in rig.records().values() if r.stage == "live"] == [0.0]
    assert rig.holds() == []
    rig.clean()


async def test_while_held_nothing_is_begun_or_ended(rig, at):
    async with rig.open(rig.config(team(3))) as daemon:
        await rig.until(daemon, at + HOUR)
        before = rig.records()
        asked = len(rig.sandbox.requests)
        rig.clock.set_wall(at + 6 * HOUR)
        await rig.until(daemon, rig.clock.now() + 110)
        assert rig.records() == before
        assert len(rig.sandbox.requests) == asked
        assert daemon.turns < 40
        await rig.until(daemon, rig.clock.now() + 5 * MINUTE)
    assert {r.stage for r in rig.records().values()} == {"ended"}
    rig.clean()


@pytest.mark.parametrize("slot_in_s", [30.0, 90.0])
async def test_what_shuts_while_held_is_missed_for_that(rig, at, slot_in_s):
    """The clock jumps to shortly before a slot that can't wait; nobody knew of it when it jumped."""
    config = rig.config(team(1, at='"12:00"', extra="start_window: 10s"))
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + 0.5 * HOUR)
        rig.clock.set_wall(at + 5 * HOUR - slot_in_s)
        await rig.until(daemon, at + 5 * HOUR + 5 * MINUTE)
    assert [(r.stage, r.reason) for r in rig.records().values()] == [("missed", "clock_held")]
    rig.clean()


async def test_what_is_still_open_when_the_hold_is_lifted_is_created(rig, at):
    config = rig.config(team(1, at='"12:00"'))
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + 0.5 * HOUR)
        rig.clock.set_wall(at + 5 * HOUR - 60)
        await rig.until(daemon, at + 5 * HOUR + 2 * MINUTE)
    assert [(r.stage, r.lateness_s) for r in rig.records().values()] == [("live", 60.0)]
    rig.clean()


async def test_a_start_before_the_newest_fact_waits_two_minutes(rig, at):
    config = rig.config(team(1, at='["08:00", "08:10"]'))
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR + MINUTE)
    rig.clock.set_wall(at + 0.5 * HOUR)
    async with rig.open(config) as daemon:
        await rig.quiet(daemon)
        assert rig.holds() == ["clock_held"]
        await rig.until(daemon, at + 0.5 * HOUR + 121)
        assert rig.holds() == []
        await rig.until(daemon, at + 2 * HOUR)
    assert len(rig.asked("create")) == 2
    rig.clean()


async def test_a_start_lifts_the_hold(rig, at):
    config = rig.config(team(1))
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + 0.4 * HOUR)
        rig.clock.set_wall(at + 6 * HOUR)
        await rig.quiet(daemon)
    assert rig.holds() == ["clock_held"]
    rig.clock.set_wall(at + 0.5 * HOUR)
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR + MINUTE)
    assert rig.holds() == []
    assert [r.lateness_s for r in rig.records().values()] == [0.0]


async def test_a_reload_while_held_is_taken_up_afterwards(rig, at):
    async with rig.open(rig.config(team(1))) as daemon:
        await rig.until(daemon, at + 0.5 * HOUR)
        rig.clock.set_wall(at + 5 * HOUR)
        daemon.reload(rig.config(team(1, at='"12:05"')))
        await rig.until(daemon, at + 5 * HOUR + 6 * MINUTE)
    assert [r.stage for r in rig.records().values() if r.slot == "12:05"] == ["live"]
    rig.clean()
