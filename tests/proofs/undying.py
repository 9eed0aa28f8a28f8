"""A Tavus that outlives every house: in a process of its own, in the virtual time of whoever lives.

All processes of a history map one small file with the time in it; whoever lives moves it. The sandbox is
asked through a pipe by the test, through HTTP by the house. It plays the day's scenes at their time, and may
kill the house while a request is at its door: then nobody in the house knows what became of it.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web

from jobs.tavus.sandbox import Plan, Room, Sandbox, Seen
from jobs.tavus.sandbox.life import Timers
from tests.house.conftest import VirtualClock
from tests.proofs.day import Scene, scenes
from tests.proofs.points import Death, Points

ROWS = 1
"""The longest page of a list, so that a Survey has many."""

_MOMENT = struct.Struct("ddq")


class SharedClock(VirtualClock):
    """The clock of a history: it stands still while nobody lives."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "moment"
        with self._path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _MOMENT.size)

    @staticmethod
    def begin(folder: Path, now: float) -> SharedClock:
        """A history begins at `now`."""
        (folder / "moment").write_bytes(_MOMENT.pack(now, 1_000.0, 0))
        return SharedClock(folder)

    def now(self) -> float:
        return float(_MOMENT.unpack(self._map)[0])

    def boot(self) -> float:
        return float(_MOMENT.unpack(self._map)[1])

    def house(self) -> int:
        """The process that lives now."""
        return int(_MOMENT.unpack(self._map)[2])

    def live(self) -> None:
        """This process is the house from now on."""
        self._set(self.now(), self.boot(), os.getpid())

    def move(self, to: float) -> None:
        self._set(to, self.boot() + to - self.now(), self.house())

    def set_wall(self, to: float) -> None:
        self._set(to, self.boot(), self.house())

    def _set(self, now: float, boot: float, house: int) -> None:
        self._map[:] = _MOMENT.pack(now, boot, house)


class _Undying(Sandbox):
    """A sandbox that plays scenes, and has points of its own."""

    def __init__(self, clock: SharedClock, seed: int, death: Death | None) -> None:
        super().__init__(clock.now, Plan(concurrent=1000))
        self._clock = clock
        self._scenes = scenes(seed)
        self._scene: Scene | None = None
        self.points = Points(death, clock.house)

    def app(self) -> web.Application:
        app = super().app()
        app.middlewares.append(self._play)
        return app

    @web.middleware
    async def _play(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        name = _name(request)
        self._begin_scene()
        if name == "list" and "limit" in request.query and request.query["limit"] != "1":
            url = request.rel_url.update_query(limit=str(ROWS))
            request = request.clone(rel_url=url)
        self.points.reach(f"server: {name} has come")
        answer = await handler(request)
        if name == "create" and self._scene is not None and self._scene.stubborn and self.rooms:
            room = next(reversed(self.rooms.values()))
            room.life = replace(room.life, timers=Timers(10**6, 10**6, 10**6))
        self.points.reach(f"server: {name} is done")
        return answer

    def _begin_scene(self) -> None:
        now = self._clock.now()
        scene = next((s for s in self._scenes if s.begins <= now < s.ends), None)
        if scene is not self._scene:
            self._scene = scene
            self.faults.clear()
            for fault in scene.faults if scene else ():
                self.faults.add(fault)


def _name(request: web.Request) -> str:
    if request.method == "POST":
        return "end" if request.path.rstrip("/").endswith("/end") else "create"
    return "list" if request.path.rstrip("/").endswith("/conversations") else "get"


Truth = tuple[Mapping[str, Room], list[Seen], Counter[str]]
"""All rooms, all requests, and the points that were passed at the server."""


def serve(folder: Path, seed: int, death: Death | None, line: Connection) -> None:
    """A process of its own: says its base URL, then tells the truth to whoever asks, until it is killed."""
    asyncio.run(_serve(folder, seed, death, line))


async def _serve(folder: Path, seed: int, death: Death | None, line: Connection) -> None:
    sandbox = _Undying(SharedClock(folder), seed, death)

    def tell() -> None:
        try:
            line.recv()
        except EOFError:  # whoever started this is gone
            os._exit(0)
        line.send((dict(sandbox.rooms), list(sandbox.requests), sandbox.points.passed))

    async with sandbox.serving() as base_url:
        asyncio.get_running_loop().add_reader(line.fileno(), tell)
        line.send(base_url)
        await asyncio.Event().wait()
