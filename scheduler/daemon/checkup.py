"""The house looks at itself: its vitals, and whether the ledger takes what is written.

Only reads, and so cheap that anybody may ask; the daemon turns as if nobody did. What is healthy is said in
`scheduler.vitals`.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from jobs.model import Instant
from scheduler.alarm import Alarm
from scheduler.clock import Clock
from scheduler.daemon.clockwatch import ClockWatch
from scheduler.daemon.promising import Promising
from scheduler.engine import Engine
from scheduler.ledger import Ledger, LedgerError
from scheduler.limits import Limits
from scheduler.model import Config
from scheduler.vitals import Vitals

PATIENCE_S = 2.0
"""A ledger that takes longer than this to answer is as good as none."""


class Turning(Protocol):
    """What of the daemon is looked at."""

    config: Config
    begun: bool
    stopping: bool
    unwritable: bool
    turns: int
    turned_at: Instant | None

    @property
    def engine(self) -> Engine:
        """Who carries its steps out."""

    @property
    def in_hand(self) -> int:
        """How many steps run now."""


class Checkup:
    """Asked at any time, from the daemon's own loop."""

    def __init__(
        self,
        daemon: Turning,
        ledger: Ledger,
        clock: Clock,
        alarm: Alarm,
        limits: Limits,
        clockwatch: ClockWatch,
        promising: Promising,
    ) -> None:
        self._daemon = daemon
        self._ledger = ledger
        self._clock = clock
        self._alarm = alarm
        self._limits = limits
        self._clockwatch = clockwatch
        self._promising = promising

    def vitals(self) -> Vitals:
        """How the house is doing now."""
        daemon, now, account = self._daemon, self._clock.now(), self._daemon.config.account
        return Vitals(
            at=now,
            begun=daemon.begun,
            stopping=daemon.stopping,
            writable=not daemon.unwritable,
            clock_held=self._clockwatch.held,
            clock_step_s=self._alarm.jumps.largest_s,
            tick_age_s=self._alarm.tick_age_s,
            ticks=self._alarm.ticks,
            revived=self._alarm.revived,
            turns=daemon.turns,
            turned_at=daemon.turned_at,
            in_hand=daemon.in_hand,
            cap=account.concurrent_conversations - account.reserve,
            rate=account.requests.count,
            counted=self._limits.in_window(now),
            penalty_s=max(0.0, (self._limits.held_until or now) - now),
            shut=self._limits.shut,
            next_due=self._promising.next_due,
            crew=daemon.engine.crewed,
        )

    async def writable(self) -> bool:
        """Whether the ledger can be locked for writing now, and took what was last written."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._ledger.newest_fact_at()
        except (LedgerError, TimeoutError):
            return False
        return not self._daemon.unwritable
