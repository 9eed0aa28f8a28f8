"""The rig: a real house in virtual time.

Everything is real - HTTP, SQLite, the daemon's turns - but the clock, which stands still until the
test moves it to the earlier of the daemon's next turn and the sandbox's next event. Nobody sleeps.
A house can crash (a private BaseException out of `perform` or a commit) and be opened again on the
same ledger.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest

from jobs.channels import Channel
from jobs.channels.log import LogChannel
from jobs.model import Outcome, Sent, Step
from jobs.perform import Hands
from jobs.tavus.client import connect
from jobs.tavus.sandbox import Plan, Sandbox
from jobs.tavus.sandbox.life import Timers
from scheduler.app.letters import composer
from scheduler.clock import Bell, Clock
from scheduler.config import load
from scheduler.daemon import Daemon
from scheduler.ledger import Ledger, Place, place_of
from scheduler.ledger.audit import audit
from scheduler.ledger.connecting import connect as ledger_driver
from scheduler.ledger.driver import Driver
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Config
from scheduler.record import Record
from scheduler.runner import Compose
from scheduler.telemetry import Telemetry

MONDAY = datetime.fromisoformat("2026-11-30T07:00:00+00:00").timestamp()


class VirtualClock(Clock):
    """Stands still until it is moved; `boot` may drift from `now` when the test sets the wall clock."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._boot = 1_000.0

    def now(self) -> float:
        return self._now

    def boot(self) -> float:
        return self._boot

    async def sleep_until(self, when: float | None, bell: Bell, at_most_s: float) -> bool:
        return bell.take()

    def move(self, to: float) -> None:
        """Time passes."""
        self._boot += to - self._now
        self._now = to

    def set_wall(self, to: float) -> None:
        """Somebody sets the clock."""
        self._now = to


class Crash(BaseException):
    """The process dies here."""


Perform = Callable[[Step, Sent], Awaitable[Outcome]]
Wrap = Callable[[Perform], Perform]


class Rig:
    """A sandbox, a clock and a folder; `open` opens a house on them. The ledger is a file in the folder,
    unless it has a `place` of its own."""

    def __init__(
        self, folder: Path, clock: VirtualClock, sandbox: Sandbox, base_url: str, place: Place | None = None
    ) -> None:
        self.folder = folder
        self.clock = clock
        self.sandbox = sandbox
        self.base_url = base_url
        self.place: Place = place or folder / "callboard.db"
        self.wrap: Wrap = lambda perform: perform
        self.driver: Callable[[Place], Driver] = ledger_driver
        self.total_s = 5.0
        self.channels: dict[str, Channel] = {"log": LogChannel()}
        self.compose: Compose | None = None
        self.listen: Callable[[Ledger], None] = lambda ledger: None

    def config(self, text: str, account: str = "requests: 1000/s, concurrent_conversations: 1000") -> Config:
        """A configuration; `text` begins at `schedules` (and `rosters`, `defaults`)."""
        path = self.folder / "callboard.yaml"
        path.write_text(f"version: 1\naccount: {{base_url: '{self.base_url}', {account}}}\n{text}")
        return load([path])

    @asynccontextmanager
    async def open(self, config: Config) -> AsyncIterator[Daemon]:
        """A house at work; leaving it drains."""
        async with connect(self.base_url, "test-key", total_s=self.total_s, connect_s=2.0) as tavus:
            ledger = Ledger.open(self.place, self.base_url, self.clock.now(), self.driver)
            self.listen(ledger)
            hands = Hands(tavus, self.channels)
            try:
                perform = self.wrap(hands.perform)
                compose = self.compose or composer(config.mail and config.mail.sender)
                async with Daemon(ledger, perform, self.clock, config, Telemetry(), compose) as daemon:
                    yield daemon
            finally:
                ledger.close()

    async def quiet(self, daemon: Daemon, most_turns: int = 400) -> None:
        """Turn until nothing is in hand and no bell rings; then no grant is out either."""
        for _ in range(most_turns):
            await daemon.turn()
            await daemon.settled()
            if not daemon.bell.take():
                assert daemon._limits._window.outstanding == 0, "a grant leaked"
                return
        raise AssertionError("the house never comes to rest")

    async def until(self, daemon: Daemon, end: float) -> None:
        """Let time pass to `end`, stopping wherever somebody wants a turn."""
        await self.quiet(daemon)
        while self.clock.now() < end:
            times = (daemon.next_turn(), self.sandbox.next_event(), end)
            to = min(t for t in times if t is not None)
            assert to > self.clock.now(), "somebody wants a turn that has just been made"
            self.clock.move(min(to, end))
            await self.sandbox.pump()
            await self.quiet(daemon)

    def stubborn(self, conversation_id: str) -> None:
        """From now on this conversation knows no clocks: only an End ends it."""
        room = self.sandbox.rooms[conversation_id]
        room.life = replace(room.life, timers=Timers(10**6, 10**6, 10**6))

    async def somebody_else_creates(self, name: str) -> None:
        """A conversation of the same account that is none of ours."""
        body = {"persona_id": "pdced222244b", "replica_id": "rfe12d8b9597", "conversation_name": name}
        url, key = f"{self.base_url}/v2/conversations", {"x-api-key": "theirs"}
        async with aiohttp.request("POST", url, json=body, headers=key) as answer:
            assert answer.status == 200

    def asked(self, operation: str) -> list[float]:
        """When the server was asked for this."""
        return [seen.at for seen in self.sandbox.requests if seen.operation == operation]

    def stories(self) -> dict[str, list[str]]:
        """Every record's facts by kind, in their order, by key."""
        with Snapshot.open(self.place) as snapshot:
            return {key: [told.kind for told in story] for key, story in snapshot.stories()}

    def details(self, kind: str) -> list[str]:
        """What the facts of this kind say, in the ledger's own words."""
        with Snapshot.open(self.place) as snapshot:
            return [told.data for _, story in snapshot.stories() for told in story if told.kind == kind]

    def promised_in_gaps(self) -> list[int]:
        """How many promises each gap row stands for."""
        with Snapshot.open(self.place) as snapshot:
            gaps = [told.data for _, story in snapshot.stories() for told in story if '"gap"' in told.data]
        return [int(json.loads(data)["promises"]) for data in gaps]

    def holds(self) -> list[str]:
        """The reasons of the holds in force."""
        with Snapshot.open(self.place) as snapshot:
            return [str(hold.reason) for hold in snapshot.holds()]

    def records(self) -> dict[str, Record]:
        """Every record, by key."""
        with Snapshot.open(self.place) as snapshot:
            return {record.key: record for record in snapshot.records()}

    def clean(self) -> None:
        """The audit finds nothing, and the server has at most one conversation for each promise."""
        with Snapshot.open(self.place) as snapshot:
            assert audit(snapshot).faults == []

    def rooms_by_mark(self) -> dict[str, list[str]]:
        """The server's conversations by the mark in their names."""
        rooms: dict[str, list[str]] = {}
        for room in self.sandbox.rooms.values():
            name = str(room.body["conversation_name"])
            rooms.setdefault(name.rsplit("[cb-", 1)[1][:16], []).append(room.conversation_id)
        return rooms


@pytest.fixture
def at() -> float:
    """When the rig's clock begins: Monday 2026-11-30, 07:00 UTC."""
    return MONDAY


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A file, or where a test asks for it (`places.on_both`) a database."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return tmp_path / "callboard.db"
    return place_of(request.getfixturevalue("postgres").new())


@pytest.fixture
async def rig(tmp_path: Path, at: float, place: Place) -> AsyncIterator[Rig]:
    """A rig with a generous plan."""
    clock = VirtualClock(at)
    sandbox = Sandbox(clock.now, Plan(concurrent=1000))
    async with sandbox.serving() as base_url:
        yield Rig(tmp_path, clock, sandbox, base_url, place)
        await asyncio.get_running_loop().shutdown_default_executor()
