"""Three workers on one ledger, and what is done to them: processes, cables, the database, the service.

Whatever is done to a worker is kept as a harm, from when to when, so that the judge knows what was allowed to
go wrong. Nothing is judged here.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple

from scheduler.ledger.place import Place, place_of
from tests.acceptance.processes import environment
from tests.postgres import Server
from tests.proofs.crew import worker as program
from tests.proofs.crew.cable import Cable
from tests.proofs.crew.server import Service
from tests.proofs.crew.watch import Watch

SIZE = 3
LOOK_S = 0.05
WHOLE_S = 45.0
"""The longest that a crew takes to be three again."""

SOCKET = ".s.PGSQL.5432"
ROOT = Path(__file__).parents[3]
REQUESTS, PER_S = 20, 1.0
CONCURRENT = (100, 50)
"""Room for all, or so little that people often wait: the one for even seeds, the other for odd ones."""


class Stream(NamedTuple):
    """A schedule: so many people, every so many seconds."""

    name: str
    every_s: int
    people: int


STREAMS = (Stream("trickle", 3, 2), Stream("burst", 50, 20))
"""A few all the time, and now and then more at once than the account's rate allows."""


def configuration(base_url: str, concurrent: int) -> dict[str, object]:
    """What is practised: promises that stay open for so long that none need be missed."""
    properties = {"max_call_duration": 120, "participant_absent_timeout": 120, "participant_left_timeout": 5}
    conversation = {"persona_id": "pdced222244b", "replica_id": "rfe12d8b9597", "properties": properties}
    return {
        "version": 1,
        "account": {
            "base_url": base_url,
            "requests": f"{REQUESTS}/s",
            "concurrent_conversations": concurrent,
        },
        "defaults": {
            "timezone": "UTC",
            "overlap": "allow",
            "lead": 0,
            "start_window": "5m",
            "deliver": ["log"],
        },
        "schedules": {
            stream.name: {
                "when": {"every": f"{stream.every_s}s"},
                "participants": [{"id": f"{stream.name}-{n}", "name": "P"} for n in range(stream.people)],
                "conversation": conversation,
            }
            for stream in STREAMS
        },
    }


@dataclass(eq=False)
class Hand:
    """One worker: its process, its cable, what it said, and when it was harmed."""

    key: str
    cable: Cable
    log: Path
    step: Path
    process: subprocess.Popen[bytes]
    end: AsyncExitStack
    harms: list[float] = field(default_factory=list)
    was_ready: bool = False

    @property
    def number(self) -> int:
        return self.process.pid

    @property
    def lives(self) -> bool:
        return self.process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether it has said so; until then a database that goes away ends it (sysexits' 75)."""
        self.was_ready = self.was_ready or '"event": "ready"' in self.log.read_text(errors="replace")
        return self.was_ready

    @property
    def last_word(self) -> str:
        return self.log.read_text(errors="replace")[-500:]

    def ask(self) -> None:
        """To leave when it is done (SIGTERM)."""
        self.harm()
        self.process.terminate()

    def kill(self) -> None:
        """Gone, from one instruction to the next."""
        self.harm()
        self.process.kill()
        self.process.wait()

    def harm(self) -> None:
        """From now on nothing can be expected of it."""
        self.harms.append(time.time())


class Crew:
    """A seed's crew; `hands` are those that live, `gone` those that don't any more."""

    def __init__(self, seed: int, server: Server, at: Path) -> None:
        self.seed = seed
        self.dice = Random(seed)
        self.concurrent = CONCURRENT[seed % 2]
        self.server = server
        self.at = at
        self.url = server.new()
        self.service = Service()
        self.watch = Watch(server, self.url.rpartition("%3D")[2])
        self.hands: list[Hand] = []
        self.gone: list[Hand] = []
        self._hired = 0

    @property
    def place(self) -> Place:
        return place_of(self.url)

    @property
    def everybody(self) -> list[Hand]:
        return [*self.gone, *self.hands]

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Three workers on a new ledger, each promise of which falls due as time goes by."""
        async with self.service.serving() as base_url, asyncio.TaskGroup() as group:
            (self.at / "callboard.yaml").write_text(json.dumps(configuration(base_url, self.concurrent)))
            tasks = [group.create_task(each) for each in (self.watch.watching(), self.service.people())]
            try:
                await self.whole()
                yield
            finally:
                for task in tasks:
                    task.cancel()
                for hand in list(self.hands):
                    await self._let_go(hand)
                self.watch.close()

    async def whole(self) -> None:
        """Three again: whoever is missing is replaced, and one of them leads."""
        until = time.monotonic() + WHOLE_S
        for hand in [each for each in self.hands if not each.lives]:
            assert hand.process.returncode == -signal.SIGKILL, f"{hand.key} left by itself: {hand.last_word}"
            await self._let_go(hand)
        while len(self.hands) < SIZE:
            await self._hire()
        while not self._is_whole():
            assert time.monotonic() < until, f"after {WHOLE_S} s: {self.watch.living}, {self.watch.leader}"
            for hand in self.hands:
                assert hand.lives, f"{hand.key} left by itself: {hand.last_word}"
            await asyncio.sleep(LOOK_S)

    def _is_whole(self) -> bool:
        numbers = {hand.number for hand in self.hands}
        listed = numbers <= self.watch.living and self.watch.leader in numbers
        return listed and all(hand.ready for hand in self.hands)

    def leader(self) -> Hand:
        """Who leads now; on a machine that is too busy for it nobody may."""
        leading = [hand for hand in self.hands if hand.number == self.watch.leader]
        return leading[0] if leading else self.dice.choice(self.hands)

    def other(self, leader: Hand) -> Hand:
        """One who isn't this one."""
        return self.dice.choice([hand for hand in self.hands if hand is not leader])

    def logs(self, lines: int = 60) -> str:
        """The last words of everybody."""
        told = [
            f"--- {hand.key} ({hand.number})\n"
            + "\n".join(hand.log.read_text(errors="replace").splitlines()[-lines:])
            for hand in self.everybody
        ]
        return "\n".join(told)

    async def left(self, hand: Hand) -> None:
        """Who was asked to leave (SIGTERM) has done so."""
        until = time.monotonic() + WHOLE_S
        while hand.lives:
            assert time.monotonic() < until, f"{hand.key} doesn't leave"
            await asyncio.sleep(LOOK_S)
        assert hand.process.returncode == 0, f"{hand.key} left with {hand.process.returncode}"
        await self._let_go(hand)

    async def _hire(self) -> None:
        self._hired += 1
        key = f"worker-{self._hired}"
        end = AsyncExitStack()
        cable = Cable(self.server.folder / SOCKET)
        port = await end.enter_async_context(cable.open())
        log, step = self.at / f"{key}.log", self.at / f"{key}.step"
        step.write_text("0")
        options = self.url.partition("&options=")[2]
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable&options={options}"
        env = {"CALLBOARD_LEDGER": url, "TAVUS_API_KEY": key, "TMPDIR": str(self.server.folder)}
        process = started(log, step, "run", self.at / "callboard.yaml", "--json", **env)
        self.hands.append(Hand(key, cable, log, step, process, end))

    async def _let_go(self, hand: Hand) -> None:
        hand.process.kill()
        hand.process.wait()
        await hand.end.aclose()
        self.hands.remove(hand)
        self.gone.append(hand)


def started(log: Path, *words: object, **env: str) -> subprocess.Popen[bytes]:
    """A worker's process, which doesn't outlive ours."""
    command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", program.__name__, *map(str, words)]
    with log.open("wb") as told:
        return subprocess.Popen(
            command, env=environment(**env), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=told, stderr=told
        )
