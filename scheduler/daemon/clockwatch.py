"""What a clock that jumps means: small steps are lateness, large ones stop everything (S9).

While the clock can't be believed no turn is made at all: on a wrong clock a promise would be called
missed, and a conversation ended, that isn't. Measuring the jump is the alarm's.
"""

from __future__ import annotations

from enum import Enum, auto

from jobs.model import Instant
from scheduler.alarm import Alarm
from scheduler.clock import AGREED_S
from scheduler.facts import MissReason
from scheduler.ledger import Ledger

BEFORE_NEWEST_S = 300.0
"""A now this much before what was already noted is not believed."""


class Trust(Enum):
    """Whether a turn may be made."""

    TRUSTED = auto()
    HELD = auto()
    LIFTED = auto()
    """Trusted again just now: what shut meanwhile was missed for the clock's sake."""


class ClockWatch:
    """Holds creation while the wall clock can't be believed."""

    def __init__(self, ledger: Ledger, alarm: Alarm) -> None:
        self._ledger = ledger
        self._alarm = alarm
        self._latest: Instant | None = None
        self.held = False

    async def begin(self) -> None:
        """A start lifts the hold, and looks anew (S9)."""
        await self._ledger.lift(MissReason.CLOCK_HELD, await self._ledger.newest_fact_at() or 0.0)
        self._latest = await self._ledger.newest_fact_at()

    async def look(self, now: Instant) -> Trust:
        """Compare the clocks; each turn begins with it."""
        self._alarm.look()
        back = self._latest is not None and now < self._latest - BEFORE_NEWEST_S
        if not self.held and not back and not self._alarm.jumps.held:
            self._latest = now
            return Trust.TRUSTED
        if not self.held:
            self.held = True
            await self._ledger.hold(MissReason.CLOCK_HELD, now)
            return Trust.HELD
        if now - self._alarm.jumps.agreed_since < AGREED_S or self._alarm.jumps.held:
            return Trust.HELD
        self.held = False
        self._latest = now
        await self._ledger.lift(MissReason.CLOCK_HELD, now)
        return Trust.LIFTED
