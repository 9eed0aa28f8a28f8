"""A ledger's file that is not what it was: headers, pages and a log that were damaged while nobody looked.

What can be told is refused in one line and left as it is. What can't be told - a log that was cut short is a
ledger of a little earlier - costs a second room at most for what was forgotten, which is found and ended.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jobs.tavus.sandbox import Plan
from scheduler.ledger import Ledger, LedgerError
from scheduler.ledger.audit import audit
from scheduler.ledger.snapshot import Snapshot
from tests.house.conftest import MONDAY, Rig
from tests.house.teams import team
from tests.proofs import invariants
from tests.proofs.frail import through
from tests.proofs.world import straight

SLOT = MONDAY + 3600.0
BEGIN, END = SLOT - 90.0, SLOT + 310.0
PEOPLE = 3
HEADER = 100
"""Bytes of SQLite's header."""


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with straight(tmp_path, Plan(concurrent=1000), BEGIN) as made:
        yield made


@pytest.fixture
async def whole(rig: Rig) -> bytes:
    """A closed ledger with a day in it."""
    await through(rig, rig.config(team(PEOPLE)), END)
    return rig.place.read_bytes()


def outcome(path: Path, base_url: str) -> str:
    """What comes of opening it: `whole`, or the line with which it is refused; then it is as it was."""
    before = path.read_bytes()
    try:
        Ledger.open(path, base_url, END).close()
        with Snapshot.open(path) as snapshot:
            assert audit(snapshot).faults == []
    except LedgerError as error:
        assert path.name in str(error)
        assert "\n" not in str(error)
        assert path.read_bytes()[HEADER:] == before[HEADER:]
        return str(error)
    return "whole"


@pytest.mark.parametrize("seed", range(3))
async def test_each_byte_of_the_header(rig: Rig, whole: bytes, seed: int) -> None:
    """It is refused, or it did not matter."""
    dice, refused = random.Random(seed), 0
    for at in range(HEADER):
        damaged = bytearray(whole)
        damaged[at] ^= dice.randint(1, 255)
        rig.place.write_bytes(damaged)
        refused += outcome(rig.place, rig.base_url) != "whole"
    assert refused > HEADER / 4
    rig.place.write_bytes(whole)
    assert outcome(rig.place, rig.base_url) == "whole"


@pytest.mark.parametrize("left", [2, 99, 100, 512, 4096, 10_000])
async def test_a_file_cut_short(rig: Rig, whole: bytes, left: int) -> None:
    rig.place.write_bytes(whole[:left])
    assert outcome(rig.place, rig.base_url) != "whole"


@pytest.mark.parametrize("share", [0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
async def test_a_log_cut_short(rig: Rig, tmp_path: Path, share: float) -> None:
    """The ledger of some commits ago goes on from there; in the end nothing of ours is left running."""
    config, kept = rig.config(team(PEOPLE)), tmp_path / "kept"
    kept.mkdir()

    async def look() -> None:
        if len(rig.sandbox.rooms) == PEOPLE:
            for name in ("callboard.db", "callboard.db-wal"):
                shutil.copy(tmp_path / name, kept / name)

    await through(rig, config, SLOT - 20, look)
    for name in ("callboard.db", "callboard.db-wal"):
        shutil.copy(kept / name, tmp_path / name)
    log = tmp_path / "callboard.db-wal"
    whole = log.read_bytes()
    log.write_bytes(whole[: max(0, int(len(whole) * share) - 1)])
    await through(rig, config, END)
    with sqlite3.connect(rig.place) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    raw.close()
    rig.clean()
    invariants.assert_settled(rig)
    records = rig.records().values()
    forgotten = len(rig.sandbox.rooms) - PEOPLE
    assert sum(len(r.strays) for r in records) == forgotten
    assert forgotten <= PEOPLE
    assert forgotten == 0 or share < 1.0, "what stands in the log is remembered"
