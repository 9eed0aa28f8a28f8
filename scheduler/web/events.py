"""Server-sent events: who looks at a page is told that something changed, never what.

The page asks again, and one answer serves all who ask. Rings that come close together are told as one, so
that a full hour doesn't make fifty browsers ask for every fact.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from aiohttp import hdrs, web

from scheduler.clock import Bell, Clock

QUIET_S = 1.0
"""Between two events of one watcher."""
APART_S = 0.01
"""Between the events of two watchers: all who are told at once would ask at once."""
STILL_HERE_S = 15.0
"""A comment is sent this often, so that whoever is between keeps the connection, and who left is noticed."""
WATCHERS_MAX = 120
HEADERS: Final = {hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}


class Changes:
    """What happened, as a number that grows; belongs to one event loop."""

    def __init__(self) -> None:
        self.number = 0
        self.over = False
        self.watchers = 0
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Something happened."""
        self.number += 1
        self._next.set()

    def close(self) -> None:
        """Nothing more will happen: whoever watches leaves."""
        self.over = True
        self._next.set()

    async def behind(self, seen: int, at_most_s: float) -> bool:
        """Wait until something happened after `seen`, or for a while; whether it did."""
        if self.number == seen and not self.over:
            self._next.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(at_most_s):
                    await self._next.wait()
        return self.number != seen


def watching(changes: Changes, clock: Clock, allowed: Callable[[web.Request], bool]) -> web.RouteDef:
    """`/events`, for who is `allowed` to read pages, and only as long as they are."""

    async def watch(request: web.Request) -> web.StreamResponse:
        if not allowed(request):
            raise web.HTTPUnauthorized(text="sign in first\n")
        if changes.watchers >= WATCHERS_MAX:
            raise web.HTTPServiceUnavailable(text="too many watch already\n", headers={"Retry-After": "30"})
        answer = web.StreamResponse(headers=HEADERS)
        changes.watchers += 1
        apart_s = changes.watchers * APART_S
        try:
            await answer.prepare(request)
            await _tell(answer, request, changes, clock, allowed, apart_s)
        finally:
            changes.watchers -= 1
        return answer

    return web.get("/events", watch)


async def _tell(
    answer: web.StreamResponse,
    request: web.Request,
    changes: Changes,
    clock: Clock,
    allowed: Callable[[web.Request], bool],
    apart_s: float,
) -> None:
    seen = _seen(request, changes.number)
    await answer.write(b"retry: 3000\n\n")
    while not changes.over and allowed(request):
        if not await changes.behind(seen, STILL_HERE_S):
            await answer.write(b":\n\n")
            continue
        await clock.sleep_until(None, Bell(), apart_s)
        seen = changes.number
        await answer.write(f"event: changed\ndata: {seen}\n\n".encode())
        await clock.sleep_until(None, Bell(), QUIET_S)


def _seen(request: web.Request, newest: int) -> int:
    """What the page showed when it was made; a number of a house before this one counts as old."""
    try:
        since = int(request.query.get("since", ""))
    except ValueError:
        return newest
    return since if 0 <= since <= newest else -1
