"""Engines at work on real parts: the ledger on its database, the sandbox over HTTP, the runner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from jobs.model import Address, ConversationRequest, Participant, Step
from jobs.perform import Hands
from jobs.tavus.client import connect as connect_tavus
from jobs.tavus.sandbox import Sandbox
from scheduler.app.letters import composer
from scheduler.clock import Bell, SharedClock
from scheduler.config import freeze
from scheduler.daemon.holding import Holding
from scheduler.engine import Embedded, Engine, InHand, Parts
from scheduler.engine.shared import Member, Name, SharedCrew
from scheduler.facts import Ask, Asked, Fact, Stage
from scheduler.ledger import Database, Ledger, LedgerFenced, Note, Place
from scheduler.ledger.connecting import connect
from scheduler.ledger.driver import Driver
from scheduler.ledger.shared.wire import Wire
from scheduler.ledger.snapshot import Snapshot
from scheduler.limits import Lane, Limits
from scheduler.model import Days, Occurrence, Overlap, Rate, Schedule, When
from scheduler.record import Record
from scheduler.runner import Letters, Runner, Terms
from scheduler.telemetry import Telemetry
from tests.contract.engine.frail import Frail, Outside, Stoppable

LOG = Address("log")
PATIENCE_S, LOOK_S = 20.0, 0.02
RATE, LONG_S = Rate(1_000, 600.0), 3_600.0
"""No request is forgotten while a test runs; after so long none counts any more, but a grant that is out."""
NAMES = ("ana", "ben", "cem", "dan", "eva", "fay")
SCHEDULES = {
    "coach": Schedule(
        name="coach",
        when=(When(Days(frozenset(range(7)), ()), "UTC"),),
        participants=tuple(Participant(name, name.title()) for name in NAMES),
        request=ConversationRequest(persona_id="pdced222244b", replica_id="rfe12d8b9597"),
        overlap=Overlap.ALLOW,
    )
}


class Told(NamedTuple):
    """What `done` was called with."""

    address: Address
    fact: Fact | None


@dataclass
class House:
    """One process: what a daemon has, without its turns."""

    ledger: Ledger
    driver: Frail
    clock: Stoppable
    limits: Limits
    hands: InHand
    runner: Runner
    engine: Engine
    crew: SharedCrew | None = None
    generation: int = 0
    term: int = 0
    counted_before: int = 0
    told: list[Told] = field(default_factory=list)

    def granted(self, lane: Lane, count: int) -> int:
        """Grants of this lane, which somebody has to end."""
        return self.limits.admit(self.clock.now(), {lane: count}, 1_000).granted[lane]

    @property
    def grants_out(self) -> int:
        return self.limits.in_window(self.clock.now() + LONG_S)

    @property
    def counted(self) -> int:
        """Requests since this house's term began."""
        return self.limits.in_window(self.clock.now()) - self.counted_before

    async def create(self, count: int) -> None:
        """As a turn does: what is granted is claimed and handed over."""
        await self.engine.create(self.clock.now(), self.granted(Lane.CREATE, count), self.generation)

    async def ask(self, lane: Lane, *keys: str) -> None:
        assert self.granted(lane, len(keys)) == len(keys)
        await self.engine.ask([(key, lane) for key in keys])

    async def deliver(self, *keys: str) -> None:
        await self.engine.deliver([(key, LOG) for key in keys], lambda *what: self.told.append(Told(*what)))

    async def look(self) -> None:
        """As each turn begins, once a term has begun."""
        if self.engine.term and self.engine.term != self.term:
            self.term = self.engine.term
            await self.engine.begin(self.clock.now())
            self.counted_before = self.limits.in_window(self.clock.now())
        if self.engine.term:
            await self.engine.look(self.clock.now())

    async def until(self, happened: Callable[[], object], *, looks: bool = True) -> None:
        """Wait until it has happened, with a look now and then."""
        end = self.clock.now() + PATIENCE_S
        while not happened():
            assert self.clock.now() < end, "it never happens"
            if looks:
                with suppress(LedgerFenced):
                    await self.look()
            await self.clock.sleep_until(None, self.hands.bell, LOOK_S)

    async def settled(self) -> None:
        """Until nothing is in hand, here or elsewhere."""
        await self.until(lambda: not len(self.engine) and not len(self.hands))

    @property
    def member(self) -> Member:
        assert self.crew is not None
        return self.crew.member


class World:
    """A ledger's place and a sandbox; `open` opens a house there."""

    def __init__(self, kind: str, place: Place, sandbox: Sandbox, base_url: str) -> None:
        self.kind = kind
        self.place = place
        self.sandbox = sandbox
        self.base_url = base_url
        self.outside = Outside()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[House]:
        """A house at work; at the end what it has in hand is finished."""
        drivers: list[Frail] = []

        def frail(place: Place) -> Driver:
            drivers.append(Frail(connect(place)))
            return drivers[0]  # type: ignore[return-value]

        async with AsyncExitStack() as stack:
            tavus = await stack.enter_async_context(
                connect_tavus(self.base_url, "key", total_s=5.0, connect_s=2.0)
            )
            clock = Stoppable()
            ledger = Ledger.open(self.place, self.base_url, clock.now(), frail)
            stack.callback(ledger.close)
            crew = await self._crew(ledger, clock, stack)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            limits, terms = Limits(RATE), Terms(ledger)
            perform = self.outside.around(Hands(tavus, {"log": self.outside}))
            letters, hold = Letters(terms, composer(None)), Holding(ledger, clock, Telemetry()).hold
            runner = Runner(ledger, perform, clock, terms, letters, hold)
            hands = InHand(group, Bell())
            parts = Parts(ledger if crew is None else crew.led, runner, limits, clock, hands)
            engine = Embedded(parts) if crew is None else crew.engine(parts)
            house = House(ledger, drivers[0], clock, limits, hands, runner, engine, crew)
            house.generation = await ledger.generation(freeze(SCHEDULES), clock.now())
            await house.look()
            yield house
            await engine.resign()
            await engine.close()
            self.outside.gate.set()
            await hands.settled()

    async def _crew(self, ledger: Ledger, clock: Stoppable, stack: AsyncExitStack) -> SharedCrew | None:
        if self.kind != "shared":
            return None
        assert isinstance(self.place, Database)
        return await stack.enter_async_context(SharedCrew(ledger, self.place, clock, Name("here", "test")))

    async def promised(self, house: House, *names: str) -> list[str]:
        """A promise that is due for each of these, in line in this order; their keys."""
        now = house.clock.now()
        them = [_occurrence(name, rank, now) for rank, name in enumerate(names)]
        await house.ledger.promise(them, SCHEDULES, now, None)
        return [each.key for each in them]

    async def live(self, house: House, *names: str) -> list[str]:
        """Promises with a conversation each, whose links are still to be delivered."""
        keys = await self.promised(house, *names)
        await house.create(len(keys))
        await house.settled()
        return keys

    async def wanted_over(self, house: House, *keys: str) -> None:
        """A person wants these conversations to end now."""
        now = house.clock.now()
        await house.ledger.note(*(Note(key, Asked(Ask.END, "somebody"), now) for key in keys))

    def records(self) -> dict[str, Record]:
        with Snapshot.open(self.place) as snapshot:
            return {record.key: record for record in snapshot.records()}

    def stages(self) -> list[Stage]:
        """In the order of the promises."""
        return [record.stage for record in self.records().values()]

    def stories(self) -> dict[str, list[str]]:
        with Snapshot.open(self.place) as snapshot:
            return {key: [told.kind for told in story] for key, story in snapshot.stories()}

    def asked(self, operation: str) -> int:
        return sum(each.operation == operation for each in self.sandbox.requests)

    def sql(self, statement: str, *params: object) -> list[tuple[Any, ...]]:
        """Plain SQL on the ledger's database, beside everybody."""
        assert isinstance(self.place, Database)
        with psycopg.connect(self.place.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), params or None)
            return cursor.fetchall() if cursor.description else []

    @asynccontextmanager
    async def ghost(self, *, leads: bool = False, clock: SharedClock | None = None) -> AsyncIterator[Member]:
        """A worker that gives signs of life by hand only: one that hangs or is dead as soon as they stop."""
        assert isinstance(self.place, Database)
        wire = Wire(self.place, lambda call: None)
        Ledger.open(self.place, self.base_url, 0.0).close()
        member = Member(wire, clock or Stoppable(), Name("ghost", "test"))
        await member.beat()
        if leads:
            await member.beat()
            assert member.epoch
        try:
            yield member
        finally:
            await wire.close()

    def dead(self, member: Member) -> None:
        """Its leases are over, since there were no signs of life for so long."""
        self.sql("UPDATE workers SET until = 0 WHERE id = %s", member.id)
        self.sql("UPDATE lead SET until = 0 WHERE worker = %s", member.id)


def _occurrence(name: str, rank: int, now: float) -> Occurrence:
    return Occurrence("coach", "now", "2026-11-30", name, now, now - 1, now + 600, rank, "UTC")


def keys_of(steps: Sequence[Step]) -> list[str]:
    """Whom these creates or deliveries are for."""
    return [str(getattr(step, "key", "")) for step in steps]
