"""The clocks, the bell, and whether the clocks agree.

The only room that reads the time or waits for it; every other room is given `now`. It decides
nothing: what is due, and what a held clock means for the account, is the daemon's.

A test that wants virtual time subclasses `Clock` and overrides all three methods: `now` and `boot`
return what the test set, and `sleep_until` moves them instead of waiting and returns `bell.take()`.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from jobs.model import Instant

JUMP_S = 2.0
"""A smaller change of wall against boot is slewing, or two readings a moment apart."""
HELD_FROM_S = 3 * 3600.0
"""Jumps of this much in all hold creation (S9)."""
AGREED_S = 120.0
"""Agreeing this long, the clocks are believed again (S9)."""


class Bell:
    """Look again now: a hint, never a fact. Rung twice before it is heard, it rang once.

    It belongs to one event loop: from another thread, ring it by `loop.call_soon_threadsafe`.
    """

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Let whoever listens look again."""
        self._rung.set()

    async def heard(self) -> None:
        """Wait until it has been rung; it goes on ringing until it is taken."""
        await self._rung.wait()

    def take(self) -> bool:
        """Whether it rang since it was last taken; it is quiet afterwards."""
        rang = self._rung.is_set()
        self._rung.clear()
        return rang


class Clock:
    """The machine's clocks, in seconds."""

    def now(self) -> Instant:
        """The wall clock: what schedules are written in. It may be set back or forward."""
        return self.machine()

    def machine(self) -> Instant:
        """What this machine's own wall clock shows."""
        return time.time()

    def boot(self) -> float:
        """Seconds since some fixed moment, never set, also counting while the machine is suspended."""
        # macOS has no CLOCK_BOOTTIME, but its CLOCK_MONOTONIC goes on during sleep.
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    def own(self, when: Instant) -> Instant:
        """What this machine's own wall clock shows at `when`: for what goes by that one (APScheduler)."""
        return when

    async def sleep_until(self, when: Instant | None, bell: Bell, at_most_s: float) -> bool:
        """Wait until `when` (None: no such time), the bell, or `at_most_s`, whichever comes first.

        True if the bell rang, which takes the ring. A wall clock set meanwhile is not noticed, so
        `at_most_s` also bounds how late a forward step is seen.
        """
        wait_s = at_most_s if when is None else min(at_most_s, when - self.now())
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, wait_s)):
                await bell.heard()
        return bell.take()


async def breathe() -> None:
    """Let everything else that is ready go first: long work is done in slices."""
    await asyncio.sleep(0)


class Jumps:
    """Whether the wall clock can be believed, from readings of wall and boot taken together (S9).

    Jumps add up until the clocks have agreed for two minutes, so two of two hours count as one of
    four, and there and back again as there. Slewing never adds up to a jump. All durations are
    measured on the boot clock.
    """

    def __init__(self, wall: Instant, boot: float) -> None:
        self._offset_s = self._believed_s = wall - boot
        self._agreed_boot_s = boot
        self.largest_s = 0.0
        """The furthest that the wall clock was from where it was last believed, either way."""

    def look(self, wall: Instant, boot: float) -> float:
        """Compare once more; the jump since the last look in seconds, back is negative, 0.0 is none."""
        before_s, self._offset_s = self._offset_s, wall - boot
        jump_s = self._offset_s - before_s
        if abs(jump_s) >= JUMP_S:
            self._agreed_boot_s = boot
            self.largest_s = max(self.largest_s, abs(self._offset_s - self._believed_s))
            return jump_s
        if boot - self._agreed_boot_s >= AGREED_S:
            self._believed_s, self.largest_s = self._offset_s, 0.0
        return 0.0

    @property
    def held(self) -> bool:
        """The wall clock jumped by three hours or more and hasn't agreed for two minutes since."""
        return self.largest_s >= HELD_FROM_S

    @property
    def agreed_since(self) -> Instant:
        """Since when the two have agreed, as the wall clock counts now: start-up, or the last jump."""
        return self._agreed_boot_s + self._offset_s


class SharedClock(Clock):
    """The time as somebody else tells it, the same for several machines: carried on by this machine's boot
    clock, so that setting its wall clock changes nothing. Until it is told for the first time it is the
    machine's own."""

    def __init__(self) -> None:
        self._offset_s = self.machine() - self.boot()
        self._told = False

    def now(self) -> Instant:
        """The time as it was last told, and as much as has passed since."""
        return self._offset_s + self.boot()

    def own(self, when: Instant) -> Instant:
        """What this machine's own wall clock shows then, as it goes now."""
        return when - self.now() + self.machine()

    def tell(self, time_there: Instant, asked_boot_s: float) -> None:
        """It was `time_there` between `asked_boot_s` and now, by the boot clock. Where that can't be, this
        clock moves no further than it must: told on a slow way, the moment isn't known well enough."""
        earliest_s, latest_s = time_there - self.boot(), time_there - asked_boot_s
        known_s = self._offset_s if self._told else (earliest_s + latest_s) / 2
        self._offset_s, self._told = min(max(known_s, earliest_s), latest_s), True
