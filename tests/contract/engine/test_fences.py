"""Fences: who was stopped past its lease, or is late, does nothing outside any more, and says so."""

from __future__ import annotations

import asyncio

import pytest

from scheduler.engine import Parts
from scheduler.engine.shared.working import Working
from scheduler.facts import Stage
from scheduler.ledger.shared.workers import LEASE_S
from tests.contract.engine.world import LOG, House, World

pytestmark = pytest.mark.parametrize("engine", ["shared-postgresql"], indirect=True)


async def test_a_worker_past_its_lease_sends_nothing(world: World, house: House) -> None:
    """It comes back to a step that it had begun, and which is no longer its own."""
    await house.engine.close()
    async with world.open() as other:
        (key,) = await world.promised(house, "ana")
        world.outside.gate.clear()
        await house.create(1)
        await house.until(lambda: world.outside.begun)
        other.clock.stopped_s += LEASE_S
        world.sql("DELETE FROM workers WHERE id = %s", other.member.id)
        await house.until(lambda: key not in house.engine)
        world.outside.gate.set()
        await other.hands.settled()
    assert (world.asked("create"), house.grants_out) == (0, 0)
    assert world.records()[key].look_at is not None


async def test_a_delivery_is_not_begun_past_the_lease(world: World, house: House) -> None:
    """Who took it and was stopped leaves it to others: it is still due."""
    (key,) = await world.live(house, "ana")
    await house.engine.close()
    async with world.ghost() as stopped, asyncio.TaskGroup() as group:
        parts = Parts(house.ledger, house.runner, house.limits, house.clock, house.hands)
        working = group.create_task(Working(house.ledger, parts, stopped, lambda word: None).run())
        await house.deliver(key)
        await house.until(lambda: (key, LOG) not in house.engine)
        working.cancel()
    assert world.outside.delivered == []
    assert [each.at for each in world.records()[key].deliveries] == [None]


async def test_a_request_that_is_late_is_not_sent(world: World, house: House) -> None:
    """A claim lives for a quarter of a minute: afterwards its POST stays here, and says so."""
    (key,) = await world.promised(house, "ana")
    world.outside.gate.clear()
    await house.create(1)
    await house.until(lambda: world.outside.begun)
    world.sql("UPDATE workers SET until = 'infinity'")
    house.clock.stopped_s += 60.0
    world.outside.gate.set()
    await house.hands.settled()
    assert world.asked("create") == 0
    record = world.records()[key]
    assert (record.stage, record.look_at, house.grants_out) == (Stage.PLANNED, None, 0)
    assert house.limits.held_until is None, "nobody turned it away"
    assert world.stories()[key] == ["attempted", "failed"]
