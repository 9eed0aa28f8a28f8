"""What a turn may rely on, whoever carries its steps out (`scheduler.engine.Engine`)."""

from __future__ import annotations

from contextlib import suppress

import pytest

from jobs.errors import Blame, Reason, StepFailed
from jobs.model import Create, Delivered, End
from scheduler.facts import Failed, Stage
from scheduler.ledger import LedgerUnavailable
from scheduler.limits import Lane
from tests.contract.engine.world import LOG, House, World, keys_of


async def test_claims_in_line_and_posts_each_once(world: World, house: House) -> None:
    keys = await world.promised(house, "cem", "ana", "ben", "dan", "eva")
    await house.create(3)
    await house.settled()
    assert keys_of(world.outside.begun) == keys[:3]
    assert world.asked("create") == len(world.sandbox.rooms) == 3
    assert world.stages() == [Stage.LIVE] * 3 + [Stage.PLANNED] * 2
    assert (house.counted, house.grants_out) == (3, 0)


async def test_grants_that_find_nobody_in_line_come_back(world: World, house: House) -> None:
    await world.promised(house, "ana", "ben")
    await house.create(5)
    await house.settled()
    assert (house.counted, house.grants_out) == (2, 0)


async def test_nothing_to_do_is_nothing(world: World, house: House) -> None:
    await house.create(0)
    await house.engine.ask([])
    await house.deliver()
    assert (len(house.engine), house.grants_out, house.told) == (0, 0, [])


async def test_asks_each_once(world: World, house: House) -> None:
    keys = await world.live(house, "ana", "ben")
    await world.wanted_over(house, *keys)
    await house.ask(Lane.END, *keys)
    await house.settled()
    assert world.asked("end") == 2
    assert sum(isinstance(step, End) for step in world.outside.begun) == 2
    assert (house.counted, house.grants_out) == (4, 0)
    assert all("ended" in story for story in world.stories().values())


async def test_a_record_that_wants_nothing_any_more_gives_its_grant_back(world: World, house: House) -> None:
    keys = await world.live(house, "ana")
    await house.ask(Lane.INSPECT, *keys)
    await house.settled()
    assert (world.asked("get"), house.counted, house.grants_out) == (0, 1, 0)


async def test_delivers_each_once_and_tells_what_came_of_it(world: World, house: House) -> None:
    keys = await world.live(house, "ana", "ben")
    await house.deliver(*keys)
    await house.settled()
    assert sorted(world.outside.delivered) == sorted(keys)
    assert house.told == [(LOG, Delivered(LOG))] * 2
    await house.deliver(keys[0], "coach/now/2026-11-30/nobody")
    await house.settled()
    assert house.told[2:] == [(LOG, None)] * 2
    assert len(world.outside.delivered) == 2


async def test_a_delivery_that_fails_tells_why(world: World, house: House) -> None:
    """A route is closed by it (S29), so what is told must be whole."""
    why = StepFailed(Reason.DENIED, "no password", retry_after_s=7.0, blame=Blame.SETUP)
    keys = await world.live(house, "ana")
    world.outside.refuses = why
    await house.deliver(*keys)
    await house.settled()
    ((_, fact),) = house.told
    assert isinstance(fact, Failed)
    assert (fact.reason, fact.detail, fact.address) == (Reason.DENIED, "no password", LOG)
    assert (fact.retry_after_s, fact.blame) == (7.0, Blame.SETUP)


async def test_a_place_is_in_hand_while_its_step_runs_and_not_after(world: World, house: House) -> None:
    (key,) = await world.promised(house, "ana")
    world.outside.gate.clear()
    await house.create(1)
    await house.until(lambda: world.outside.begun)
    assert key in house.engine
    assert (key, LOG) not in house.engine
    assert (len(house.engine), house.grants_out) == (1, 1)
    world.outside.gate.set()
    await house.settled()
    assert key not in house.engine
    await house.deliver(key)
    assert (key, LOG) in house.engine
    await house.settled()
    assert (key, LOG) not in house.engine


async def test_what_a_dead_process_left_on_the_wire_is_looked_for(world: World) -> None:
    """Claimed, and no end of its attempt noted: nobody knows whether it was sent (S12)."""
    async with world.open() as house:
        (key,) = await world.promised(house, "ana")
        await house.ledger.claim(house.clock.now(), 1, house.generation)
    async with world.open() as house:
        await house.until(lambda: world.records()[key].look_at is not None)
        assert world.stages() == [Stage.CREATING]
        assert world.stories()[key] == ["attempted", "failed"]
        await house.create(1)
        assert (len(house.engine), house.grants_out) == (0, 0)
    assert world.asked("create") == 0


async def test_what_was_sent_before_counts(world: World) -> None:
    async with world.open() as house:
        await world.live(house, "ana", "ben")
    async with world.open() as house:
        assert house.counted_before >= 2
        assert house.grants_out == 0


async def test_a_ledger_that_is_away_gives_everything_back(world: World, house: House) -> None:
    live, (waits,) = await world.live(house, "ana", "ben"), await world.promised(house, "cem")
    await world.wanted_over(house, live[0])
    before = house.counted
    house.driver.away = True
    for verb in (house.create(2), house.deliver(live[1])):
        with pytest.raises(LedgerUnavailable):
            await verb
    with suppress(LedgerUnavailable):  # one writes a job, the other reads the record when its step begins
        await house.ask(Lane.END, live[0])
    await house.hands.settled()
    assert (world.asked("end"), house.grants_out) == (0, 0)
    house.driver.away = False
    await house.settled()
    assert (house.counted, house.grants_out, house.told) == (before, 0, [])
    await house.create(2)
    await house.deliver(live[1])
    await house.settled()
    assert world.records()[waits].stage is Stage.LIVE
    assert world.outside.delivered == [live[1]]


async def test_nothing_is_begun_after_close(world: World, house: House) -> None:
    """What is in hand goes on; what the last turns hand over stays for the next one, or for somebody else."""
    await world.promised(house, "ana", "ben")
    world.outside.gate.clear()
    await house.create(1)
    await house.until(lambda: world.outside.begun)
    await house.engine.close()
    world.outside.gate.set()
    await house.hands.settled()
    assert sum(isinstance(step, Create) for step in world.outside.begun) == 1
    assert world.stages() == [Stage.LIVE, Stage.PLANNED]


async def test_who_is_alone_does_not_hand_over(world: World, house: House) -> None:
    """Its last turns still deliver what it has made."""
    (key,) = await world.live(house, "ana")
    assert not await house.engine.resign()
    await house.deliver(key)
    await house.settled()
    assert world.outside.delivered == [key]
