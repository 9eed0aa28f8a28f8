"""The house in real time: run, stop, once, force - and nothing whose outcome is unknown is cancelled."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime

import pytest

from jobs.tavus.sandbox import Fault, Plan, Sandbox
from scheduler.clock import Bell, Clock
from tests.house.conftest import Rig
from tests.house.teams import team


@pytest.fixture
async def live(tmp_path):
    """A rig in real time."""
    clock = Clock()
    sandbox = Sandbox(clock.now, Plan(concurrent=1000))
    async with sandbox.serving() as base_url:
        yield Rig(tmp_path, clock, sandbox, base_url)


def _soon(live, size, account="requests: 1000/s, concurrent_conversations: 1000"):
    """A team whose slot opens at the next full second but a little, and when that is."""
    opens = math.ceil(live.clock.now() + 0.3)
    moment = datetime.fromtimestamp(opens, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    text = team(size, extra="lead: 0s").replace('days: daily, at: "08:00"', f'on: ["{moment}"]')
    return live.config(text, account), opens


async def _begun(live, daemon, opens):
    """The first turn promises, before anything is open; then it is time."""
    await daemon.turn()
    await live.clock.sleep_until(opens + 0.01, Bell(), 2.0)


async def _until(clock, what):
    async with asyncio.timeout(10):
        while not what():
            await clock.sleep_until(None, Bell(), 0.02)


async def test_it_runs_by_its_alarm_and_stops_when_told(live):
    async with live.open(_soon(live, 5)[0]) as daemon, asyncio.TaskGroup() as group:
        running = group.create_task(daemon.run())
        await _until(live.clock, lambda: len(live.sandbox.rooms) == 5)
        await _until(live.clock, lambda: not daemon.in_hand)
        daemon.stop()
        await running
    records = live.records().values()
    assert {r.stage for r in records} == {"live"}
    assert all(d.state == "delivered" for r in records for d in r.deliveries)
    assert daemon.turns < 20


async def test_stopped_while_posts_are_under_way_their_outcome_is_recorded(live):
    """Answers take 0.3 s; the house is told to stop meanwhile, and waits for each answer and its link."""
    live.sandbox.faults.add(Fault(kind="slow", operation="create", when="after", seconds=0.3, count=None))
    async with live.open(_soon(live, 20)[0]) as daemon, asyncio.TaskGroup() as group:
        running = group.create_task(daemon.run())
        await _until(live.clock, lambda: len(live.sandbox.rooms) == 20)
        daemon.stop()
        await running
        assert daemon.in_hand == 20
    stories = set(map(tuple, live.stories().values()))
    assert stories == {("attempted", "created", "delivered")}
    live.clean()


async def test_forced_it_leaves_at_once_and_the_next_start_looks(live):
    """Cancelled with POSTs on the wire, as by a second signal: their answers are looked up."""
    live.sandbox.faults.add(Fault(kind="slow", operation="create", when="after", seconds=0.5, count=3))
    config, _ = _soon(live, 3)

    async def forced():
        async with live.open(config) as daemon:
            await daemon.run()

    async with asyncio.TaskGroup() as group:
        running = group.create_task(forced())
        await _until(live.clock, lambda: len(live.sandbox.rooms) == 3)
        running.cancel()
    assert {r.stage for r in live.records().values()} == {"creating"}
    async with live.open(config) as daemon, asyncio.TaskGroup() as group:
        group.create_task(daemon.run())
        await _until(live.clock, lambda: {r.stage for r in live.records().values()} == {"live"})
        daemon.stop()
    assert len(live.sandbox.rooms) == 3
    live.clean()


async def test_once_with_a_rate_waits_for_its_turn(live):
    """Twenty are due and ten may go each second: it stays for all of them, and no longer."""
    config, opens = _soon(live, 20, "requests: 10/s, concurrent_conversations: 100")
    async with live.open(config) as daemon:
        await _begun(live, daemon, opens)
        async with asyncio.timeout(5):
            await daemon.once()
        assert daemon.in_hand == 0
    assert {r.stage for r in live.records().values()} == {"live"}
    assert len(live.sandbox.rooms) == 20


async def test_once_with_a_refused_key_leaves_all_the_same(live):
    live.sandbox.faults.add(Fault(kind="status", status=401, count=None))
    config, opens = _soon(live, 3)
    async with live.open(config) as daemon:
        await _begun(live, daemon, opens)
        async with asyncio.timeout(5):
            await daemon.once()
    assert {r.stage for r in live.records().values()} == {"planned"}
    assert live.holds() == ["denied"]


async def test_once_is_stopped_like_any_other(live):
    """One may go a minute: told to stop, it doesn't wait for the other."""
    config, opens = _soon(live, 2, "requests: 1/min, concurrent_conversations: 100")
    async with live.open(config) as daemon:
        await _begun(live, daemon, opens)
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            group.create_task(daemon.once())
            await _until(live.clock, lambda: len(live.sandbox.rooms) == 1)
            daemon.stop()
    assert sorted(str(r.stage) for r in live.records().values()) == ["live", "planned"]


async def test_a_reload_is_taken_up_by_its_ring(live):
    async with live.open(live.config(team(1))) as daemon, asyncio.TaskGroup() as group:
        group.create_task(daemon.run())
        await _until(live.clock, lambda: daemon.turns > 0)
        daemon.reload(_soon(live, 4)[0])
        await _until(live.clock, lambda: len(live.sandbox.rooms) == 4)
        daemon.stop()
    live.clean()
