"""Between two turns: a rest until the next is due or somebody rings, under an alarm that is itself looked at.

It decides nothing about turns, and holds no promise: a rest that ends too soon does no harm (semantics,
section 6).
"""

from __future__ import annotations

from collections.abc import Callable

from jobs.model import Instant
from scheduler.alarm import Alarm
from scheduler.clock import Bell, Clock
from scheduler.telemetry import Telemetry

BREATH_S = 0.02
"""Between a ring and its turn, unless something is due sooner (or the ring was for that): hundreds of steps
that end together are seen by one turn."""

REST_S = 30.0
"""The longest rest without a look at the alarm (semantics, section 6)."""

OWED_S = 2.0
"""An alarm that hasn't rung so long after it should have won't: the machine's clock was set back, and it goes
by that one, though others may not (S9)."""


class Resting:
    """Rests for the daemon."""

    def __init__(self, alarm: Alarm, clock: Clock, bell: Bell, telemetry: Telemetry) -> None:
        self._alarm = alarm
        self._clock = clock
        self._bell = bell
        self._telemetry = telemetry

    async def rest(self, next_at: Instant | None, stopped: Callable[[], bool]) -> None:
        """Until `next_at`, a ring, or the end."""
        self._alarm.wake_at(next_at)
        owed_at = None if next_at is None else max(next_at, self._clock.now()) + OWED_S
        while not stopped():
            ticks = self._alarm.ticks
            if await self._clock.sleep_until(owed_at, self._bell, REST_S):
                await self._clock.sleep_until(next_at, Bell(), BREATH_S)
                return
            owes = owed_at is not None and owed_at <= self._clock.now()
            if owes or self._alarm.ticks == ticks:
                self._alarm.revive()
                self._telemetry.say("alarm_revived", grave=True, times=self._alarm.revived)
            if owes:
                return
