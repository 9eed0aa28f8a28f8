"""Houses that die: each in a process of its own, killed at a point, followed by the next one.

Processes come from a fork server that has everything loaded and runs neither loop nor thread. A house in
here is the rig's, against the sandbox of another process; it lives through what is left of the day.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from jobs.channels.log import LogChannel
from jobs.errors import Reason, StepFailed
from jobs.model import Deliver, Delivered
from scheduler.ledger import Database, Place
from tests.house.conftest import MONDAY, Rig
from tests.proofs import day, undying
from tests.proofs.points import Death, Points
from tests.proofs.undying import SharedClock

LIFE_S = 60.0
"""A house that takes longer (of real time) for its day hangs."""

AT_SERVER = "server: "


class Life(NamedTuple):
    """What came of one process: whether it was killed, how long it took to be ready, what it passed."""

    killed: bool
    ready_s: float | None
    passed: Counter[str]


class History:
    """One day of one seed: a sandbox, a clock, a folder, a ledger's place, and one house after another."""

    def __init__(self, folder: Path, seed: int, death: Death | None, place: Place | None) -> None:
        self.folder = folder
        self.place = place or folder / "callboard.db"
        self.seed = seed
        self.clock = SharedClock.begin(folder, MONDAY)
        self._server, self._line = _start(undying.serve, folder, seed, death)
        self._base_url = self._line.recv()
        self.lives: list[Life] = []

    def live(self, death: Death | None = None) -> Life:
        """A house lives until it dies or the day is over."""
        house, line = _start(_live, self.folder, self.place, self.seed, death, self._base_url)
        told: dict[str, Any] = {}
        try:
            while line.poll(LIFE_S):
                told.update([line.recv()])
        except EOFError:
            house.join()
        else:
            house.kill()
            raise AssertionError(f"a house that hangs: {self._said()}")
        killed = house.exitcode == -9
        assert killed or house.exitcode == 0, self._said()
        self.lives.append(Life(killed, told.get("ready"), told.get("passed", Counter())))
        return self.lives[-1]

    def aftermath(self) -> Rig:
        """The truth: the server's rooms and the ledger's file, as a rig without a house."""
        self._line.send("?")
        rooms, requests, self.passed_at_server = self._line.recv()
        return Rig(self.folder, self.clock, _Remembered(rooms, requests), self._base_url, self.place)

    def intact(self) -> str:
        """What SQLite says of the ledger's file; a database is its server's to look after."""
        if isinstance(self.place, Database):
            return "ok"
        with sqlite3.connect(self.place) as raw:
            said = str(raw.execute("PRAGMA integrity_check").fetchone()[0])
        raw.close()
        return said

    def letters(self) -> list[dict[str, str]]:
        """Every letter that was ever taken, in order: `key`, `to` and `letter`."""
        taken = self.folder / "letters"
        return [json.loads(line) for line in taken.read_text().splitlines()] if taken.exists() else []

    def close(self) -> None:
        self._server.kill()
        self._server.join()
        self._line.close()

    def _said(self) -> str:
        return (self.folder / "said").read_text()[-4000:]


@contextmanager
def history(
    folder: Path, seed: int, death: Death | None = None, place: Place | None = None
) -> Iterator[History]:
    """A history; with a death at the server, its sandbox is the one who kills."""
    made = History(folder, seed, death if death and death.point.startswith(AT_SERVER) else None, place)
    try:
        yield made
    finally:
        made.close()


class _Remembered(NamedTuple):
    """What a sandbox was, for those who only look."""

    rooms: Any
    requests: Any


def _start(target: Any, *words: Any) -> tuple[Any, Connection]:
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload([__name__])
    ours, theirs = forks.Pipe()
    process = forks.Process(target=target, args=(*words, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


# --- in the house's own process ---


class _Far:
    """The sandbox of another process: it wants nothing of us, its states follow the time."""

    @staticmethod
    def next_event() -> None:
        return None

    async def pump(self) -> None:
        return


class _Channel(LogChannel):
    """The log, which is deaf for a while."""

    def __init__(self, clock: SharedClock) -> None:
        super().__init__()
        self._clock = clock

    async def deliver(self, step: Deliver) -> Delivered:
        if day.is_deaf(self._clock.now()):
            raise StepFailed(Reason.BUSY, "deaf")
        return await super().deliver(step)


class _Letterbox(_Channel):
    """A mail server that is as deaf at times; whatever it takes stands in a file, whoever dies."""

    def __init__(self, clock: SharedClock, path: Path) -> None:
        super().__init__(clock)
        self._path = path

    async def deliver(self, step: Deliver) -> Delivered:
        if day.is_deaf(self._clock.now()):
            raise StepFailed(Reason.BUSY, "deaf")
        letter = (step.message or b"").decode()
        assert step.url in message_from_string(letter).get_payload(0).get_payload(decode=True).decode()
        with self._path.open("a") as file:
            file.write(json.dumps({"key": step.key, "to": step.address.target, "letter": letter}) + "\n")
        return Delivered(step.address)


def _live(
    folder: Path, place: Place, seed: int, death: Death | None, base_url: str, line: Connection
) -> None:
    said = os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, 1)
    os.dup2(said, 2)
    clock, points = SharedClock(folder), Points(death)
    clock.live()
    rig = Rig(folder, clock, _Far(), base_url, place)
    rig.wrap, rig.driver = points.wrap, points.driver
    rig.channels = {"log": _Channel(clock), "mail": _Letterbox(clock, folder / "letters")}
    asyncio.run(_days(rig, points, seed, line))
    line.send(("passed", points.passed))


async def _days(rig: Rig, points: Points, seed: int, line: Connection) -> None:
    """House after house, until the day is over; they end in a drain."""
    while rig.clock.now() < day.END:
        began = time.perf_counter()
        points.phase = "start"
        async with rig.open(rig.config(day.schedule(seed, rig.clock.now()))) as daemon:
            await daemon.turn()
            line.send(("ready", time.perf_counter() - began))
            points.phase = ""
            await _through(rig, daemon, points, seed)
            points.phase = "drain"
            daemon.stop()


async def _through(rig: Rig, daemon: Any, points: Points, seed: int) -> None:
    """What is still to come today, up to the next drain."""
    for at, what in day.events(seed):
        if at <= rig.clock.now():
            continue
        if what == "drain":
            await rig.until(daemon, at - 0.5)
            rig.clock.move(at)
            await daemon.turn()
            return
        await rig.until(daemon, at)
        if what == "reload":
            points.phase = "swap"
            daemon.reload(rig.config(day.schedule(seed, at)))
            await daemon.turn()
            points.phase = ""
