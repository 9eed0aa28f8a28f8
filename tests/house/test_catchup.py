"""Away for a while: what is still open is created late, the rest is missed with its reason (S4)."""

from __future__ import annotations

import pytest

from tests.house.conftest import Crash
from tests.house.teams import team

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


async def _works(rig, config, until):
    async with rig.open(config) as daemon:
        await rig.until(daemon, until)


async def _away(rig, config, off, back, until):
    """Works, is off from `off` to `back`, then works until `until`."""
    await _works(rig, config, off)
    rig.clock.move(back)
    await _works(rig, config, until)


async def test_back_inside_the_window_creates_late(rig, at):
    slot = at + HOUR
    await _away(rig, rig.config(team(2)), slot - 2 * MINUTE, slot + 5 * MINUTE, slot + 6 * MINUTE)
    records = rig.records().values()
    assert {r.stage for r in records} == {"live"}
    assert {r.lateness_s for r in records} == {300.0}
    rig.clean()


async def test_back_at_the_windows_last_instant_still_creates(rig, at):
    slot = at + HOUR
    await _away(rig, rig.config(team(1)), slot - 2 * MINUTE, slot + 10 * MINUTE, slot + 11 * MINUTE)
    assert [r.lateness_s for r in rig.records().values()] == [600.0]


async def test_back_after_the_window_is_missed(rig, at):
    slot = at + HOUR
    await _away(rig, rig.config(team(2)), slot - 2 * MINUTE, slot + 10 * MINUTE + 1, slot + 20 * MINUTE)
    assert {(r.stage, r.reason) for r in rig.records().values()} == {("missed", "late")}
    assert rig.asked("create") == []
    rig.clean()


async def test_what_was_never_promised_and_is_shut_is_terminal_at_once(rig, at):
    """Off before the promise is written, back after its window: one row, never planned."""
    slot = at + HOUR
    await _away(rig, rig.config(team(1)), at + 10 * MINUTE, slot + HOUR, slot + HOUR + 1)
    ((key, kinds),) = rig.stories().items()
    assert kinds == ["missed"]
    assert rig.records()[key].reason == "late"
    rig.clean()


async def test_three_days_away_are_three_promises_missed(rig, at):
    await _away(rig, rig.config(team(2)), at + 2 * HOUR, at + 3 * DAY + 2 * HOUR, at + 4 * DAY)
    records = rig.records().values()
    assert sum(r.reason == "late" for r in records) == 3 * 2
    assert sum(r.stage == "ended" for r in records) == 2
    rig.clean()


async def test_ten_days_away_are_one_gap_row_with_the_count(rig, at):
    config = rig.config(team(2))
    await _away(rig, config, at + 2 * HOUR, at + 10 * DAY, at + 10 * DAY + 2 * HOUR)
    records = rig.records().values()
    gaps = [r for r in records if r.reason == "gap"]
    assert [(r.slot, r.date, r.participant) for r in gaps] == [("*", "2026-12-01", None)]
    assert sum(r.stage == "ended" for r in records) == 2 * 2
    assert len(records) == 2 * 2 + 1
    assert rig.promised_in_gaps() == [9 * 2]
    rig.clean()


async def test_days_that_nobody_was_promised_are_no_gap(rig, at):
    config = rig.config(team(2, extra="enabled: false"))
    await _away(rig, config, at + 2 * HOUR, at + 10 * DAY, at + 10 * DAY + 1)
    assert {r.reason for r in rig.records().values()} == {"disabled"}
    rig.clean()


async def test_ten_days_away_and_killed_while_catching_up(rig, at):
    """The absence is closed once, however often a start is broken off."""
    config = rig.config(team(2))
    await _works(rig, config, at + 2 * HOUR)
    rig.clock.move(at + 10 * DAY)
    for _ in range(2):
        with pytest.raises(Crash):
            async with rig.open(config) as daemon:
                await daemon._promising._close_absence(config.schedules, at + 2 * HOUR, rig.clock.now())
                raise Crash
    await _works(rig, config, at + 10 * DAY + 2 * HOUR)
    assert len(rig.promised_in_gaps()) == 1
    rig.clean()


async def test_a_new_ledger_begins_at_now(rig, at):
    """Born five minutes after the slot, inside its window: it promised nothing before its birth."""
    rig.clock.move(at + HOUR + 5 * MINUTE)
    await _works(rig, rig.config(team(1)), at + 3 * HOUR)
    assert rig.records() == {}


async def test_lateness_is_judged_again_at_the_claim(rig, at):
    """Planned in time, but no slot until the window is shut: the last turn claims nothing."""
    config = rig.config(
        team(2, extra="start_window: 1m"), "requests: 100/s, concurrent_conversations: 1, reserve: 0"
    )
    await _works(rig, config, at + 2 * HOUR)
    assert sorted(str(r.reason) for r in rig.records().values()) == ["absent", "no_capacity"]
    assert len(rig.asked("create")) == 1
    rig.clean()


@pytest.mark.parametrize(("off", "stage"), [(-31.0, "live"), (0.0, "live"), (1.0, "missed")])
async def test_a_start_window_of_nothing_means_never_late(rig, at, off, stage):
    slot = at + HOUR
    config = rig.config(team(1, extra="start_window: 0s"))
    await _away(rig, config, slot - 2 * MINUTE, slot + off, slot + 30)
    (record,) = rig.records().values()
    assert record.stage == stage
    assert (record.lateness_s or 0.0) == 0.0
    rig.clean()


async def test_a_second_start_on_the_same_day_repeats_nothing(rig, at):
    config = rig.config(team(3))
    for _ in range(5):
        await _works(rig, config, rig.clock.now() + 29 * MINUTE)
    assert len(rig.asked("create")) == 3
    assert {r.stage for r in rig.records().values()} == {"ended"}
    rig.clean()
