"""The engine of one process: each step is a task of its own, begun as soon as it is admitted.

It goes with the process: what was in hand is taken up by the next start from the ledger alone. It knows of no
other process, and works on any ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jobs.model import Address, Instant
from scheduler.clock import breathe
from scheduler.engine.engine import Delivered, Parts
from scheduler.engine.hands import Place
from scheduler.facts import Fact
from scheduler.ledger import Outgoing
from scheduler.limits import Lane
from scheduler.record import Record
from scheduler.runner import Grant

CLAIM_MAX = 10_000
"""Claims in one transaction at most: bounds how long every note waits behind it, 0.15 s or so."""

STARTS_MAX = 100
"""Started in one round of the loop: thousands at once would stall it."""


class Embedded:
    """Carries out steps in this process."""

    term = 1
    crewed = None
    next_at = None

    def __init__(self, parts: Parts) -> None:
        self._ledger, self._runner, self._limits, self._clock, self._hands = parts

    def listen(self, listener: Callable[[], None]) -> None:
        """Nobody else writes."""

    def __contains__(self, place: Place) -> bool:
        return place in self._hands

    def __len__(self) -> int:
        return len(self._hands)

    async def begin(self, now: Instant) -> None:
        """What the last process sent counts (S17), and a POST without an answer as sent now; it is looked
        for (S12)."""
        left_behind = await self._ledger.in_flight()
        sent = await self._ledger.requests_since(now - self._limits.window_s)
        self._limits.begin([*sent, *(now for _ in left_behind)])
        await self._ledger.note(*(self._runner.interrupted(record, now) for record in left_behind))

    async def look(self, now: Instant) -> None:
        """What is done has rung the bell already."""

    def grant(self, lane: Lane) -> Grant:
        """One of the limits' own."""
        return Grant(self._limits, self._clock, lane)

    async def create(self, now: Instant, count: int, generation: int) -> None:
        """Claim as many as were granted and start each; grants that find nobody in line are given back."""
        left = count
        try:
            while left and (claimed := await self._ledger.claim(now, min(left, CLAIM_MAX), generation)):
                for slice_at in range(0, len(claimed), STARTS_MAX):
                    some = claimed[slice_at : slice_at + STARTS_MAX]
                    left -= len(some)
                    self._post(some)
                    await breathe()
        finally:
            self._limits.unsent(Lane.CREATE, left)

    async def ask(self, steps: Sequence[tuple[str, Lane]]) -> None:
        """Start each."""
        for key, lane in steps:
            self._hands.take(key, self._runner.ask(key, self.grant(lane)))

    async def deliver(self, links: Sequence[tuple[str, Address]], done: Delivered) -> None:
        """Start each whose record is still there."""
        found = {(each.record.key, each.address): each for each in await self._ledger.outgoing(links)}
        for place in links:
            if place in found:
                self._hands.take(place, self._deliver(found[place], done))
            else:
                done(place[1], None)

    async def resign(self) -> bool:
        """There is nobody else."""
        return False

    async def close(self) -> None:
        """Nothing begins by itself here."""

    def _post(self, claimed: Sequence[Record]) -> None:
        for record in claimed:
            self._hands.take(record.key, self._runner.create(record, self.grant(Lane.CREATE)))

    async def _deliver(self, outgoing: Outgoing, done: Delivered) -> None:
        fact: Fact | None = None
        try:
            fact = await self._runner.deliver(outgoing)
        finally:
            done(outgoing.address, fact)
