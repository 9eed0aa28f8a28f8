"""Killed before and after every outside call and every commit, and started again: one conversation each."""

from __future__ import annotations

import pytest

from scheduler.ledger.connecting import connect
from tests.house.deaths import Fuse, burning, crashed, wrapped
from tests.house.places import on_both
from tests.house.teams import team

HOUR = 3600.0
PEOPLE = 3


async def _survives(rig, at, restart_after_s: float) -> None:
    config = rig.config(team(PEOPLE))
    died = await crashed(rig, config, at + HOUR + 400)
    rig.wrap, rig.driver = (lambda perform: perform), connect
    if died:
        rig.clock.move(rig.clock.now() + restart_after_s)
        assert not await crashed(rig, config, at + HOUR + 400)
    records = rig.records().values()
    assert {r.stage for r in records} == {"ended"}
    assert len(records) == PEOPLE
    by_mark = rig.rooms_by_mark()
    assert len(by_mark) == PEOPLE
    for record in records:
        assert len(by_mark[record.mark]) <= record.attempt
        if record.attempt == 1:
            assert len(by_mark[record.mark]) == 1
        told = {d.state for d in record.deliveries}
        assert told == {"delivered"} or record.reason in ("undelivered", "unseen")
    rig.clean()


@on_both
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("restart_after_s", [1.0, 100.0])
@pytest.mark.parametrize("n", range(1, 11))
async def test_killed_at_an_outside_call(rig, at, n, before, restart_after_s):
    rig.wrap = wrapped(Fuse(n), before)
    await _survives(rig, at, restart_after_s)


@on_both
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("n", range(1, 60, 3))
async def test_killed_at_a_commit(rig, at, n, before):
    rig.driver = burning(Fuse(n), before)
    await _survives(rig, at, 5.0)


async def test_the_fuse_reaches_every_kind_of_step(rig, at):
    """The calls that are killed above are all there are: ten of them, of every kind that a day needs."""
    seen = []

    def wrap(perform):
        async def performed(step, sent):
            seen.append(type(step).__name__)
            return await perform(step, sent)

        return performed

    rig.wrap = wrap
    assert not await crashed(rig, rig.config(team(PEOPLE)), at + HOUR + 400)
    assert {"Create", "Deliver", "Inspect", "Survey"} <= set(seen)
    assert len(seen) <= 14
