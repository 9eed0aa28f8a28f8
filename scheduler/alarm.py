"""APScheduler as an alarm clock: it rings the bell, and never does work (semantics, section 6b).

Two jobs: `wake` rings when the next promise is due, `tick` looks at the clocks every 15 s and so
shows that the alarm lives. No job is stored, none touches the outside world, and losing one only
means that the daemon wakes by its own longest rest: it then finds `ticks` unchanged and calls
`revive`. What a jump of the clock means is decided elsewhere (`clock.Jumps`, the daemon).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from jobs.model import Instant
from scheduler.clock import Bell, Clock, Jumps

TICK_S = 15.0

AT_ONCE: Instant = 0.0
END_OF_TIME: Instant = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
"""The far side of what a DateTrigger can be armed with; a later wish rings then."""


class Alarm:
    """Rings `bell` at an instant, and after a jump of the wall clock. Until it is started, and once
    it is stopped, it can be called but does nothing.

    `ticks` counts the ticks since the beginning, `revived` the calls of `revive`.
    """

    def __init__(self, clock: Clock, bell: Bell, tick_s: float = TICK_S) -> None:
        self._clock = clock
        self._bell = bell
        self._tick_s = tick_s
        self._scheduler: AsyncIOScheduler | None = None
        self._listeners: list[Callable[[], None]] = []
        self.jumps = Jumps(clock.now(), clock.boot())
        self.ticks = 0
        self.revived = 0
        self._ticked_boot: float | None = None

    @property
    def tick_age_s(self) -> float | None:
        """How long ago it ticked, or was started, whatever was done to the wall clock; `None` before that."""
        return None if self._ticked_boot is None else self._clock.boot() - self._ticked_boot

    def start(self) -> None:
        """Begin to tick, on the running event loop."""
        # It tells of every job added, run and removed; its warnings and errors stay.
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            # A wake that follows the last one at once isn't skipped with a warning: ringing takes no time.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 100},
        )
        self._scheduler.start()
        self._ticked_boot = self._clock.boot()
        self._arm("tick", self._tick, self._clock.now() + self._tick_s)

    def stop(self) -> None:
        """Ring no more. What APScheduler holds is released in the loop's next round."""
        if self._scheduler is not None:
            self._scheduler.pause()  # what it began between now and then would be cancelled with a traceback
            self._scheduler.shutdown(wait=False)
        self._scheduler = None

    def wake_at(self, when: Instant | None) -> None:
        """Ring at `when` instead of when it was last told: at once if it is past; None: not at all."""
        if when is not None:
            self._arm("wake", self._wake, when)
        elif self._scheduler is not None and self._scheduler.get_job("wake") is not None:
            self._scheduler.remove_job("wake")

    def each_tick(self, listener: Callable[[], None]) -> None:
        """Call this at each tick: for what may only go on while the house lives."""
        self._listeners.append(listener)

    def look(self) -> float:
        """Compare the clocks now (each turn begins with it); the jump in seconds, 0.0 for none."""
        return self.jumps.look(self._clock.now(), self._clock.boot())

    def revive(self) -> None:
        """No tick came when one should have: wake APScheduler up, and tick at once."""
        self.revived += 1
        # After the wall clock was set back the tick is due only when it has caught up again.
        self._arm("tick", self._tick, AT_ONCE)
        if self._scheduler is not None:
            self._scheduler.wakeup()

    def _arm(self, name: str, ring: Callable[[], Awaitable[None]], when: Instant) -> None:
        if self._scheduler is None:
            return
        at = datetime.fromtimestamp(max(AT_ONCE, min(END_OF_TIME, self._clock.own(when))), UTC)
        self._scheduler.add_job(ring, DateTrigger(at, UTC), id=name, replace_existing=True)

    async def _wake(self) -> None:
        self._bell.ring()

    async def _tick(self) -> None:
        # Not an interval trigger: that lists every run missed in a jump, one by one, a year is two
        # million, before it coalesces them.
        self._arm("tick", self._tick, self._clock.now() + self._tick_s)
        self.ticks += 1
        self._ticked_boot = self._clock.boot()
        if self.look():
            self._bell.ring()
        for listener in self._listeners:
            listener()
