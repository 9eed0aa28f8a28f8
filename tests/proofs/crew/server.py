"""The service as the crew's account sees it: the sandbox on a socket, with a log of who asked what, and when.

Each worker has a key of its own, so that every request names the process that sent it. People leave their
conversations after a while, or the account would be full.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import web

from jobs.tavus.sandbox import Plan, Sandbox

STAY_S = 15.0
"""How long people stay in a conversation."""

LOOK_S = 1.0


class Arrival(NamedTuple):
    """One request as it came in, by the key of the worker that sent it."""

    at: float
    key: str
    operation: str


class Service:
    """A sandbox that everybody may use, without limits of its own: ours are looked at."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(time.time, Plan(concurrent=5_000), key=None)
        self.arrivals: list[Arrival] = []
        self.on_create: dict[str, Callable[[], None]] = {}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Its base URL."""
        app = self.sandbox.app()
        app.middlewares.append(self._seen)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def people(self) -> None:
        """Whoever has stayed long enough leaves, for ever."""
        while True:
            for room in list(self.sandbox.rooms.values()):
                if room.status == "active" and time.time() - room.created_at > STAY_S:
                    self.sandbox.shut(room.conversation_id, "participant_left_timeout")
            await asyncio.sleep(LOOK_S)

    @property
    def _seen(self) -> Callable[..., Awaitable[web.StreamResponse]]:
        @web.middleware
        async def seen(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            arrival = Arrival(time.time(), request.headers.get("x-api-key", ""), _operation(request))
            self.arrivals.append(arrival)
            if arrival.operation == "create" and arrival.key in self.on_create:
                self.on_create.pop(arrival.key)()
            return await handler(request)

        return seen


def _operation(request: web.Request) -> str:
    if request.method == "POST":
        return "end" if request.path.endswith("/end") else "create"
    return "list" if request.path.endswith("/conversations") else "get"
