"""The n-th call to the database, to the network, to the file system fails, for each n of a short day.

Quick: every seventh n; all of them behind `long`. Nothing is double, nothing lost, and the house goes on.
"""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from jobs.tavus.sandbox import Fault, Kind, Operation, Plan, When
from scheduler.ledger import Ledger, LedgerUnavailable
from tests.house.conftest import MONDAY, Rig
from tests.house.teams import team
from tests.proofs import invariants
from tests.proofs.frail import Calls, through
from tests.proofs.proxy import Proxy, Trouble
from tests.proofs.world import straight

SLOT = MONDAY + 3600.0
BEGIN, END = SLOT - 90.0, SLOT + 310.0
PEOPLE = 2
CALLS, CONNECTIONS = 500, 9
"""At least as many as the day has; a test holds them to it."""

OUTAGES = {"once": 1, "8 times": 8}
AT_ONCE = {"refused": None, **{str(t): t for t in (Trouble.RESET_BEFORE, Trouble.RESET_AFTER)}}


def every(last: int, step: int = 7) -> pytest.MarkDecorator:
    """Each n up to `last`; in the quick part only every seventh."""
    ns = [pytest.param(n, marks=[] if n % step == 1 else [pytest.mark.long]) for n in range(1, last + 1)]
    return pytest.mark.parametrize("n", ns)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """A rig shortly before the slot, whose first answer is lost."""
    async with straight(tmp_path, Plan(concurrent=1000), BEGIN) as made:
        made.sandbox.faults.add(Fault(kind=Kind.DROP, operation=Operation.CREATE, when=When.AFTER))
        yield made


def assert_right(rig: Rig) -> None:
    """Everybody had one conversation, and its link."""
    invariants.check(rig)
    records = rig.records().values()
    assert [(r.stage, r.reason) for r in records] == [("ended", "absent")] * PEOPLE
    assert len(rig.sandbox.rooms) == PEOPLE
    assert {delivery.state for r in records for delivery in r.deliveries} == {"delivered"}


async def test_a_day_has_about_as_many_calls_as_are_failed(rig: Rig) -> None:
    calls = Calls()
    rig.driver = calls.driver
    assert await through(rig, rig.config(team(PEOPLE)), END) == 1
    assert calls.failed == 0
    assert CALLS / 2 < calls.made <= CALLS
    assert CONNECTIONS / 2 < len(rig.sandbox.requests) <= CONNECTIONS
    assert_right(rig)


# --- the database ---


@every(CALLS)
@pytest.mark.parametrize("count", OUTAGES.values(), ids=OUTAGES)
async def test_the_nth_call_to_the_database_fails(rig: Rig, n: int, count: int) -> None:
    calls = Calls(n, count)
    rig.driver = calls.driver
    await through(rig, rig.config(team(PEOPLE)), END)
    assert calls.failed == min(count, max(0, calls.made - n + 1))
    assert_right(rig)


# --- the network ---


class Door(Proxy):
    """A proxy whose n-th request is in trouble, or behind which nobody listens for 20 s from then on."""

    def __init__(self, target: str, rig: Rig, n: int, trouble: Trouble | None) -> None:
        super().__init__(target, rig.clock.now)
        self._rig, self._n, self._trouble = rig, n, trouble
        self._server: asyncio.Server | None = None
        self._shut_at: float | None = None
        self._port_here = 0

    def _draw(self, operation: str):
        if len(self.requests) == self._n and self._trouble is not None:
            self.add(self._trouble)
        return super()._draw(operation)

    async def listen(self) -> str:
        """Open the door; where."""
        self._server = await asyncio.start_server(self.connected, "127.0.0.1", self._port_here)
        self._port_here = self._server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{self._port_here}"

    def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def look(self) -> None:
        """Between two turns: shut the door before the n-th request, open it again 20 s later."""
        now = self._rig.clock.now()
        if self._trouble is None and self._shut_at is None and len(self.requests) >= self._n - 1:
            self.shut()
            self._shut_at = now
        if self._server is None and self._shut_at is not None and now >= self._shut_at + 20:
            await self.listen()


@asynccontextmanager
async def behind_a_door(rig: Rig, n: int, trouble: Trouble | None) -> AsyncIterator[Door]:
    door = Door(rig.base_url, rig, n, trouble)
    rig.base_url = await door.listen()
    try:
        yield door
    finally:
        door.shut()
        await door.closed()


@every(CONNECTIONS, 3)
@pytest.mark.parametrize("trouble", AT_ONCE.values(), ids=AT_ONCE)
async def test_the_nth_connection_fails(rig: Rig, n: int, trouble: Trouble | None) -> None:
    rig.sandbox.faults.clear()
    async with behind_a_door(rig, n, trouble) as door:
        await through(rig, rig.config(team(PEOPLE)), END, door.look)
    assert_right(rig)


# --- files ---


@contextmanager
def descriptors_left(count: int) -> Iterator[None]:
    """A process that may open this many files more, and then none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest, held = max(int(name) for name in os.listdir("/proc/self/fd")), [os.dup(0)]
    while held[-1] <= highest:
        held.append(os.dup(0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (held[-1] + 1 + count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for each in held:
            os.close(each)


ENOUGH = 5
"""Descriptors to open a ledger: the lock, the file, its log and index, and one for a moment."""


@pytest.mark.parametrize("count", range(9))
@pytest.mark.parametrize("born", [False, True])
def test_the_nth_file_can_not_be_opened(tmp_path: Path, count: int, born: bool) -> None:
    """Each time it is said what is wrong with which file; with enough of them the ledger opens, whole."""
    path = tmp_path / "callboard.db"
    if born:
        Ledger.open(path, "http://127.0.0.1:1", MONDAY).close()
    with descriptors_left(count):
        try:
            Ledger.open(path, "http://127.0.0.1:1", MONDAY).close()
        except LedgerUnavailable as error:
            assert "Too many open files" in str(error) or "unable to open" in str(error)
            assert "\n" not in str(error)
            assert count < ENOUGH
        else:
            assert count >= ENOUGH
    Ledger.open(path, "http://127.0.0.1:1", MONDAY).close()
