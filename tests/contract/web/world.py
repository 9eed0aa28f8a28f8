"""A house as its pages see it: a real ledger with a morning in it, a clock that stands, a loopback door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from pathlib import Path

from jobs.errors import Reason
from jobs.model import Address, Created, Delivered, Ended, EndReason
from scheduler import desk as asking
from scheduler import vitals as doing
from scheduler.clock import Bell, Clock
from scheduler.config import load
from scheduler.desk import Answer, Asker, Effect, Refused, Scope, Status
from scheduler.facts import Failed, GaveUp, GiveUpReason, Missed, MissReason, StepKind
from scheduler.ledger import Ledger, Note, Place
from scheduler.model import Config, Listen
from scheduler.planner import occurrences
from scheduler.settings import Secret
from scheduler.vitals import Changed, Crewed, Reload, Vitals
from scheduler.web import application, serving
from scheduler.web.events import Changes
from scheduler.web.routes import House
from scheduler.web.site import add_pages

TOKEN = "open-sesame-0123456789"
LINK = "https://tavus.daily.co/secret-room-canary"
BIRTH = datetime.fromisoformat("2026-11-30T07:00:00+00:00").timestamp()
NOW = datetime.fromisoformat("2026-11-30T14:20:00+00:00").timestamp()
"""A Monday: New York has begun at nine, Denver and Los Angeles have not."""
HOSTILE = "<script>alert(1)</script>\"'&"
MAIL = Address("mail", "cleo@example.com")

CONFIG = """
version: 1
account: {concurrent_conversations: 8, reserve: 2, requests: 60/min}
rosters:
  east:
    - {id: ana, name: Ana Ruiz, email: ana@example.com, timezone: America/New_York}
    - {id: ben, name: Ben Ode, email: ben@example.com, timezone: America/Chicago}
    - {id: cleo, name: Cleo Hart, email: cleo@example.com, timezone: America/New_York}
    - {id: dev, name: Dev Anand, email: dev@example.com, timezone: America/New_York}
    - {id: evil, name: '<script>alert(1)</script>"''&', email: evil@example.com, timezone: America/New_York}
    - {id: finn, name: Finn Aalto, email: finn@example.com, timezone: America/New_York}
  west:
    - {id: gus, name: Gus Lind, email: gus@example.com, timezone: America/Denver}
    - {id: hana, name: Hana Sato, email: hana@example.com, timezone: America/Los_Angeles}
defaults:
  conversation: {persona_id: pdced222244b, replica_id: rfe12d8b9597}
schedules:
  objection-handling:
    when: {days: mon-fri, at: "09:00", timezone: participant}
    participants: [east, west]
    deliver: [log]
  closing-deals:
    when: {days: mon-fri, at: {afternoon: "15:30"}, timezone: America/New_York}
    participants: [east]
    spread: 5m
  quarterly-review:
    when: {monthly: {day: last fri, at: "10:00"}, timezone: Europe/London}
    participants: [west]
    enabled: false
"""


class StandingClock(Clock):
    """Stands where it is put; whoever waits for a length of time sees it pass at once."""

    def __init__(self, now: float) -> None:
        self.at = now
        self.waited_s = 0.0
        self.gate: asyncio.Event | None = None

    def now(self) -> float:
        return self.at

    def boot(self) -> float:
        return self.at

    async def sleep_until(self, when: float | None, bell: Bell, at_most_s: float) -> bool:
        self.waited_s += at_most_s
        await (self.gate.wait() if self.gate else asyncio.sleep(0))
        return bell.take()


def vitals(now: float, config: Config) -> Vitals:
    """A house that does its work."""
    account = config.account
    return Vitals(
        at=now,
        begun=True,
        stopping=False,
        writable=True,
        clock_held=False,
        clock_step_s=0.0,
        tick_age_s=3.0,
        ticks=10,
        revived=0,
        turns=10,
        turned_at=now,
        in_hand=1,
        cap=account.concurrent_conversations - account.reserve,
        rate=account.requests.count,
        counted=7,
        penalty_s=0.0,
        shut=False,
        next_due=None,
    )


@dataclass
class WrittenDesk:
    """A desk that writes down what it is asked, and refuses what it is told to."""

    asked: list[tuple[object, ...]] = field(default_factory=list)
    refusal: Refused | None = None

    def _answer(self, *asked: object, effect: Effect = Effect.DONE) -> Answer:
        if self.refusal:
            raise self.refusal
        self.asked.append(asked)
        return Answer(effect, (f"{asked[0]}: so be it",), ("closing-deals/afternoon/2026-12-01/ana",))

    async def pause(self, scope: Scope, until: float | None, asker: Asker) -> Answer:
        return self._answer("pause", scope, until, asker)

    async def resume(self, scope: Scope, asker: Asker) -> Answer:
        return self._answer("resume", scope, asker)

    async def skip(self, key: str, asker: Asker) -> Answer:
        return self._answer("skip", key, asker)

    async def make_up(
        self, of: str | asking.Missed, on: date, at: time | None, asker: Asker, *, dry_run: bool
    ) -> Answer:
        effect = Effect.WOULD if dry_run else Effect.DONE
        return self._answer("make_up", of, on, at, asker, dry_run, effect=effect)

    async def end(self, key: str, asker: Asker) -> Answer:
        return self._answer("end", key, asker)

    async def resend(self, key: str, channel: str | None, asker: Asker) -> Answer:
        return self._answer("resend", key, channel, asker)

    async def retry(self, key: str, asker: Asker) -> Answer:
        return self._answer("retry", key, asker)

    async def resume_account(self, asker: Asker) -> Answer:
        return self._answer("resume_account", asker)

    async def reload(self, asker: Asker) -> Answer:
        return self._answer("reload", asker)

    async def status(self) -> Status:
        raise AssertionError("no page asks this")


@dataclass
class World:
    """The parts of a house with its pages open; `crew` is how it stands among others, if it does."""

    url: str
    ledger: Ledger
    path: Path
    clock: StandingClock
    config: Config
    desk: WrittenDesk
    changes: Changes
    crew: list[Crewed]
    wrongs: list[int]
    faults: list[str]


async def morning(ledger: Ledger, config: Config) -> None:
    """What happened until now: Ana talks, Ben has left, Cleo's mail hangs, Dev's was refused, and so on."""
    schedules = config.schedules
    await ledger.promise(occurrences(schedules.values(), BIRTH, NOW + 900), schedules, BIRTH, NOW + 900)
    generation = await ledger.generation("{}", BIRTH)
    nine = NOW - 20 * 60
    claimed = [each.key for each in await ledger.claim(nine - 30, 50, generation)]
    key = {who: next((k for k in claimed if k.endswith(f"/{who}")), "") for who in _EAST}
    for n, who in enumerate(("ana", "cleo", "finn")):
        to = (Address("log"), MAIL) if who == "cleo" else (Address("log"),)
        await ledger.note(Note(key[who], Created(f"c-{who}", LINK, nine - 20 + n), nine - 20 + n, to))
        await ledger.note(Note(key[who], Delivered(Address("log")), nine - 18 + n))
    retry = Failed(StepKind.DELIVER, Reason.BUSY, "421 try again later", MAIL)
    await ledger.note(Note(key["cleo"], retry, nine))
    await ledger.note(Note(key["finn"], Ended(EndReason.LEFT, nine + 600), nine + 600))
    refused = Failed(StepKind.CREATE, Reason.REFUSED, "400 Invalid replica_id")
    await ledger.note(Note(key["dev"], refused, nine - 20))
    busy = Failed(StepKind.CREATE, Reason.FULL, "400 User has reached maximum concurrent conversations")
    await ledger.note(Note(key["evil"], busy, nine - 20))
    await ledger.note(Note(key["evil"], Missed(MissReason.NO_CAPACITY), nine + 601))
    await ledger.note(Note(key["finn"], GaveUp(Address("log"), GiveUpReason.STALE), nine + 601))


_EAST = ("ana", "cleo", "dev", "evil", "finn")


@asynccontextmanager
async def opened(
    folder: Path, *, token: str | None = TOKEN, text: str = CONFIG, place: Place | None = None
) -> AsyncIterator[World]:
    """A house on this folder, or with its ledger elsewhere, its pages open as long as the block lasts."""
    (folder / "callboard.yaml").write_text(text)
    config, clock = load([folder / "callboard.yaml"]), StandingClock(NOW)
    path = folder / "callboard.db"
    ledger = Ledger.open(place or path, config.account.base_url, BIRTH)
    faults: list[str] = []
    wrongs: list[int] = []
    crew: list[Crewed] = []
    desk = WrittenDesk()
    house = House(
        ledger=place or path,
        clock=clock,
        config=lambda: config,
        vitals=lambda: replace(vitals(clock.now(), config), crew=crew[-1] if crew else None),
        reload=lambda: Reload(
            ok=True, at=BIRTH, changes=doing.Changes(Changed(3, 1, 2), Changed(21, 0, 0), 7)
        ),
    )
    app = application(faults.append, local=token is None)
    changes = add_pages(app, house, desk, Secret(token, "a test") if token else None, wrongs.append)
    try:
        async with serving(app, Listen("127.0.0.1", 0)) as url:
            yield World(url, ledger, path, clock, config, desk, changes, crew, wrongs, faults)
    finally:
        ledger.close()
        await asyncio.get_running_loop().shutdown_default_executor()


async def at_once(*work: Awaitable[object]) -> None:
    """All of these, side by side."""
    async with asyncio.TaskGroup() as group:
        for each in work:
            group.create_task(_of(each))


async def _of(work: Awaitable[object]) -> None:
    await work
