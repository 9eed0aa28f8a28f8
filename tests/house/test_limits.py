"""Never more at once, never more in a window, in order, and fast (S17, S18)."""

from __future__ import annotations

from jobs.tavus.sandbox import Fault, Plan, Sandbox
from tests.house.teams import team

HOUR = 3600.0


def most_in_a_second(sandbox) -> int:
    times = sorted(seen.at for seen in sandbox.requests)
    return max(sum(at <= t < at + 1.0 for t in times[i : i + 200]) for i, at in enumerate(times))


async def test_three_hundred_at_twenty_a_second_take_fifteen_seconds(rig, at):
    config = rig.config(team(300), "requests: 20/s, concurrent_conversations: 1000")
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR + 30)
    created = sorted(r.created_at for r in rig.records().values())
    assert len(created) == len(rig.sandbox.rooms) == 300
    assert created[-1] - created[0] <= 1.03 * 300 / 20 + 1
    assert most_in_a_second(rig.sandbox) <= 20


async def test_never_more_at_once_than_the_account_allows(rig, at):
    config = rig.config(team(8, extra="start_window: 90m"), "requests: 100/s, concurrent_conversations: 3")
    most = 0
    async with rig.open(config) as daemon:
        await rig.quiet(daemon)
        while rig.clock.now() < at + 2.4 * HOUR:
            await rig.until(daemon, min(daemon.next_turn(), at + 2.4 * HOUR))
            most = max(most, sum(room.status == "active" for room in rig.sandbox.rooms.values()))
            if daemon.next_turn() <= rig.clock.now():
                rig.clock.move(rig.clock.now() + 1)
    assert most == 3
    assert {r.stage for r in rig.records().values()} == {"ended"}
    rig.clean()


async def test_the_rest_waits_in_order_until_its_window_shuts(rig, at):
    config = rig.config(team(8, extra="start_window: 3m"), "requests: 100/s, concurrent_conversations: 3")
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + 1.3 * HOUR)
    records = list(rig.records().values())
    ended = [r for r in records if r.stage == "ended"]
    assert len(ended) == 6  # three at once, an empty room ends after two minutes, three more
    assert {(r.stage, r.reason) for r in records if r not in ended} == {("missed", "no_capacity")}


async def test_full_is_not_a_failure(tmp_path, at):
    """The account is fuller than we were told: the head of the line tries again after 3, 5, 10, 10 s."""
    from tests.house.conftest import Rig, VirtualClock

    clock = VirtualClock(at)
    sandbox = Sandbox(clock.now, Plan(concurrent=2, release_lag_s=4.0))
    async with sandbox.serving() as base_url:
        rig = Rig(tmp_path, clock, sandbox, base_url)
        config = rig.config(team(5), "requests: 100/s, concurrent_conversations: 10")
        async with rig.open(config) as daemon:
            await rig.until(daemon, at + HOUR + 900)
        records = rig.records().values()
        assert {r.stage for r in records} == {"ended"}
        assert len(sandbox.rooms) == 5
        refused = [s.at for s in sandbox.requests if s.operation == "create" and s.status == 400]
        assert 10 <= len(refused) <= 40
        rig.clean()


async def test_a_429_stops_everybody_for_as_long_as_it_says(rig, at):
    rig.sandbox.faults.add(Fault(kind="status", operation="create", status=429, retry_after="20"))
    async with rig.open(rig.config(team(5))) as daemon:
        await rig.until(daemon, at + HOUR + 60)
    assert {r.stage for r in rig.records().values()} == {"live"}
    creates = sorted(s.at for s in rig.sandbox.requests if s.operation == "create")
    opened = at + HOUR - 30
    assert all(t == opened or t >= opened + 20 for t in creates)
    assert len(rig.sandbox.rooms) == 5


async def test_a_storm_of_429_loses_nothing(rig, at):
    rig.sandbox.faults.add(
        Fault(kind="status", operation="create", status=429, count=None, probability=0.6, seed=7)
    )
    config = rig.config(team(100), "requests: 20/s, concurrent_conversations: 1000")
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR + 590)
    stages = {r.stage for r in rig.records().values()}
    assert stages <= {"live", "ended"}
    assert len(rig.sandbox.rooms) == 100
    rig.clean()
