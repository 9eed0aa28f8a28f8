"""Webhooks: one plain POST for each event to the conversation's `callback_url` (tavus-api, section 3).

They wait here until somebody delivers what is due; each is tried once, in the order of its due time, and
what the receiver answers is nobody's business. A sandbox must not post to the world: other targets than
loopback are passed over unless it was told otherwise.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable
from urllib.parse import urlsplit

import aiohttp

from jobs.loopback import is_loopback
from jobs.model import Instant
from jobs.tavus.sandbox.answers import webhook
from jobs.tavus.sandbox.fault import Kind, Operation
from jobs.tavus.sandbox.faults import Faults
from jobs.tavus.sandbox.plan import Dialect
from jobs.tavus.sandbox.room import Event, Room

TIMEOUT = aiohttp.ClientTimeout(total=5)


class Webhooks:
    """The webhooks that wait. `anywhere` lets them go to any host."""

    def __init__(self, faults: Faults, dialect: Dialect, *, anywhere: bool) -> None:
        self._faults = faults
        self._dialect = dialect
        self._anywhere = anywhere
        self._waiting: list[tuple[Instant, int, Room, Event]] = []
        self._order = itertools.count()

    def queue(self, room: Room, events: Iterable[Event]) -> None:
        """Let these events be told when they are due, if the conversation has a target that may be posted
        to.
        """
        url = room.body.get("callback_url", "")
        if url and (self._anywhere or stays_here(url)):
            for event in events:
                self._queue_one(room, event)

    def next_due(self) -> Instant | None:
        """When the next webhook is due; it may lie in the past."""
        return self._waiting[0][0] if self._waiting else None

    async def deliver(self, now: Instant) -> None:
        """POST everything that is due at `now`; whatever fails is lost."""
        if not self._waiting or self._waiting[0][0] > now:
            return
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            while self._waiting and self._waiting[0][0] <= now:
                _, _, room, event = heapq.heappop(self._waiting)
                await self._post(session, room, event)

    async def _post(self, session: aiohttp.ClientSession, room: Room, event: Event) -> None:
        url = room.body["callback_url"]
        try:
            async with session.post(url, json=webhook(room, event, self._dialect), allow_redirects=False):
                pass
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return  # a receiver that is gone, or a URL that is none: the API tries no second time either

    def _queue_one(self, room: Room, event: Event) -> None:
        fault = self._faults.draw(Operation.WEBHOOK).spoiler
        kind = None if fault is None else fault.kind
        late_s = 0.0 if fault is None or kind != Kind.WEBHOOK_LATE else fault.seconds
        copies = 0 if kind == Kind.WEBHOOK_LOST else 2 if kind == Kind.WEBHOOK_TWICE else 1
        for _ in range(copies):
            heapq.heappush(self._waiting, (event.at + late_s, next(self._order), room, event))


def stays_here(url: str) -> bool:
    """Whether the URL's host is this machine, by what is written there; nothing is looked up."""
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False
