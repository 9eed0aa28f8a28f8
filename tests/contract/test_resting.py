"""The rest between two turns, in virtual time, under an alarm that never rings: it is never started."""

from __future__ import annotations

import pytest

from scheduler.alarm import Alarm
from scheduler.clock import Bell, Clock
from scheduler.daemon.resting import BREATH_S, OWED_S, REST_S, Resting
from scheduler.telemetry import Telemetry


class Virtual(Clock):
    """Time passes by waiting alone."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def machine(self) -> float:
        return 1_000.0 + self.passed_s

    def boot(self) -> float:
        return self.passed_s

    async def sleep_until(self, when: float | None, bell: Bell, at_most_s: float) -> bool:
        if not (rang := bell.take()):
            self.passed_s += max(0.0, at_most_s if when is None else min(at_most_s, when - self.now()))
        return rang


@pytest.fixture
def clock() -> Virtual:
    return Virtual()


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def alarm(clock: Virtual, bell: Bell) -> Alarm:
    return Alarm(clock, bell)


@pytest.fixture
def resting(alarm: Alarm, clock: Virtual, bell: Bell) -> Resting:
    return Resting(alarm, clock, bell, Telemetry())


@pytest.mark.parametrize("due_s", [-100.0, 0.0, 5.0, 12.0])
async def test_a_ring_that_is_owed_is_not_waited_for(resting, clock, alarm, due_s):
    await resting.rest(clock.now() + due_s, lambda: False)
    assert clock.passed_s == pytest.approx(max(0.0, due_s) + OWED_S)
    assert alarm.revived == 1


async def test_without_a_due_time_a_silent_alarm_is_revived_again_and_again(resting, clock, alarm):
    await resting.rest(None, lambda: clock.passed_s >= 3 * REST_S)
    assert (clock.passed_s, alarm.revived) == (3 * REST_S, 3)


async def test_a_ring_ends_it_after_a_breath(resting, clock, bell, alarm):
    bell.ring()
    await resting.rest(clock.now() + 5.0, lambda: False)
    assert (clock.passed_s, alarm.revived) == (BREATH_S, 0)
