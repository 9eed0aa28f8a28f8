"""Holds: creation stopped for the whole account, each told once with its way out.

A hold is a row of the ledger's, so it survives a restart; here it begins and ends, and is told. What calls
for one (a refused key, credits that ran out, a clock that jumped) is noticed elsewhere.
"""

from __future__ import annotations

from jobs.errors import Reason
from scheduler.clock import Clock
from scheduler.facts import MissReason
from scheduler.ledger import Ledger
from scheduler.telemetry import Telemetry

_WAY_OUT = {
    "denied": "the API key is not accepted; it is tried again every 5 minutes",
    "spent": "the account is out of credits; buy some, then send SIGHUP or start again",
    "clock_held": "the clock was set by hours or went back; it is believed again after two quiet minutes",
}


class Holding:
    """Begins and lifts holds; each change is one line."""

    def __init__(self, ledger: Ledger, clock: Clock, telemetry: Telemetry) -> None:
        self._ledger = ledger
        self._clock = clock
        self._telemetry = telemetry

    async def hold(self, reason: Reason | MissReason) -> None:
        """Nothing is created from now on: tell it once (S9, S14)."""
        if await self._ledger.hold(reason, self._clock.now()):
            self._telemetry.say("held", grave=True, reason=str(reason), detail=_WAY_OUT[str(reason)])

    async def lift(self, reason: Reason | MissReason) -> None:
        """As far as this reason is concerned, creation goes on."""
        if await self._ledger.lift(reason, self._clock.now()):
            self._telemetry.say("lifted", reason=str(reason))

    async def accepted(self) -> None:
        """The key is accepted again."""
        await self.lift(Reason.DENIED)
