"""What the parts share: people, configurations, a clock that can be set, quiet logs, a house of its own."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from datetime import time as local_time
from pathlib import Path

from jobs.model import ConversationRequest, Outcome, Page, Participant, Properties, Sent, Step
from scheduler.clock import Clock
from scheduler.daemon import Daemon
from scheduler.ledger import Database, Ledger
from scheduler.model import Account, Config, Days, Rate, Schedule, Service, Slot, When
from scheduler.runner import Perform
from scheduler.settings import LogStyle, Secret
from scheduler.telemetry import Telemetry, configure

LEAD_S = 30.0
LOOK_S = 0.05
SLOT_AT = datetime.fromisoformat("2026-11-30T09:00:00+00:00").timestamp()
"""A Monday; everybody's slot."""
OPENS_AT = SLOT_AT - LEAD_S
TICK_S = 0.001
"""How often the loop is looked at: seldom enough to cost nothing."""

UNLIMITED = Rate(100_000, 1.0)
REQUEST = ConversationRequest(
    persona_id="pdced222244b",
    replica_id="rfe12d8b9597",
    conversation_name="Improve Sales Technique",
    conversational_context=(
        "I want to improve my sales techniques. Help me practice handling common objections from clients and "
        "closing deals more effectively. My name is {{ participant.name }}."
    ),
    properties=Properties(participant_absent_timeout=600),
)


class BenchClock(Clock):
    """The machine's clock, shifted to wherever the part wants to be; it goes on at its usual speed."""

    def __init__(self, now: float) -> None:
        self.set(now)

    def set(self, now: float) -> None:
        self._shift_s = now - time.perf_counter()

    def now(self) -> float:
        return time.perf_counter() + self._shift_s

    def boot(self) -> float:
        return self.now()


def people(number: int) -> tuple[Participant, ...]:
    return tuple(Participant(f"p{n:05}", f"Person {n}", f"p{n}@example.com", "UTC") for n in range(number))


def schedule(number: int, *, weekdays: Iterable[int] = range(7), at: local_time = local_time(9)) -> Schedule:
    """One slot a day for so many people."""
    when = When(Days(frozenset(weekdays), (Slot("slot", at),)), "UTC")
    return Schedule(name="practice", when=(when,), participants=people(number), request=REQUEST)


def opening_in(seconds: float, number: int) -> Schedule:
    """One slot for so many people that opens so many seconds from now, by the machine's clock: a house
    that runs by itself needs it, since its alarm clock can't be set."""
    slot = datetime.fromtimestamp(Clock().now() + LEAD_S + seconds, UTC)
    return schedule(number, at=slot.time().replace(microsecond=0))


def config(only: Schedule, base_url: str, requests: Rate = UNLIMITED, slots: int = 100_000) -> Config:
    account = Account(base_url=base_url, requests=requests, concurrent_conversations=slots)
    return Config(service=Service(ledger="bench.db"), account=account, schedules={only.name: only})


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="callboard-bench-") as name:
        yield Path(name)


@contextmanager
def logged() -> Iterator[None]:
    """The product's own log, in full, as JSON, to nowhere."""
    with open(os.devnull, "w") as nowhere:
        configure(LogStyle.JSON, nowhere, [Secret("bench-key", "bench")], color=False)
        yield


@asynccontextmanager
async def opened(
    at: Path | Database, perform: Perform, clock: Clock, using: Config, sender: str | None = None
) -> AsyncIterator[tuple[Daemon, Ledger]]:
    """A whole house on `perform`, with its log, as `app` puts it together; its ledger is a file in the folder
    `at`, or that database's, and its mails are from `sender`."""
    from scheduler.app.house import _closed, _noted, _settle_memory
    from scheduler.app.letters import composer

    telemetry = Telemetry()
    place = at if isinstance(at, Database) else at / "ledger.db"
    ledger = Ledger.open(place, using.account.base_url, clock.now())
    _settle_memory()
    ledger.listen(_noted(telemetry), _closed(telemetry))
    try:
        async with Daemon(ledger, perform, clock, using, telemetry, composer(sender)) as daemon:
            yield daemon, ledger
    finally:
        ledger.close()


async def promised(daemon: Daemon, clock: BenchClock) -> None:
    """Let the promises of the slot be written, and stop the clock's hand right where they open."""
    await daemon.turn()
    clock.set(OPENS_AT - 800.0)
    await daemon.turn()
    clock.set(OPENS_AT)


async def run_up_to(daemon: Daemon, done: asyncio.Event) -> None:
    """Let the daemon run by itself until this has happened, and drain."""
    async with asyncio.TaskGroup() as group:
        group.create_task(daemon.run())
        await done.wait()
        daemon.stop()
    await daemon.settled()


class Stalls:
    """The longest time for which the loop did not turn, while the block lasts."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._over = False

    async def __aenter__(self) -> Stalls:
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._group.create_task(self._watch())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._over = True
        await self._group.__aexit__(None, None, None)

    async def _watch(self) -> None:
        last = time.perf_counter()
        while not self._over:
            await asyncio.sleep(TICK_S)
            now = time.perf_counter()
            self.longest_s, last = max(self.longest_s, now - last - TICK_S), now


async def run_until(daemon: Daemon, ledger: Ledger, clock: Clock, live: int, most_s: float) -> float:
    """Let the daemon run by itself until so many are live and nothing is in hand; how long that took
    from the moment at which they opened."""
    opened_at: list[float] = []
    began = clock.now()
    async with asyncio.TaskGroup() as group:
        group.create_task(daemon.run())
        while (view := await ledger.look(clock.now())).live < live or daemon.in_hand:
            assert clock.now() - began < most_s, view
            if view.held and not opened_at:
                opened_at.append(clock.now())
            await asyncio.sleep(LOOK_S)
        took_s = clock.now() - opened_at[0]
        daemon.stop()
    return took_s


async def nothing(step: Step, sent: Sent) -> Outcome:
    """Hands for a house that has nothing to do: every list is empty."""
    sent()
    return Page((), 0)
