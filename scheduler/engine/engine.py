"""What a turn asks of whoever carries its steps out: one small interface, and nothing behind it.

The turn decides what goes now, in which order and how many; an engine sees to it that each of these steps is
carried out once, by this process (`embedded`) or by any of several (`shared`). It never decides when.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from jobs.model import Address, Instant
from scheduler.clock import Clock
from scheduler.engine.hands import InHand, Place
from scheduler.facts import Fact
from scheduler.ledger import Ledger
from scheduler.limits import Lane, Limits
from scheduler.runner import Grant, Runner
from scheduler.vitals import Crewed

Delivered = Callable[[Address, Fact | None], None]
"""Called once for each delivery that was handed over, when it is done: what was noted of it, if anything."""


class Parts(NamedTuple):
    """What an engine is made of: `ledger` is the one that the turn writes, `hands` are this process's own."""

    ledger: Ledger
    runner: Runner
    limits: Limits
    clock: Clock
    hands: InHand


class Engine(Protocol):
    """Carries out what a turn has decided. Verbs raise LedgerError, and give back what they got."""

    @property
    def term(self) -> int:
        """Which term of leading this is; 0 while another process leads, and no turn is to be made."""

    @property
    def crewed(self) -> Crewed | None:
        """This process among others; `None` where there are none."""

    @property
    def next_at(self) -> Instant | None:
        """When another `look` is worth a turn, though nobody may ring for it."""

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this when another process has written to the ledger, or may have, and when workers come, go
        or lead."""

    def __contains__(self, place: Place) -> bool:
        """Whether a step at this place is in hand, here or elsewhere."""

    def __len__(self) -> int:
        """How many steps are in hand, here or elsewhere."""

    async def begin(self, now: Instant) -> None:
        """A term begins: take up what was in hand when the last one ended."""

    async def look(self, now: Instant) -> None:
        """A turn begins: take note of what was carried out, and of what never will be."""

    def grant(self, lane: Lane) -> Grant:
        """Take over one grant for a request of this process's own: a page of the account's list."""

    async def create(self, now: Instant, count: int, generation: int) -> None:
        """Claim up to `count` promises in line and have each of them posted. `count` grants are taken over:
        each ends in one `sent` or `unsent` (S17)."""

    async def ask(self, steps: Sequence[tuple[str, Lane]]) -> None:
        """Have the request made that each of these records wants now; each takes over one grant."""

    async def deliver(self, links: Sequence[tuple[str, Address]], done: Delivered) -> None:
        """Have each of these deliveries tried once."""

    async def resign(self) -> bool:
        """This process stops: start nothing more here. Whether others are there to go on; if not, what its
        last turns still start is carried out here."""

    async def close(self) -> None:
        """Begin nothing more in this process's hands; what they hold goes on."""


class Crew(Protocol):
    """Several processes on one ledger, seen from one of them."""

    @property
    def led(self) -> Ledger:
        """The ledger as its leader writes it: every verb raises LedgerFenced once another one leads."""

    def engine(self, parts: Parts) -> Engine:
        """The engine of this process."""
