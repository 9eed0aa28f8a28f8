"""What a clock that jumps means: small steps are lateness, large ones stop everything (S9).

While the clock can't be believed no turn is made at all: on a wrong clock a promise would be called
missed, and a conversation ended, that isn't. Measuring the jump is the alarm's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum, auto

from jobs.model import Instant
from scheduler.alarm import Alarm
from scheduler.clock import AGREED_S
from scheduler.facts import MissReason
from scheduler.ledger import Ledger

BEFORE_NEWEST_S = 300.0
"""A now this much before what was already noted is not believed."""

Change = Callable[[MissReason], Awaitable[None]]
"""Begins or lifts a hold, and tells it."""


class Trust(Enum):
    """Whether a turn may be made."""

    TRUSTED = auto()
    HELD = auto()
    LIFTED = auto()
    """Trusted again just now: what shut meanwhile was missed for the clock's sake."""


class ClockWatch:
    """Holds creation while the wall clock can't be believed; `held` is whether it does, `since` when it last
    began to."""

    def __init__(self, ledger: Ledger, alarm: Alarm, hold: Change, lift: Change) -> None:
        self._ledger = ledger
        self._alarm = alarm
        self._hold = hold
        self._lift = lift
        self._latest: Instant = 0.0
        self.held = False
        self.since: Instant = 0.0

    async def begin(self) -> None:
        """A start lifts the hold, and looks anew (S9)."""
        self._latest = await self._ledger.newest_fact_at() or 0.0
        await self._ledger.lift(MissReason.CLOCK_HELD, self._latest)

    async def look(self, now: Instant) -> Trust:
        """Compare the clocks; each turn begins with it."""
        self._alarm.look()
        if self.held:
            return await self._look_again(now)
        if self._alarm.jumps.held or await self._is_before_newest(now):
            await self._hold(MissReason.CLOCK_HELD)
            self.held, self.since = True, now
            return Trust.HELD
        self._latest = now
        return Trust.TRUSTED

    def believed_at(self, now: Instant) -> Instant:
        """While it is held: when it will be believed again, if it goes on as it does."""
        return max(now + 1.0, self._alarm.jumps.agreed_since + AGREED_S)

    async def _look_again(self, now: Instant) -> Trust:
        jumps = self._alarm.jumps
        if jumps.held or now - jumps.agreed_since < AGREED_S:
            return Trust.HELD
        await self._lift(MissReason.CLOCK_HELD)
        self.held, self._latest = False, now
        return Trust.LIFTED

    async def _is_before_newest(self, now: Instant) -> bool:
        """The ledger is asked only when the clock has gone back since the last look."""
        if now >= self._latest - BEFORE_NEWEST_S:
            return False
        newest = await self._ledger.newest_fact_at()
        return newest is not None and now < newest - BEFORE_NEWEST_S
