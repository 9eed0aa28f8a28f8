"""Once a day, what is old is forgotten, if `service.keep` says so: in small transactions, beside the turns.

It is an errand of the daemon, begun by a tick of the alarm. It takes no part in turns, waits for nothing that
a turn waits for, and what counts as over is the ledger's to say.
"""

from __future__ import annotations

from scheduler.clock import Bell, Clock
from scheduler.daemon.daemon import Daemon
from scheduler.facts import MissReason
from scheduler.ledger import Ledger, LedgerError
from scheduler.ledger.pruning import prune
from scheduler.telemetry import Telemetry

EVERY_S = 86_400.0
BREATH_S = 0.05
"""Between two transactions, for whoever waits for the ledger."""


class Pruning:
    """Forgets what has been over for `keep_s`. Give its `tick` to the daemon's ticks."""

    def __init__(
        self, ledger: Ledger, daemon: Daemon, clock: Clock, telemetry: Telemetry, keep_s: float
    ) -> None:
        self._ledger = ledger
        self._daemon = daemon
        self._clock = clock
        self._telemetry = telemetry
        self._keep_s = keep_s
        self._next_boot_s = 0.0

    def tick(self) -> None:
        """Begin, if a day has passed since the last time; at the first tick of a house, too. Of several
        workers the one that leads does it."""
        due = self._clock.boot() >= self._next_boot_s
        if due and self._daemon.engine.term and not self._daemon.stopping:
            self._next_boot_s = self._clock.boot() + EVERY_S
            self._daemon.errand(self.once())

    async def once(self) -> None:
        """Forget what is old by now, unless the clock can't be believed."""
        now = self._clock.now()
        try:
            if any(hold.reason == MissReason.CLOCK_HELD for hold in await self._daemon.holds()):
                return
            total = await prune(self._ledger, now - self._keep_s, now, self._go_on)
        except LedgerError as error:
            self._telemetry.say("prune_failed", grave=True, detail=str(error))
            return
        if any(total):
            self._telemetry.say("pruned", **total._asdict())

    async def _go_on(self) -> bool:
        await self._clock.sleep_until(None, Bell(), BREATH_S)
        return not self._daemon.stopping
