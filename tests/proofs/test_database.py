"""The connection to the database is cut at the n-th call or the n-th commit, for each n of a short day.

Quick: some of them; all behind `long`. Nothing is double, nothing lost, and the house goes on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jobs.tavus.sandbox import Fault, Kind, Operation, Plan, When
from scheduler.ledger import place_of
from tests.contract.ledger.gate import Gate, gated
from tests.house.conftest import Rig
from tests.house.teams import team
from tests.postgres import Server, served
from tests.proofs.frail import Calls, through
from tests.proofs.test_storage import BEGIN, END, PEOPLE, assert_right, every
from tests.proofs.world import straight

CALLS, COMMITS = 330, 60
"""At least as many as the day has; a test holds them to it."""


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server of this file's, whose connections may be cut."""
    with served() as server:
        yield server


@pytest.fixture
def url(own: Server) -> str:
    return own.new()


@pytest.fixture
async def rig(tmp_path: Path, url: str) -> AsyncIterator[Rig]:
    """A rig shortly before the slot, whose first answer is lost."""
    async with straight(tmp_path, Plan(concurrent=1000), BEGIN, place_of(url)) as made:
        made.sandbox.faults.add(Fault(kind=Kind.DROP, operation=Operation.CREATE, when=When.AFTER))
        yield made


@pytest.fixture
def gate(own: Server) -> Iterator[Gate]:
    with gated(own.folder) as made:
        yield made


async def test_a_day_has_about_as_many_as_are_struck(rig: Rig, gate: Gate, url: str) -> None:
    calls, rig.place = Calls(), place_of(gate.through(url))
    rig.driver = calls.driver
    await through(rig, rig.config(team(PEOPLE)), END)
    assert CALLS / 2 < calls.made <= CALLS
    assert COMMITS / 2 < -gate.spares <= COMMITS
    assert_right(rig)


@every(CALLS, 11)
async def test_the_connection_is_cut_at_the_nth_call(own: Server, rig: Rig, n: int) -> None:
    calls = Calls(n, strike=own.cut)
    rig.driver = calls.driver
    await through(rig, rig.config(team(PEOPLE)), END)
    assert calls.failed <= 1  # rows of which there are none, say, fail only at their commit
    assert_right(rig)


@every(COMMITS, 7)
@pytest.mark.parametrize("swallows", ["commit", "answer"])
async def test_the_nth_commit_is_lost_or_its_answer(
    rig: Rig, gate: Gate, url: str, n: int, swallows: str
) -> None:
    rig.place = place_of(gate.through(url))
    gate.swallows, gate.spares = swallows, n - 1
    await through(rig, rig.config(team(PEOPLE)), END)
    rig.place = place_of(url)
    assert gate.swallowed == ([swallows] if gate.spares < 0 else [])
    assert_right(rig)
