"""A disk that is full or read-only, a ledger that is busy: nothing is created that can't be recorded, it is
said, and it goes on when it can.

The disk is a small tmpfs, which only a super-user may mount; elsewhere these tests are skipped.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from jobs.tavus.sandbox import Plan
from scheduler.ledger import Ledger, LedgerUnavailable
from scheduler.ledger.audit import audit
from scheduler.ledger.snapshot import Snapshot
from tests.house.conftest import MONDAY, Rig
from tests.house.teams import team
from tests.proofs import invariants
from tests.proofs.frail import Calls, through
from tests.proofs.world import straight

SLOT = MONDAY + 3600.0
BEGIN, END = SLOT - 90.0, SLOT + 310.0
PEOPLE = 3
FAILURES = 8
"""After so many refused calls there is room again: less than the half minute of a person's patience."""

MOMENTS = {
    "before the first turn": BEGIN,
    "before the slot": SLOT - 31.0,
    "while they are live": SLOT,
    "when they end": SLOT + 80.0,
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only a super-user can mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
async def rig(disk: Path) -> AsyncIterator[Rig]:
    async with straight(disk, Plan(concurrent=1000), BEGIN) as made:
        yield made


class Filler:
    """Takes all that is left of a disk, and gives it back."""

    def __init__(self, disk: Path) -> None:
        self._path = disk / "filler"

    def fill(self) -> None:
        with self._path.open("ab", buffering=0) as file:
            for piece in (65536, 4096, 512, 1):
                while _fits(file, piece):
                    pass

    def empty(self) -> None:
        self._path.unlink(missing_ok=True)


def _fits(file: object, size: int) -> bool:
    try:
        return file.write(b"\0" * size) == size  # type: ignore[attr-defined]
    except OSError:
        return False


def assert_right(rig: Rig) -> None:
    """One conversation each, told in time."""
    invariants.check(rig)
    records = rig.records().values()
    assert [(r.stage, r.reason) for r in records] == [("ended", "absent")] * PEOPLE
    assert len(rig.sandbox.rooms) == PEOPLE
    assert {delivery.state for r in records for delivery in r.deliveries} == {"delivered"}


# --- full ---


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
async def test_a_disk_that_fills_up_and_is_emptied(rig: Rig, disk: Path, moment: float) -> None:
    """What was made while it was full is in hand until it can be written: nobody has a second room."""
    filler, filled = Filler(disk), []

    def relieved() -> None:
        if calls.failed >= FAILURES:
            filler.empty()

    async def look() -> None:
        if rig.clock.now() >= moment and not filled:
            filler.fill()
            filled.append(moment)

    calls = Calls(on_failure=relieved)
    rig.driver = calls.driver
    config = rig.config(team(PEOPLE))
    with capture_logs() as lines:
        await through(rig, config, END, look)
    assert calls.failed >= FAILURES
    told = [line["event"] for line in lines if line["event"].startswith("ledger")]
    assert told in (["ledger_unavailable", "ledger_available"], [])
    assert_right(rig)


async def test_on_a_full_disk_nothing_is_created(rig: Rig, disk: Path) -> None:
    """The window passes; afterwards the promises are missed, with a reason."""
    filler = Filler(disk)
    config = rig.config(team(PEOPLE, extra="start_window: 60s"))

    async def look() -> None:
        if rig.clock.now() > SLOT + 90:
            filler.empty()
        elif rig.clock.now() >= SLOT - 31:
            filler.fill()

    with capture_logs() as lines:
        await through(rig, config, END, look)
    assert rig.asked("create") == []
    assert {(r.stage, r.reason) for r in rig.records().values()} == {("missed", "late")}
    assert [line["event"] for line in lines].count("ledger_unavailable") <= 1
    invariants.check(rig)


def test_a_ledger_on_a_full_disk_is_refused_in_a_line(disk: Path) -> None:
    filler = Filler(disk)
    filler.fill()
    path = disk / "callboard.db"
    with pytest.raises(LedgerUnavailable, match=r"callboard\.db.*(full|space)"):
        Ledger.open(path, "http://127.0.0.1:1", MONDAY)
    filler.empty()
    Ledger.open(path, "http://127.0.0.1:1", MONDAY).close()


# --- read-only, busy ---


def test_a_read_only_disk_is_refused_in_a_line(disk: Path) -> None:
    path = disk / "callboard.db"
    Ledger.open(path, "http://127.0.0.1:1", MONDAY).close()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(LedgerUnavailable, match=r"callboard\.db"):
        Ledger.open(path, "http://127.0.0.1:1", MONDAY)
    with Snapshot.open(path) as snapshot:
        assert audit(snapshot).faults == []
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    Ledger.open(path, "http://127.0.0.1:1", MONDAY).close()


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
async def test_a_ledger_that_can_only_be_read_for_a_while(rig: Rig, moment: float) -> None:
    done = []

    def relieved() -> None:
        if calls.failed == FAILURES:
            calls.query("PRAGMA query_only = 0")

    async def look() -> None:
        if rig.clock.now() >= moment and not done:
            done.append(calls.query("PRAGMA query_only = 1"))

    calls = Calls(on_failure=relieved)
    rig.driver = calls.driver
    await through(rig, rig.config(team(PEOPLE)), END, look)
    assert calls.failed == FAILURES
    assert_right(rig)


@pytest.mark.parametrize("moment", [SLOT - 31.0, SLOT])
async def test_a_ledger_that_somebody_else_locks(rig: Rig, moment: float) -> None:
    """A program that opens the file and writes: whoever waits for it longer than 2 s tries again later."""
    others: list[sqlite3.Connection] = []

    def relieved() -> None:
        others[0].rollback()

    async def look() -> None:
        if rig.clock.now() >= moment and not others:
            others.append(sqlite3.connect(rig.place, isolation_level=None, check_same_thread=False))
            others[0].execute("BEGIN IMMEDIATE")

    calls = Calls(on_failure=relieved)
    rig.driver = calls.driver
    await through(rig, rig.config(team(PEOPLE)), END, look)
    others[0].close()
    assert calls.failed == 1
    assert_right(rig)
