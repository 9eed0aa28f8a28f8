"""Everything at once, by dice: faults, people, edits, crashes, a clock set. The promises hold (S16)."""

from __future__ import annotations

import random

import pytest

from jobs.tavus.sandbox import Fault, RoomClosed
from tests.house.conftest import Crash
from tests.house.teams import team

MINUTE, HOUR = 60.0, 3600.0
SLOTS = '["08:00", "08:10", "08:30", "08:35"]'
PEOPLE = 6


def _any_fault(dice):
    """Something that goes wrong for a while, of every kind that the API's answers can have."""
    operation = dice.choice(["create", "create", "list", "get", "end"])
    kind = dice.choice(["status", "drop", "truncated", "html", "wrong_json", "list_lag"])
    more = {"count": dice.randint(1, 4), "seed": dice.randint(0, 99)}
    if kind == "status":
        return Fault(kind=kind, operation=operation, status=dice.choice([429, 408, 500, 502, 503]), **more)
    if kind == "drop":
        return Fault(kind=kind, operation=operation, when=dice.choice(["before", "after"]), **more)
    if kind == "list_lag":
        return Fault(kind=kind, operation="list", seconds=dice.choice([5, 20, 50]), **more)
    return Fault(kind=kind, operation=operation, **more)


def _any_habit(dice, sandbox):
    """Somebody comes, somebody goes."""
    active = [room.conversation_id for room in sandbox.rooms.values() if room.status == "active"]
    if not active:
        return
    try:
        dice.choice([sandbox.join, sandbox.leave])(dice.choice(active))
    except RoomClosed:
        return


async def _an_hour(rig, dice, daemon, config, end):
    while rig.clock.now() < end:
        await rig.until(daemon, rig.clock.now() + dice.expovariate(1 / 40))
        event = dice.random()
        if event < 0.3:
            rig.sandbox.faults.add(_any_fault(dice))
        elif event < 0.6:
            _any_habit(dice, rig.sandbox)
        elif event < 0.65:
            rig.clock.set_wall(rig.clock.now() + dice.choice([-90, -20, 20, 90]))
        elif event < 0.7:
            daemon.reload(config)
        elif event < 0.76:
            raise Crash


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_each_promise_has_one_conversation_and_a_reason(rig, at, seed):
    dice = random.Random(seed)
    extra = dice.choice(["", "overlap: allow", "start_window: 3m"])
    config = rig.config(team(PEOPLE, at=SLOTS, extra=extra), "requests: 5/s, concurrent_conversations: 8")
    rig.clock.move(at + 0.9 * HOUR)
    while rig.clock.now() < at + 1.7 * HOUR:
        try:
            async with rig.open(config) as daemon:
                await _an_hour(rig, dice, daemon, config, at + 1.7 * HOUR)
        except Crash:
            rig.clock.move(rig.clock.now() + dice.choice([0.5, 5, 50]))
    rig.sandbox.faults.clear()
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + 3 * HOUR)
    _holds(rig)


def _holds(rig):
    records = [r for r in rig.records().values() if r.date == "2026-11-30"]
    by_mark = rig.rooms_by_mark()
    assert len(records) == PEOPLE * 4
    assert {str(r.stage) for r in records} <= {"ended", "missed", "skipped", "failed"}
    for record in records:
        rooms = by_mark.pop(record.mark, [])
        assert len(rooms) <= record.attempt
        known = {record.conversation_id, *(stray.conversation_id for stray in record.strays)}
        assert all(rig.sandbox.rooms[room].status == "ended" for room in rooms)
        # Only what ended by itself before anybody could see it may be unknown to us.
        assert len(set(rooms) - known) <= record.attempt - 1
    assert by_mark == {}
    rig.clean()
