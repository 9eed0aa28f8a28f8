"""This process among the workers of one ledger: on their list, leading or not, and allowed to send or not.

Its signs of life renew a lease by the database's clock, which is also how it knows the time. Whoever was
stopped for longer than its lease finds that out by its own boot clock before it sends anything, and by the
epoch before it writes anything as the leader. What a leader does is not known here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import NamedTuple

from scheduler.clock import Bell, SharedClock
from scheduler.ledger import LedgerUnavailable
from scheduler.ledger.driver import Driver
from scheduler.ledger.shared import lead
from scheduler.ledger.shared.wire import Beat, Wire
from scheduler.ledger.shared.workers import LEASE_S
from scheduler.vitals import Crewed

BEAT_S = 1.0
"""Between two signs of life: four may be lost before the lease is."""

LEAD = "lead"
"""What workers are called with when the lead is free."""

AGAIN_S = 0.5
"""Before a wire that broke is tried again."""


class Name(NamedTuple):
    """What people know this process by: machine and process id, and the program's version."""

    name: str
    version: str


class Member:
    """One worker. `id` is new each time it comes onto the list, so that nothing of a former stay is taken for
    its own; `epoch` is that of its lead, 0 while another one leads; `others` is how many more live. `in_hand`
    tells how many steps it carries out, for its signs of life."""

    def __init__(self, wire: Wire, clock: SharedClock, name: Name) -> None:
        self._wire = wire
        self._clock = clock
        self._name = name
        self._changed: list[Callable[[], None]] = []
        self._lost: list[Callable[[str], None]] = []
        self._now = Bell()
        self._lease_boot_s = 0.0
        self._candidate = True
        self.in_hand: Callable[[], int] = lambda: 0
        self._acting = ("", 0)
        self.id = ""
        self.epoch = 0
        self.others = 0
        self.away = False
        self.listed = False

    @property
    def crewed(self) -> Crewed:
        """How it stands among the others."""
        return Crewed(self._name.name, leads=bool(self.epoch), others=self.others, away=self.away)

    def may_send(self, worker: str) -> bool:
        """Whether a request of this stay may go out now: its lease runs, by a clock that nobody sets."""
        return worker == self.id and self._clock.boot() < self._lease_boot_s

    def act(self) -> None:
        """From now on what is written as the leader is written in the present epoch, and in no later one:
        what was decided in one term must not be written in another."""
        self._acting = (self.id, self.epoch)

    def check(self, driver: Driver) -> None:
        """Raise LedgerFenced, inside a transaction, unless this process leads in the epoch it acts in."""
        lead.check(driver, *self._acting)

    def watch(self, listener: Callable[[], None]) -> None:
        """Call `listener` when there may be something to look at: a lead that came or went, workers that came
        or died, a database that is away or back."""
        self._changed.append(listener)

    def watch_lost(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the name of each worker that this one, while it leads, takes for dead."""
        self._lost.append(listener)

    def lost(self, names: Sequence[str]) -> None:
        """These were taken off the list, since their leases were over."""
        for name in names:
            for listener in self._lost:
                listener(name)

    def look_now(self) -> None:
        """Give a sign of life at once: something is said to have changed."""
        self._now.ring()

    async def beat(self) -> None:
        """One sign of life; lead, if nobody else does. Raises LedgerUnavailable."""
        asked_boot_s = self._clock.boot()
        beat = await self._wire.beat(self.id, self.epoch, self.in_hand())
        self._clock.tell(beat.now, asked_boot_s)
        self.listed = beat.listed
        if not beat.listed:
            await self._join()
            return
        self._lease_boot_s = asked_boot_s + LEASE_S
        epoch = await self._lead(beat)
        changed = epoch != self.epoch or self.others != beat.others or beat.lapsed > 0 or self.away
        self.epoch, self.others, self.away = epoch, beat.others, False
        if changed:
            self._ring()

    async def beating(self) -> None:
        """Signs of life, for ever; what can't be given is given again soon."""
        while True:
            try:
                await self.beat()
            except LedgerUnavailable:
                self._go_away()
            await self._clock.sleep_until(None, self._now, AGAIN_S if self.away else BEAT_S)

    async def resign(self) -> None:
        """Never lead again, and let another one lead at once."""
        self._candidate, epoch, self.epoch = False, self.epoch, 0
        if epoch:
            self._ring()
            await self._wire.resign(self.id, epoch)
            await self._wire.call([LEAD])

    async def leave(self) -> None:
        """Off the list."""
        await self.resign()
        await self._wire.leave(self.id)

    def _go_away(self) -> None:
        if not self.away:
            self.away = True
            self._ring()

    async def _join(self) -> None:
        """Onto the list, under a new name: whatever was taken under the old one has been given up."""
        led = self.epoch
        self.id, self.epoch, self._lease_boot_s = secrets.token_hex(8), 0, 0.0
        if led:
            self._ring()
        await self._wire.join(self.id, *self._name)
        self._now.ring()

    async def _lead(self, beat: Beat) -> int:
        if beat.leads:
            return self.epoch
        return await self._wire.lead(self.id) if beat.vacant and self._candidate else 0

    def _ring(self) -> None:
        for listener in self._changed:
            listener()
