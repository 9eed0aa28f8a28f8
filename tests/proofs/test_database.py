"""The database goes away at the n-th call, at the n-th commit, or for a while, for each n of a short day.

Connections are really cut, and the server really stops. Quick: some of them; all behind `long`.
Nothing is double, nothing lost, and the house goes on.
"""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jobs.tavus.sandbox import Fault, Kind, Operation, Plan, When
from scheduler.ledger import Place, place_of
from scheduler.ledger.driver import Driver
from tests.contract.ledger.gate import Gate, gated
from tests.house.conftest import Rig
from tests.house.teams import team
from tests.postgres import Missing, Server, running, skipped
from tests.proofs.frail import Calls, through
from tests.proofs.test_storage import BEGIN, END, PEOPLE, assert_right, every
from tests.proofs.world import straight

CALLS, COMMITS = 300, 60
"""At least as many as the day has; a test holds them to it."""

FAILURES = 3
"""A server that stopped comes back when so much was in vain."""


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server of this file's, that may be stopped."""
    try:
        with running() as server:
            yield server
    except Missing as error:
        skipped(error)


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
    assert calls.failed == (calls.made >= n)
    assert_right(rig)


@every(CALLS, 47)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "power-cut"])
async def test_the_server_is_away_from_the_nth_call_on(
    own: Server, rig: Rig, n: int, how: signal.Signals
) -> None:
    suffered = [0]

    def suffer() -> None:
        """Whatever is in vain: a call, a turn, an opening."""
        suffered[0] += not own.runs
        if suffered[0] >= FAILURES and not own.runs:
            own.start()

    async def each() -> None:
        suffer()

    def opened(place: Place) -> Driver:
        suffer()
        return calls.driver(place)

    calls = Calls(n, on_failure=suffer, strike=lambda: own.stop(how))
    rig.driver = opened
    try:
        await through(rig, rig.config(team(PEOPLE)), END, each)
    finally:
        if not own.runs:
            own.start()
    assert (calls.failed > 0) == (calls.made >= n)
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
