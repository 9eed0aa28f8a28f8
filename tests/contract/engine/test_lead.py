"""Several processes on one ledger: one leads at a time, and whoever doesn't any more writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from jobs.model import Ended, EndReason, Outcome, Sent, Step
from scheduler.app.letters import composer
from scheduler.daemon.holding import Holding
from scheduler.engine.shared import SharedCrew
from scheduler.facts import Faulted, Stage
from scheduler.ledger import Database, LedgerFenced, Note
from scheduler.ledger.postgresql import LOCKED
from scheduler.ledger.shared.wire import Wire
from scheduler.ledger.shared.workers import LEASE_S
from scheduler.limits import Lane
from scheduler.runner import Grant, Letters, Runner, Terms
from scheduler.telemetry import Telemetry
from tests.contract.engine.frail import Stoppable
from tests.contract.engine.world import LOG, SCHEDULES, House, World

pytestmark = pytest.mark.parametrize("engine", ["shared-postgresql"], indirect=True)

WRITES: dict[str, Callable[[House, str], Awaitable[object]]] = {
    "create": lambda house, key: house.create(1),
    "ask": lambda house, key: house.ask(0, key),  # type: ignore[arg-type]
    "deliver": lambda house, key: house.deliver(key),
    "look": lambda house, key: house.engine.look(house.clock.now() + 60),
    "note": lambda house, key: _led(house).led.note(Note(key, Faulted("x"), house.clock.now())),
    "promise": lambda house, key: _led(house).led.promise((), SCHEDULES, house.clock.now(), 1e12),
    "hold": lambda house, key: _led(house).led.hold("spent", house.clock.now()),
    "pause": lambda house, key: _led(house).led.steering.resume(None, None, 0.0),  # type: ignore[arg-type]
}


def _led(house: House) -> SharedCrew:
    assert house.crew is not None
    return house.crew


async def test_one_leads_and_all_know_how_many_there_are(world: World) -> None:
    async with world.open() as first, world.open() as second, world.open() as third:
        everybody = (first, second, third)
        assert [house.engine.term > 0 for house in everybody] == [True, False, False]
        for house in everybody:
            await house.until(lambda house=house: house.member.others == 2)
        crewed = [house.engine.crewed for house in everybody]
        assert [each and (each.leads, each.others, each.away) for each in crewed] == [
            (True, 2, False),
            (False, 2, False),
            (False, 2, False),
        ]
    assert world.sql("SELECT count(*) FROM workers") == [(0,)]


async def test_who_leaves_hands_the_lead_over(world: World) -> None:
    async with AsyncExitStack() as first:
        assert (await first.enter_async_context(world.open())).engine.term == 1
        async with world.open() as second:
            await first.aclose()
            await second.until(lambda: second.engine.term == 2)
            assert world.sql("SELECT id FROM workers") == [(second.member.id,)]


async def test_the_lead_passes_on_when_its_lease_is_over(world: World) -> None:
    """And whoever had it finds on coming back that it is nobody any more."""
    async with world.ghost(leads=True) as dead, world.open() as house:
        assert (dead.epoch, house.engine.term) == (1, 0)
        world.dead(dead)
        await house.until(lambda: house.term)
        assert house.term == 2
        (key,) = await world.live(house, "ana")
        assert world.records()[key].stage is Stage.LIVE
        await dead.beat()
        await dead.beat()
        assert dead.epoch == 0
        await house.until(lambda: house.member.others == 1)


async def test_a_clock_that_is_set_back_prolongs_no_lease_of_the_dead(world: World) -> None:
    """The database's, just after the leader's last sign of life: it is taken for dead all the same."""
    async with world.ghost(leads=True) as dead, world.open() as house:
        world.sql("UPDATE lead SET until = until + 3600")
        world.sql("UPDATE workers SET until = until + 3600 WHERE id = %s", dead.id)
        await house.until(lambda: house.term == 2)
        await house.until(lambda: world.sql("SELECT id FROM workers") == [(house.member.id,)])


async def test_who_stops_while_it_takes_the_lead_keeps_nobody_from_it(world: World) -> None:
    """It has the writers' lock then, and nobody else may be about to write."""
    assert isinstance(world.place, Database)
    stopped = Wire(world.place, lambda call: None)
    async with world.open() as house:
        async with stopped._speaking() as connection:
            await connection.execute("BEGIN")
            await connection.execute(LOCKED)
        world.sql("UPDATE lead SET epoch = epoch + 1, worker = 'another', until = 0")
        await house.until(lambda: house.engine.term == 3, looks=False)
    await stopped.close()


@pytest.mark.parametrize("write", WRITES)
async def test_who_was_overtaken_writes_nothing(world: World, house: House, write: str) -> None:
    (key,) = await world.promised(house, "ana")
    await house.settled()
    world.sql("UPDATE lead SET epoch = epoch + 1, worker = 'another', until = until + 3")
    before = _rows(world)
    with pytest.raises(LedgerFenced):
        await WRITES[write](house, key)
    assert _rows(world) == before
    assert (house.grants_out, house.told, len(world.sandbox.rooms)) == (0, [], 0)
    house.member.look_now()
    await house.until(lambda: not house.engine.term)


def _rows(world: World) -> list[object]:
    tables = ("records", "facts", "jobs", "holds", "meta")
    return [world.sql(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


async def test_who_leads_again_begins_anew_before_it_writes(world: World, house: House) -> None:
    """What was decided in one term is not written in another, though the same process leads."""
    await world.promised(house, "ana")
    world.sql("UPDATE lead SET epoch = epoch + 1, worker = 'another', until = 0")
    house.member.look_now()
    await house.until(lambda: house.engine.term == 3, looks=False)
    with pytest.raises(LedgerFenced):
        await house.create(1)
    await house.look()
    await house.create(1)
    await house.settled()
    assert world.stages() == [Stage.LIVE]


async def test_what_was_handed_out_in_an_earlier_term_is_told_to_be_over(world: World, house: House) -> None:
    """A route has room for so many at once: none may be in hand for ever."""
    (key,) = await world.live(house, "ana")
    await house.engine.close()
    await house.deliver(key)
    world.sql("UPDATE lead SET epoch = epoch + 1, worker = 'another', until = 0")
    house.member.look_now()
    await house.until(lambda: house.term == 3)
    assert house.told == [(LOG, None)]
    assert (key, LOG) in house.engine


async def test_who_was_overtaken_does_not_try_again_for_ever(world: World, house: House) -> None:
    (key,) = await world.live(house, "ana")
    await world.wanted_over(house, key)
    world.sql("UPDATE lead SET epoch = epoch + 1, worker = 'another'")
    terms = Terms(led := _led(house).led)

    async def perform(step: Step, sent: Sent) -> Outcome:
        sent()
        return Ended(EndReason.BY_US)

    hold = Holding(led, house.clock, Telemetry()).hold
    runner = Runner(led, perform, house.clock, terms, Letters(terms, composer(None)), hold)
    async with asyncio.timeout(10.0):
        await runner.ask(key, Grant(house.limits, house.clock, Lane.END))
    assert world.stories()[key][-1] == "asked"


async def test_who_was_stopped_for_longer_than_its_lease_may_not_send(world: World, house: House) -> None:
    """By its own boot clock, before it has asked anybody; and may again once it has been heard."""
    member, worker = house.member, house.member.id
    assert member.may_send(worker)
    house.clock.stopped_s += LEASE_S
    assert not member.may_send(worker)
    await member.beat()
    assert member.may_send(worker)
    assert not member.may_send("somebody else")


async def test_who_was_struck_off_comes_back_as_another(world: World, house: House) -> None:
    before = house.member.id
    world.sql("DELETE FROM workers")
    house.member.look_now()
    await house.until(lambda: house.member.id != before and house.member.listed)
    assert not house.member.may_send(before)
    await house.until(lambda: house.member.may_send(house.member.id))


async def test_all_go_by_the_databases_clock(world: World) -> None:
    """A worker whose machine's clock is wrong by an hour plans and sends by the others' time."""

    class Wrong(Stoppable):
        def machine(self) -> float:
            return super().machine() + 3_600.0

    wrong = Wrong()
    async with world.open() as house:
        assert wrong.now() > house.clock.now() + 3_000
        async with world.ghost(clock=wrong):
            assert abs(wrong.now() - house.clock.now()) < 60
