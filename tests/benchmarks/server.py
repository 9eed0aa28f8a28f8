"""The sandbox in a process of its own, and what it saw: `python -m tests.benchmarks.server SLOW_S`.

Prints its base URL. GET /_bench/seen tells when each request arrived and for what; POST forgets it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import aiohttp
from aiohttp import web

from jobs.tavus.sandbox import Plan, Sandbox

SEEN = "/_bench/seen"
FAULTS = "/_sandbox/faults"


class Arrival(NamedTuple):
    at: float
    operation: str


class Server:
    """The running server as a part sees it."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession) -> None:
        self.base_url = base_url
        self._session = session

    async def arrivals(self, operation: str) -> list[float]:
        """When requests of this kind came in, oldest first, by the server's own clock."""
        async with self._session.get(self.base_url + SEEN) as answer:
            rows: Sequence[tuple[float, str]] = (await answer.json())["seen"]
        return [at for at, what in rows if what == operation]

    async def marks(self) -> list[str]:
        """The marks in the names of all conversations that were ever made."""
        async with self._session.get(self.base_url + SEEN) as answer:
            return [name.rsplit("[cb-", 1)[-1][:16] for name in (await answer.json())["names"]]

    async def arm(self, **fault: object) -> None:
        async with self._session.post(self.base_url + FAULTS, json=fault) as answer:
            assert answer.status == 201, await answer.text()


@asynccontextmanager
async def running(slow_s: float = 0.0) -> AsyncIterator[Server]:
    """A server whose answers to creates take `slow_s`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.server", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        base_url = (await process.stdout.readline()).decode().strip()
        async with aiohttp.ClientSession() as session:
            server = Server(base_url, session)
            if slow_s:
                await server.arm(kind="slow", seconds=slow_s, operation="create", count=None)
            yield server
    finally:
        process.terminate()
        await process.wait()


async def _serve() -> None:
    sandbox = Sandbox(time.time, Plan(concurrent=1_000_000))

    async def seen(_: web.Request) -> web.Response:
        names = [room.body.get("conversation_name", "") for room in sandbox.rooms.values()]
        return web.json_response({"seen": [(s.at, s.operation) for s in sandbox.requests], "names": names})

    app = sandbox.app()
    app.add_routes([web.get(SEEN, seen)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
