"""Killed before and after every outside call and every commit, and started again: one conversation each."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from scheduler.ledger.driver import SqliteDriver
from tests.house.conftest import Crash
from tests.house.teams import team

HOUR = 3600.0
PEOPLE = 3


class Fuse:
    """Burns at the n-th time it is passed, once."""

    def __init__(self, n: int) -> None:
        self.left = n

    def passed(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash


def _wrapped(fuse: Fuse, before: bool):
    def wrap(perform):
        async def performed(step, sent):
            if before:
                fuse.passed()
            outcome = await perform(step, sent)
            if not before:
                fuse.passed()
            return outcome

        return performed

    return wrap


def _driver(fuse: Fuse, before: bool):
    class Burning(SqliteDriver):
        @contextmanager
        def transaction(self):
            with super().transaction():
                yield
                if before:
                    fuse.passed()
            if not before:
                fuse.passed()

    return Burning


async def _crashed(rig, config, end) -> bool:
    try:
        async with rig.open(config) as daemon:
            await rig.until(daemon, end)
    except (Crash, BaseExceptionGroup) as error:
        assert isinstance(error, Crash) or error.split(Crash)[0] is not None, error
        return True
    return False


async def _survives(rig, at, restart_after_s: float) -> None:
    config = rig.config(team(PEOPLE))
    crashed = await _crashed(rig, config, at + HOUR + 400)
    rig.wrap, rig.driver = (lambda perform: perform), SqliteDriver
    if crashed:
        rig.clock.move(rig.clock.now() + restart_after_s)
        assert not await _crashed(rig, config, at + HOUR + 400)
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


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("restart_after_s", [1.0, 100.0])
@pytest.mark.parametrize("n", range(1, 11))
async def test_killed_at_an_outside_call(rig, at, n, before, restart_after_s):
    rig.wrap = _wrapped(Fuse(n), before)
    await _survives(rig, at, restart_after_s)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("n", range(1, 60, 3))
async def test_killed_at_a_commit(rig, at, n, before):
    rig.driver = _driver(Fuse(n), before)
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
    assert not await _crashed(rig, rig.config(team(PEOPLE)), at + HOUR + 400)
    assert {"Create", "Deliver", "Inspect", "Survey"} <= set(seen)
    assert len(seen) <= 14
