"""The alarm with the real AsyncIOScheduler: it rings when told, ticks, and notices jumps."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator

import pytest

from scheduler.alarm import Alarm
from scheduler.clock import Bell, Clock

HOUR_S = 3600.0


class SetClock(Clock):
    """The machine's clock, whose wall a test can set."""

    def __init__(self) -> None:
        self.set_by_s = 0.0

    def now(self) -> float:
        return super().now() + self.set_by_s


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
async def alarm(clock: SetClock, bell: Bell) -> AsyncIterator[Alarm]:
    alarm = Alarm(clock, bell)
    alarm.start()
    yield alarm
    alarm.stop()


async def rings(bell: Bell) -> bool:
    async with asyncio.timeout(5):
        await bell.heard()
    return bell.take()


async def loop_rounds(count: int = 20) -> None:
    """Let everything that is due at once happen."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_it_rings_at_the_instant_and_can_be_armed_again(alarm, clock, bell):
    for _ in range(3):
        wanted = clock.now() + 0.01
        alarm.wake_at(wanted)
        assert await rings(bell)
        assert clock.now() >= wanted


@pytest.mark.parametrize("past", [-math.inf, -1e15, 0.0, 1_000_000_000.0])
async def test_it_rings_at_once_for_an_instant_that_is_past(alarm, bell, past):
    alarm.wake_at(past)
    assert await rings(bell)


@pytest.mark.parametrize("far", [1e11, 1e300, math.inf, math.nan, None])
async def test_a_later_wish_replaces_an_earlier_one_however_far_away(alarm, clock, bell, far):
    alarm.wake_at(clock.now() + 0.02)
    alarm.wake_at(far)
    assert not await clock.sleep_until(clock.now() + 0.05, bell, 1.0)
    alarm.wake_at(clock.now())
    assert await rings(bell)


async def test_ticks_come_by_themselves_and_one_after_a_jump_rings(clock, bell):
    alarm = Alarm(clock, bell, tick_s=0.005)
    alarm.start()
    alarm.wake_at(clock.now() + 0.1)
    assert await rings(bell)
    assert alarm.ticks
    assert not await clock.sleep_until(clock.now() + 0.02, bell, 1.0)
    clock.set_by_s = -HOUR_S
    assert await rings(bell)
    alarm.stop()


async def test_a_tick_after_a_jump_rings_and_says_how_far(alarm, clock, bell):
    clock.set_by_s = -4 * HOUR_S
    alarm.revive()
    assert await rings(bell)
    assert alarm.jumps.held
    assert alarm.jumps.largest_s == pytest.approx(4 * HOUR_S, abs=5)


async def test_looking_finds_the_jump_before_the_tick_does(alarm, clock):
    assert alarm.look() == 0.0
    clock.set_by_s = HOUR_S
    assert alarm.look() == pytest.approx(HOUR_S, abs=5)
    assert alarm.look() == 0.0


async def test_reviving_ticks_at_once_and_is_counted(alarm):
    for revived in (1, 2):
        alarm.revive()
        await loop_rounds()
        assert (alarm.ticks, alarm.revived) == (revived, revived)


async def test_before_the_start_and_after_the_stop_it_does_nothing(clock, bell):
    alarm = Alarm(clock, bell)
    alarm.wake_at(0.0)
    alarm.start()
    alarm.wake_at(clock.now() + 0.01)
    alarm.stop()
    alarm.stop()
    alarm.wake_at(0.0)
    alarm.revive()
    assert not await clock.sleep_until(clock.now() + 0.03, bell, 1.0)
    assert alarm.ticks == 0


async def test_it_can_be_started_again(clock, bell):
    alarm = Alarm(clock, bell)
    for _ in range(2):
        alarm.start()
        alarm.wake_at(0.0)
        assert await rings(bell)
        alarm.stop()


async def test_apschedulers_chatter_is_silent_and_its_errors_are_not(alarm, bell, caplog):
    caplog.set_level(logging.DEBUG)
    alarm.wake_at(0.0)
    assert await rings(bell)
    await loop_rounds()
    assert caplog.records == []
    logging.getLogger("apscheduler.executors.default").error("heard")
    assert [record.message for record in caplog.records] == ["heard"]


@pytest.mark.parametrize("rounds", range(6))
async def test_stopping_while_it_is_about_to_ring_is_no_error(clock, bell, caplog, rounds):
    alarm = Alarm(clock, bell)
    alarm.start()
    alarm.wake_at(clock.now())
    await loop_rounds(rounds)
    alarm.stop()
    await loop_rounds()
    assert caplog.records == []
