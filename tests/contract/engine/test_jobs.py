"""Jobs between workers: each is carried out once, whoever dies, sleeps or isn't heard, and the limits stay in
one place."""

from __future__ import annotations

import pytest

from jobs.model import Delivered
from jobs.tavus.sandbox import Fault
from scheduler.facts import Stage
from scheduler.ledger import LedgerUnavailable
from scheduler.ledger.shared.jobs import CREATE, DELIVER
from scheduler.ledger.shared.workers import LEASE_S
from scheduler.limits import Lane
from tests.contract.engine.world import LOG, NAMES, House, World

pytestmark = pytest.mark.parametrize("engine", ["shared-postgresql"], indirect=True)

MANY = 200
LISTENERS = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"


async def test_another_one_carries_out_what_the_leader_hands_over(world: World, house: House) -> None:
    """Its requests are counted where the limits are, and what came of its deliveries is told there."""
    await house.engine.close()
    async with world.open() as other:
        keys = await world.live(house, "ana", "ben")
        await house.deliver(*keys)
        await house.settled()
        assert house.told == [(LOG, Delivered(LOG))] * 2
        assert (house.counted, house.grants_out) == (2, 0)
        assert other.limits.in_window(0.0) == 0
    assert world.stages() == [Stage.LIVE] * 2
    assert world.sql("SELECT count(*) FROM jobs") == [(0,)]


async def test_each_takes_its_share(world: World, house: House) -> None:
    async with world.open() as other:
        await house.until(lambda: house.member.others == 1)
        await house.engine.close()
        await other.engine.close()
        await _places(house)
        first, second = house.member.id, other.member.id
        now = house.clock.now()
        assert len(await house.ledger.jobs.take(first, now, 1_000)) == MANY / 2
        assert len(await other.ledger.jobs.take(second, now, 30)) == 30
        assert len(await other.ledger.jobs.take(second, now, 1_000)) == MANY / 2 - 30


async def _places(house: House) -> None:
    """Jobs whose records nobody knows: only who gets them matters."""
    places = [(f"k{number}", LOG, -1) for number in range(MANY)]
    now = house.clock.now()
    assert len(await house.ledger.jobs.put(DELIVER, places, now, now + 60)) == MANY
    assert await house.ledger.jobs.put(DELIVER, places, now, now + 60) == []


async def test_who_is_not_on_the_list_gets_nothing(world: World, house: House) -> None:
    await house.engine.close()
    await _places(house)
    assert await house.ledger.jobs.take("stranger", house.clock.now(), 1_000) == []


# --- what a worker leaves behind ---


async def test_a_dead_workers_post_is_looked_for_and_not_repeated(world: World, house: House) -> None:
    await house.engine.close()
    async with world.ghost() as ghost:
        (key,) = await world.promised(house, "ana")
        await house.create(1)
        (job,) = await house.ledger.jobs.take(ghost.id, house.clock.now(), 10)
        assert (job.kind, job.key, job.worker) == (CREATE, key, ghost.id)
        await house.look()
        assert key in house.engine
        world.dead(ghost)
        await house.until(lambda: key not in house.engine)
    assert world.stories()[key] == ["attempted", "failed"]
    assert world.records()[key].look_at is not None
    # It may have been sent until now.
    assert (house.counted, house.grants_out, world.asked("create")) == (1, 0, 0)


async def test_what_nobody_took_in_time_is_planned_again(world: World, house: House) -> None:
    """Of that it is certain that nothing was sent."""
    await house.engine.close()
    live = (await _made(world, house, "ben"))[0]
    (key,) = await world.promised(house, "ana")
    await house.create(1)
    await house.deliver(live)
    await house.engine.look(house.clock.now() + 60)
    assert (len(house.engine), house.grants_out, house.told) == (0, 0, [(LOG, None)])
    record = world.records()[key]
    assert (record.stage, record.look_at) == (Stage.PLANNED, None)
    assert world.stories()[key] == ["attempted", "failed"]


async def _made(world: World, house: House, *names: str) -> list[str]:
    """Conversations that another worker makes."""
    async with world.open():
        return await world.live(house, *names)


async def test_a_dead_leaders_jobs_count_for_the_next_one(world: World) -> None:
    """What it had handed over is carried out, once, and its grants are out until then."""
    async with world.open() as first:
        await first.engine.close()
        keys = await world.promised(first, "ana", "ben")
        await first.create(2)
        await first.member.resign()
        async with world.open() as house:
            assert house.engine.term == 2
            assert house.counted_before >= 2
            await house.settled()
            assert house.grants_out == 0
    assert [world.records()[key].stage for key in keys] == [Stage.LIVE] * 2
    assert world.asked("create") == 2


async def test_who_waits_for_a_delivery_is_told_when_the_next_term_begins(world: World, house: House) -> None:
    """The same process leads again: of what it had handed over, only the ledger tells any more."""
    await house.engine.close()
    (key,) = await _made(world, house, "ana")
    await house.deliver(key)
    world.sql("UPDATE lead SET epoch = epoch + 1, worker = 'another', until = 0")
    house.member.look_now()
    await house.until(lambda: house.term == 3)
    assert house.told == [(LOG, None)]
    assert (key, LOG) in house.engine, "its job still stands there"


async def test_what_is_handed_out_is_looked_at_though_nobody_rings(world: World, house: House) -> None:
    await house.engine.close()
    await house.settled()
    assert house.engine.next_at is None
    await world.promised(house, "ana")
    await house.create(1)
    assert 0.0 < (house.engine.next_at or 0.0) < house.clock.now() + LEASE_S


# --- what is not heard ---


async def test_a_call_that_is_lost_loses_nothing(world: World, house: House) -> None:
    house.driver.mute = True
    (key,) = await world.live(house, "ana")
    await house.deliver(key)
    await house.settled()
    assert (world.outside.delivered, house.grants_out) == ([key], 0)


async def test_words_that_are_lost_are_made_good(world: World, house: House) -> None:
    """The leader doesn't hear what became of them: it counts them as sent when they are gone."""
    await house.engine.close()
    deaf = [pid for (pid,) in world.sql(LISTENERS)]
    async with world.open():
        keys = await world.promised(house, *NAMES)
        world.outside.gate.clear()
        await house.create(len(keys))
        await house.until(lambda: len(world.outside.begun) == len(keys))
        world.sql("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", deaf)
        world.outside.gate.set()
        await house.settled()
    assert (house.counted, house.grants_out) == (len(keys), 0)
    assert world.asked("create") == len(keys)


NEWER = ('["not a word"', '[["full"]]', "[[1]]", '[[1, "full", 2, 3]]', '[[1, "something newer", 2]]', "[7]")


@pytest.mark.parametrize("call", NEWER)
async def test_a_word_that_nobody_understands_harms_nobody(world: World, house: House, call: str) -> None:
    """A newer program's worker may say more, or say it otherwise."""
    world.sql("SELECT pg_notify('callboard_' || 'records'::regclass::oid::text, %s)", call)
    (key,) = await world.live(house, "ana")
    await house.deliver(key)
    await house.settled()
    assert (world.outside.delivered, house.grants_out) == ([key], 0)


async def test_while_jobs_are_out_a_turn_is_worth_it_though_nobody_rings(world: World, house: House) -> None:
    assert house.engine.next_at is None
    await house.engine.close()
    await world.promised(house, "ana")
    await house.create(1)
    assert 0.0 < (house.engine.next_at or 0.0) < house.clock.now() + LEASE_S
    await house.engine.look(house.clock.now() + 60)
    assert house.engine.next_at is None


async def test_jobs_whose_writing_only_seemed_to_fail_count(world: World, house: House) -> None:
    """The leader hears that it failed, gives its grants back, and finds the jobs; what was sent of them
    meanwhile counts all the same."""
    async with world.open():
        await world.promised(house, "ana", "ben", "cem")
        house.driver.unheard = True
        with pytest.raises(LedgerUnavailable):
            await house.create(3)
        house.driver.unheard = False
        # No turn is made as long as the ledger fails.
        await house.until(lambda: world.sql("SELECT count(*) FROM jobs") == [(0,)], looks=False)
        await house.look()
    assert world.asked("create") == len(world.sandbox.rooms) == 3
    assert (house.counted, house.grants_out) == (3, 0)
    assert world.stages() == [Stage.LIVE] * 3


# --- what one learns is everybody's ---


async def test_a_hold_stops_what_was_handed_out_already(world: World, house: House) -> None:
    await house.engine.close()
    keys = await world.promised(house, "ana", "ben")
    await house.create(2)
    await house.ledger.hold("spent", house.clock.now())
    async with world.ghost() as ghost:
        assert await house.ledger.jobs.take(ghost.id, house.clock.now(), 10) == []
        await house.ledger.lift("spent", house.clock.now())
        taken = await house.ledger.jobs.take(ghost.id, house.clock.now(), 10)
        assert [job.key for job in taken] == keys


async def test_one_who_is_told_to_wait_stops_all(world: World, house: House) -> None:
    """And whoever leads next (S17); deliveries are no requests, and go on."""
    await house.engine.close()
    async with world.open() as other:
        live = await world.live(house, "ana")
        await world.promised(house, "ben", "cem", "dan")
        grants = house.granted(Lane.CREATE, 3)
        world.sandbox.faults.add(Fault(kind="status", operation="create", status=429, retry_after="30"))
        began = house.clock.now()
        await house.engine.create(began, 1, house.generation)
        await house.until(lambda: house.limits.held_until)
        await house.until(lambda: world.sql("SELECT 1 FROM meta WHERE name = 'held_until'"))
        assert (house.limits.held_until or 0.0) >= began + 30
        await other.engine.close()
        await house.engine.create(house.clock.now(), grants - 1, house.generation)
        await house.deliver(*live)
        taken = await other.ledger.jobs.take(other.member.id, house.clock.now(), 10)
        assert [job.kind for job in taken] == [DELIVER]
        await house.member.resign()
        await other.until(lambda: other.term)
        assert (other.limits.held_until or 0.0) >= began + 30
        assert other.granted(Lane.CREATE, 1) == 0
        assert other.counted_before >= 4
    assert world.asked("create") == 2


async def test_how_long_to_wait_is_written_as_soon_as_the_ledger_can(world: World, house: House) -> None:
    await world.promised(house, "ana")
    world.outside.gate.clear()
    await house.create(1)
    await house.until(lambda: world.outside.begun)
    world.sandbox.faults.add(Fault(kind="status", operation="create", status=429, retry_after="30"))
    house.driver.away = True
    world.outside.gate.set()
    await house.until(lambda: house.limits.held_until, looks=False)
    house.driver.away = False
    await house.until(lambda: world.sql("SELECT 1 FROM meta WHERE name = 'held_until'"))


async def test_stopping_hands_over_what_is_not_begun(world: World, house: House) -> None:
    """It says whether others are there, leads no more, and its jobs are theirs."""
    async with world.open() as other:
        await house.until(lambda: house.member.others == 1)
        keys = await world.promised(house, "ana", "ben")
        await house.engine.close()
        await house.create(2)
        assert await house.engine.resign()
        assert not house.engine.term
        await other.until(lambda: other.term)
        await other.settled()
        assert other.grants_out == 0
    assert [world.records()[key].stage for key in keys] == [Stage.LIVE] * 2
