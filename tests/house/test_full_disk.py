"""A ledger that can't be written: nothing is created that can't be recorded, nothing made is forgotten."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from jobs.tavus.sandbox import Fault
from scheduler.ledger import LedgerUnavailable
from scheduler.ledger.sqlite import SqliteDriver
from tests.house.post import Office
from tests.house.teams import mailed, team

MINUTE, HOUR = 60.0, 3600.0


class Disk:
    """Full for some commits: `full` from now on, or the next `left` ones, after `passed` good ones."""

    def __init__(self) -> None:
        self.full = False
        self.passed = 0
        self.left = 0

    def write(self) -> None:
        if self.passed > 0:
            self.passed -= 1
            return
        if self.full or self.left > 0:
            self.left -= 1
            raise LedgerUnavailable("disk full")

    def driver(self):
        disk = self

        class Filling(SqliteDriver):
            @contextmanager
            def transaction(self):
                with super().transaction():
                    yield
                    disk.write()

        return Filling


@pytest.fixture
def disk(rig):
    disk = Disk()
    rig.driver = disk.driver()
    return disk


async def _turns(rig, daemon, end):
    """Like `until`, but as `run` does it: a turn that can't be written is made again later."""
    await _quiet(daemon)
    while rig.clock.now() < end:
        times = (daemon.next_turn(), rig.sandbox.next_event(), end)
        to = min(t for t in times if t is not None)
        assert to > rig.clock.now(), "it spins"
        rig.clock.move(min(to, end))
        await _quiet(daemon)


async def _quiet(daemon):
    for _ in range(200):
        await daemon._try_turn()
        await daemon.settled()
        if not daemon.bell.take():
            assert daemon._limits._window.outstanding == 0, "a grant leaked"
            return
    raise AssertionError("the house never comes to rest")


async def test_nothing_is_created_while_nothing_can_be_recorded(rig, at, disk):
    async with rig.open(rig.config(team(3))) as daemon:
        await _turns(rig, daemon, at + 0.9 * HOUR)
        disk.full = True
        with capture_logs() as lines:
            await _turns(rig, daemon, at + HOUR + 2 * MINUTE)
            assert rig.asked("create") == []
            disk.full = False
            await _turns(rig, daemon, at + HOUR + 3 * MINUTE)
        assert len(rig.sandbox.rooms) == 3
    told = [(line["event"], line["log_level"]) for line in lines if line["event"].startswith("ledger")]
    assert told == [("ledger_unavailable", "warning"), ("ledger_available", "info")]
    assert {r.lateness_s for r in rig.records().values()} <= {120.0, 125.0}
    rig.clean()


@pytest.mark.parametrize("passed", range(12))
async def test_a_short_failure_at_any_commit_of_the_slot_harms_nobody(rig, at, disk, passed):
    """Whatever it hits - the claim, the answer, the delivery, the next look - each has one conversation."""
    async with rig.open(rig.config(team(3))) as daemon:
        await _turns(rig, daemon, at + HOUR - 31)
        disk.passed, disk.left = passed, 3
        await _turns(rig, daemon, at + HOUR + MINUTE)
        await _turns(rig, daemon, at + HOUR + 10 * MINUTE)
    records = rig.records().values()
    assert {(r.stage, r.reason, r.attempt, r.faults) for r in records} == {("ended", "absent", 1, 0)}
    assert len(rig.sandbox.rooms) == 3
    rig.clean()


@pytest.mark.parametrize("passed", range(12))
async def test_a_short_failure_at_any_commit_of_the_slot_loses_and_repeats_no_letter(rig, at, disk, passed):
    office = rig.channels["mail"] = Office(rig.clock.now)
    async with rig.open(rig.config(mailed(3))) as daemon:
        await _turns(rig, daemon, at + HOUR - 31)
        disk.passed, disk.left = passed, 3
        await _turns(rig, daemon, at + HOUR + MINUTE)
    assert sorted(step.address.target for _, step in office.taken) == [
        f"p00{n}@example.com" for n in range(3)
    ]
    assert all(step.url.encode() in (step.message or b"") for _, step in office.taken)
    assert {d.state for r in rig.records().values() for d in r.deliveries} == {"delivered"}
    rig.clean()


@pytest.mark.parametrize("passed", range(8))
async def test_a_short_failure_during_a_look_harms_nobody(rig, at, disk, passed):
    rig.sandbox.faults.add(Fault(kind="drop", operation="create", when="after"))
    async with rig.open(rig.config(team(1))) as daemon:
        await _turns(rig, daemon, at + HOUR - 29)
        disk.passed, disk.left = passed, 3
        await _turns(rig, daemon, at + HOUR + MINUTE)
    assert {(r.stage, r.attempt, r.faults) for r in rig.records().values()} == {("live", 1, 0)}
    assert len(rig.sandbox.rooms) == 1
    rig.clean()


@pytest.mark.parametrize("passed", range(8))
async def test_a_short_failure_when_the_key_is_refused_forgets_no_hold(rig, at, disk, passed):
    async with rig.open(rig.config(team(2))) as daemon:
        await _turns(rig, daemon, at + HOUR - 31)
        rig.sandbox.faults.add(Fault(kind="status", status=401, count=2))
        disk.passed, disk.left = passed, 3
        await _turns(rig, daemon, at + HOUR)
        assert rig.holds() == ["denied"]
        await _turns(rig, daemon, at + HOUR + 9 * MINUTE)
        assert rig.holds() == []
    assert {(r.stage, r.reason, r.faults) for r in rig.records().values()} == {("ended", "absent", 0)}
    rig.clean()


@pytest.mark.parametrize("passed", range(6))
async def test_a_reload_on_a_full_disk_is_made_when_there_is_room(rig, at, disk, passed):
    async with rig.open(rig.config(team(2))) as daemon:
        await _turns(rig, daemon, at + HOUR - 5 * MINUTE)
        disk.passed, disk.left = passed, 2
        daemon.reload(rig.config(team(3, body="custom_greeting: Hello")))
        await _turns(rig, daemon, at + HOUR)
    assert len(rig.sandbox.rooms) == 3
    assert {room.body.get("custom_greeting") for room in rig.sandbox.rooms.values()} == {"Hello"}
    rig.clean()


@pytest.mark.parametrize("passed", range(3))
async def test_a_clock_hold_on_a_full_disk_is_begun_and_lifted(rig, at, disk, passed):
    async with rig.open(rig.config(team(1))) as daemon:
        await _turns(rig, daemon, at + 0.5 * HOUR)
        disk.passed, disk.left = passed, 2
        rig.clock.set_wall(at + 12 * HOUR)
        await _turns(rig, daemon, at + 12 * HOUR + 100)
        assert rig.holds() == ["clock_held"]
        disk.passed, disk.left = 0, 2
        await _turns(rig, daemon, at + 12 * HOUR + 3 * MINUTE)
        assert rig.holds() == []


async def test_a_broken_ledger_ends_the_house_with_its_own_words(rig, at):
    """What can't pass is raised as it is: the command turns it into one line."""
    from scheduler.ledger import LedgerDamaged

    with pytest.raises(LedgerDamaged, match="malformed"):
        async with rig.open(rig.config(team(1))) as daemon:
            await rig.until(daemon, at + HOUR)

            class Broken(SqliteDriver):
                def fetch(self, sql, params=()):
                    raise LedgerDamaged("database disk image is malformed")

            daemon.ledger._writer._driver.__class__ = Broken
            await daemon.turn()
    await asyncio.sleep(0)
