"""Which links go out now: every delivery that is due, each for itself.

So many at once for each route, those whose link dies soonest first: a channel that is slow or hangs holds up
no other one. A route that our own set-up keeps closed (a password that is not accepted) is told once, and
tried by one delivery a minute until it is open again. Whether a link is still alive, and when it is tried
again, is the lifecycle's; how it is handed over is the channel's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from jobs.errors import Blame, Reason
from jobs.model import Address, Delivered, Instant
from scheduler import policy
from scheduler.clock import Clock
from scheduler.engine import Engine
from scheduler.facts import Fact, Failed
from scheduler.ledger import LedgerError, Link
from scheduler.telemetry import Telemetry

IN_HAND_MAX = 200
"""Deliveries in hand for one route: enough to keep its connections busy from turn to turn. Those that are in
hand wait in the channel's own line, where nobody overtakes; the rest waits in the ledger, soonest first."""


class Delivering:
    """Starts deliveries; `next_at` is when a closed route is tried again."""

    def __init__(self, engine: Engine, clock: Clock, telemetry: Telemetry) -> None:
        self._engine = engine
        self._clock = clock
        self._telemetry = telemetry
        self._busy: Counter[Address] = Counter()
        self._closed: dict[Address, Instant] = {}
        self.next_at: Instant | None = None

    async def start(self, links: Sequence[Link], now: Instant) -> None:
        """Start what is due, as far as its route allows."""
        if chosen := list(self.ready(links, now)):
            routes = [address.route for _, address in chosen]
            self._busy.update(routes)
            try:
                await self._engine.deliver(chosen, self._done)
            except LedgerError:
                self._busy.subtract(routes)
                raise
        self.next_at = min((at for at in self._closed.values() if at > now), default=None)

    def ready(self, links: Sequence[Link], now: Instant) -> Iterator[tuple[str, Address]]:
        """Those that can be started now. A dead link takes nobody's place: it is only given up."""
        free = dict[Address, int]()
        for key, address, not_after in links:
            if (key, address) in self._engine:
                continue
            route = address.route
            left = free[route] if route in free else self._free(route, now)
            if left > 0 or not_after < now:
                yield key, address
            free[route] = left if not_after < now else left - 1

    def reopen(self) -> None:
        """The set-up has changed: every route is tried at once."""
        self._closed.clear()

    def _free(self, route: Address, now: Instant) -> int:
        closed_until = self._closed.get(route)
        if closed_until is None:
            return IN_HAND_MAX - self._busy[route]
        return 1 if closed_until <= now and not self._busy[route] else 0

    def _done(self, address: Address, fact: Fact | None) -> None:
        self._busy[address.route] -= 1
        self._learn(address, fact)

    def _learn(self, address: Address, fact: Fact | None) -> None:
        """A refusal is one letter's; a route is closed when our set-up keeps everybody's from going."""
        route = address.route
        place = route.place or None
        if isinstance(fact, Delivered) and self._closed.pop(route, None) is not None:
            self._telemetry.say("channel_open", channel=address.channel, place=place)
        if not isinstance(fact, Failed) or fact.blame is not Blame.SETUP or fact.reason is Reason.REFUSED:
            return
        if route not in self._closed:
            detail = f"{fact.detail}; one message a minute tries again, and all do at once on SIGHUP"
            told = {"channel": address.channel, "place": place, "detail": detail}
            self._telemetry.say("channel_closed", grave=True, **told)
        self._closed[route] = self._clock.now() + policy.CHANNEL_PROBE_S
