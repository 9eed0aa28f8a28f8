"""A conversation's own clocks, and the link's way to the person (S21-S23, S28)."""

from __future__ import annotations

import itertools

import pytest

from jobs.channels.log import LogChannel
from jobs.errors import Reason, StepFailed
from jobs.tavus.sandbox import Fault
from tests.house.teams import team

MINUTE, HOUR = 60.0, 3600.0


class Failing:
    """A channel that fails for a while (`None`: for ever), then writes the link to the log."""

    def __init__(self, clock, times: int | None, reason: Reason = Reason.BUSY) -> None:
        self.clock = clock
        self.left = times
        self.reason = reason
        self.tried: list[float] = []
        self.log = LogChannel()

    async def deliver(self, step):
        self.tried.append(self.clock.now())
        if self.left is None or self.left > 0:
            self.left = None if self.left is None else self.left - 1
            raise StepFailed(self.reason, "the channel is out of order")
        return await self.log.deliver(step)


def _waits(times):
    return [round(b - a) for a, b in itertools.pairwise(times)]


async def _one(rig, text, until, meet=None):
    """One promise until a moment; `meet` is called with the rig and its room at the slot."""
    async with rig.open(rig.config(text)) as daemon:
        slot = min(until, rig.clock.now() + HOUR)
        await rig.until(daemon, slot)
        if meet is not None:
            meet(rig, next(iter(rig.sandbox.rooms)))
        await rig.until(daemon, until)
    rig.clean()
    (record,) = rig.records().values()
    return record


async def test_nobody_comes_and_we_know_a_quarter_of_a_minute_later(rig, at):
    text = team(1, properties="participant_absent_timeout: 100s")
    record = await _one(rig, text, at + HOUR + 10 * MINUTE)
    assert (record.stage, record.reason) == ("ended", "absent")
    assert record.ended_at == record.created_at + 100
    assert rig.asked("get") == [record.created_at + 100 + 15]
    assert rig.asked("end") == []


async def test_somebody_comes_and_leaves(rig, at):
    def meet(rig, room):
        rig.sandbox.join(room)
        rig.sandbox.leave(room)

    record = await _one(rig, team(1), at + HOUR + 5 * MINUTE, meet)
    assert (record.reason, record.ended_at) == ("left", at + HOUR + 60)


async def test_somebody_stays_as_long_as_they_may(rig, at):
    record = await _one(rig, team(1), at + 2 * HOUR, lambda rig, room: rig.sandbox.join(room))
    assert (record.reason, record.ended_at) == ("max_call_duration", record.created_at + 30 * MINUTE)
    assert rig.asked("end") == []


async def test_what_outlives_its_length_is_ended_by_us(rig, at):
    def meet(rig, room):
        rig.sandbox.join(room)
        rig.stubborn(room)

    record = await _one(rig, team(1), at + HOUR + 35 * MINUTE, meet)
    assert (record.reason, record.ended_at) == ("by_us", record.created_at + 31 * MINUTE)
    assert rig.asked("end") == [record.created_at + 31 * MINUTE]


async def test_in_test_mode_the_link_is_told_once_and_nothing_is_asked(rig, at):
    channel = rig.channels["log"] = Failing(rig.clock, 0)
    config = rig.config(team(3, body="test_mode: true"), "requests: 100/s, concurrent_conversations: 1")
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + 2 * HOUR)
    records = rig.records().values()
    assert {(r.stage, r.reason, r.lateness_s) for r in records} == {("ended", "test_mode", 0.0)}
    assert [d.state for r in records for d in r.deliveries] == ["delivered"] * 3
    assert len(channel.tried) == 3
    assert rig.asked("get") == rig.asked("end") == []
    rig.clean()


async def test_a_channel_that_fails_is_tried_again_after_5_15_30_60(rig, at):
    channel = rig.channels["log"] = Failing(rig.clock, 5)
    record = await _one(rig, team(1, properties="participant_absent_timeout: 5m"), at + HOUR + 4 * MINUTE)
    assert _waits(channel.tried) == [5, 15, 30, 60, 60]
    assert [d.state for d in record.deliveries] == ["delivered"]
    assert (record.stage, rig.asked("end")) == ("live", [])


@pytest.mark.parametrize(("reason", "tries"), [(Reason.BUSY, 4), (Reason.LOST, 4), (Reason.REFUSED, 1)])
async def test_a_link_that_reaches_nobody_ends_its_conversation(rig, at, reason, tries):
    """A + 2 minutes: tried at 0, 5, 20 and 50 s; the next one would come when the link is dead."""
    channel = rig.channels["log"] = Failing(rig.clock, None, reason)
    record = await _one(rig, team(1), at + HOUR + 5 * MINUTE)
    assert len(channel.tried) == tries
    assert max(channel.tried) <= record.deliveries[0].not_after
    assert (record.stage, record.reason) == ("ended", "undelivered")
    assert len(rig.asked("end")) == 1
    (room,) = rig.sandbox.rooms.values()
    assert room.shutdown_reason == "end_conversation_endpoint_hit"


async def test_an_end_does_not_wait_for_a_delivery_nor_a_delivery_for_an_end(rig, at):
    """Its End is refused again and again while its link is still on the way elsewhere."""
    rig.channels["log"] = Failing(rig.clock, None)
    rig.sandbox.faults.add(Fault(kind="status", operation="end", status=500, count=None))
    async with rig.open(rig.config(team(2))) as daemon:
        await rig.until(daemon, at + HOUR + 10 * MINUTE)
    assert {(r.stage, r.reason) for r in rig.records().values()} == {("ended", "undelivered")}
    rig.clean()


async def test_a_stale_link_is_never_sent(rig, at):
    """Down from before the delivery until long after the link's death: given up, not sent."""
    config = rig.config(team(1))
    channel = rig.channels["log"] = Failing(rig.clock, None)
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR - 28)
    tried = len(channel.tried)
    rig.clock.move(at + HOUR + 5 * MINUTE)
    channel.left = 0
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR + 6 * MINUTE)
    (record,) = rig.records().values()
    assert len(channel.tried) == tried
    assert [(d.state, d.reason) for d in record.deliveries] == [("given_up", "stale")]
    assert (record.stage, record.reason) == ("ended", "undelivered")
    rig.clean()


async def test_a_link_that_still_lives_is_sent_after_a_restart(rig, at):
    config = rig.config(team(1, properties="participant_absent_timeout: 10m"))
    channel = rig.channels["log"] = Failing(rig.clock, 1)
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR - 28)
    rig.clock.move(at + HOUR + 5 * MINUTE)
    async with rig.open(config) as daemon:
        await rig.quiet(daemon)
    (record,) = rig.records().values()
    assert len(channel.tried) == 2
    assert [d.state for d in record.deliveries] == ["delivered"]


@pytest.mark.parametrize("down_s", [60.0, HOUR, 48 * HOUR])
async def test_what_ended_while_we_were_down_is_learned_at_the_start(rig, at, down_s):
    config = rig.config(team(2))
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR)
    rig.clock.move(at + HOUR + 2 * MINUTE + down_s)
    async with rig.open(config) as daemon:
        await rig.until(daemon, rig.clock.now() + 2 * MINUTE)
    first_day = [r for r in rig.records().values() if r.due == at + HOUR]
    assert {(r.reason, r.ended_at) for r in first_day} == {("absent", at + HOUR + 90)}
    rig.clean()
