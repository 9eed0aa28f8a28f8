"""The clock waits for the bell or the time, and Jumps tells a jump from slewing, in virtual time."""

from __future__ import annotations

import asyncio
import math

import pytest

from scheduler.clock import Bell, Clock, Jumps, SharedClock

LONG_S = 60.0
HOUR_S = 3600.0


async def test_a_bell_rung_before_the_wait_is_heard_once():
    bell, clock = Bell(), Clock()
    bell.ring()
    bell.ring()
    assert await clock.sleep_until(None, bell, LONG_S)
    assert not bell.take()


async def test_a_bell_rung_during_the_wait_ends_it():
    bell, clock = Bell(), Clock()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        sleeper = tasks.create_task(clock.sleep_until(clock.now() + LONG_S, bell, LONG_S))
        tasks.create_task(asyncio.to_thread(asyncio.get_running_loop().call_soon_threadsafe, bell.ring))
    assert sleeper.result()


@pytest.mark.parametrize("when", [-math.inf, 0.0, math.inf, None])
async def test_a_wait_ends_by_itself_whatever_the_instant(when):
    async with asyncio.timeout(5):
        assert not await Clock().sleep_until(when, Bell(), 0.001)


async def test_the_instant_comes_before_the_longest_rest():
    clock = Clock()
    async with asyncio.timeout(5):
        assert not await clock.sleep_until(clock.now() + 0.001, Bell(), LONG_S)


def test_both_clocks_go_forward():
    clock = Clock()
    assert clock.boot() <= clock.boot()
    assert clock.now() > 1.7e9


class Machine:
    """Two clocks that a test sets, and the Jumps that looks at them every 15 s."""

    def __init__(self) -> None:
        self.wall, self.boot = 1_800_000_000.0, 500.0
        self.jumps = Jumps(self.wall, self.boot)

    def run(self, seconds: float, slewed_s: float = 0.0) -> list[float]:
        """Let time pass; every jump that was told of."""
        told = []
        for _ in range(int(seconds / 15)):
            self.boot += 15
            self.wall += 15 + slewed_s
            told.append(self.jumps.look(self.wall, self.boot))
        return [jump_s for jump_s in told if jump_s]


def test_time_that_passes_is_no_jump_and_neither_is_suspension_or_slewing():
    machine = Machine()
    since = machine.jumps.agreed_since
    assert machine.run(HOUR_S) == []
    machine.wall += 9 * HOUR_S
    machine.boot += 9 * HOUR_S  # the lid was shut: both went on
    assert machine.run(15) == []
    assert machine.jumps.agreed_since == since
    assert machine.run(72 * HOUR_S, slewed_s=1.0) == []
    assert not machine.jumps.held


@pytest.mark.parametrize("jump_s", [3 * HOUR_S, -3 * HOUR_S, 56 * 365 * 24 * HOUR_S])
def test_three_hours_either_way_hold_until_the_clocks_agreed_for_two_minutes(jump_s):
    machine = Machine()
    machine.run(60)
    machine.wall += jump_s
    assert machine.run(15) == [pytest.approx(jump_s)]
    assert machine.jumps.held
    assert machine.jumps.agreed_since == machine.wall
    machine.run(105)
    assert machine.jumps.held
    machine.run(15)
    assert not machine.jumps.held
    assert machine.jumps.largest_s == 0.0


def test_less_is_told_but_not_held():
    machine = Machine()
    machine.wall += 3 * HOUR_S - 60
    assert len(machine.run(15)) == 1
    assert not machine.jumps.held
    assert machine.jumps.largest_s == pytest.approx(3 * HOUR_S - 60)


def test_jumps_add_up_until_they_are_believed():
    machine = Machine()
    for _ in range(2):
        machine.wall += 2 * HOUR_S
        machine.run(60)
    assert machine.jumps.held
    machine.run(120)
    machine.wall += 2 * HOUR_S
    machine.run(15)
    assert not machine.jumps.held


def test_there_and_back_again_is_held_from_the_way_back():
    machine = Machine()
    machine.wall += 5 * HOUR_S
    machine.run(90)
    machine.wall -= 5 * HOUR_S
    machine.run(90)
    assert machine.jumps.held
    machine.run(45)
    assert not machine.jumps.held


# --- the time as somebody else tells it -----------------------------------------------------------------


class SteppedClock(SharedClock):
    """A machine whose clocks a test sets."""

    def __init__(self) -> None:
        self.wall, self.since_boot = 1_000_000.0, 50.0
        super().__init__()

    def boot(self) -> float:
        return self.since_boot

    def machine(self) -> float:
        return self.wall


def test_it_shows_what_it_was_told_and_what_has_passed_since() -> None:
    clock = SteppedClock()
    assert clock.now() == 1_000_000.0
    clock.since_boot += 0.02
    clock.tell(1_000_100.0, asked_boot_s=50.0)
    assert clock.now() == pytest.approx(1_000_100.01)
    clock.since_boot += 7
    assert clock.now() == pytest.approx(1_000_107.01)


def test_a_machine_whose_clock_is_set_still_knows_the_time() -> None:
    clock = SteppedClock()
    clock.tell(1_000_100.0, asked_boot_s=50.0)
    clock.wall -= 86_400
    assert clock.now() == 1_000_100.0
    assert clock.own(1_000_130.0) == clock.wall + 30


def test_what_is_told_slowly_moves_it_no_further_than_it_must() -> None:
    clock = SteppedClock()
    clock.since_boot += 3
    clock.tell(2_000_000.0, asked_boot_s=50.0)
    assert clock.now() == pytest.approx(2_000_001.5)
    clock.since_boot += 3
    clock.tell(2_000_003.5, asked_boot_s=53.0)
    assert clock.now() == pytest.approx(2_000_004.5)
    clock.since_boot += 3
    clock.tell(2_000_500.0, asked_boot_s=56.0)
    assert clock.now() == pytest.approx(2_000_500.0)
    clock.since_boot += 3
    clock.tell(2_000_000.0, asked_boot_s=59.0)
    assert clock.now() == pytest.approx(2_000_003.0)


def test_it_is_not_moved_by_less_than_the_way_there_may_have_taken() -> None:
    clock = SteppedClock()
    clock.tell(1_000_100.0, asked_boot_s=50.0)
    clock.since_boot += 0.02
    clock.tell(1_000_100.015, asked_boot_s=50.0)
    assert clock.now() == pytest.approx(1_000_100.02)
