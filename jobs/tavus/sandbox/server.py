"""The sandbox as a whole: one account with its API, join pages, faults and webhooks, on a socket if wanted.

It reads the time it is given and waits for none: whoever owns it moves the clock, asks `next_event()` and
calls `pump()`. It has no loop of its own and no memory beyond the process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from yarl import URL

from jobs.model import Instant
from jobs.tavus.sandbox.account import Account
from jobs.tavus.sandbox.api import Api
from jobs.tavus.sandbox.control import Control
from jobs.tavus.sandbox.faults import Faults
from jobs.tavus.sandbox.front import Front, Seen
from jobs.tavus.sandbox.joinpage import JoinPage
from jobs.tavus.sandbox.plan import Dialect, Plan
from jobs.tavus.sandbox.rate import Window
from jobs.tavus.sandbox.room import Event, Room
from jobs.tavus.sandbox.stock import Persona, Replica
from jobs.tavus.sandbox.webhooks import Webhooks

SHUTDOWN_TIMEOUT_S = 1.0


class Sandbox:
    """A Tavus in one process.

    `key` None accepts any key that isn't empty. `base` is where join links point to; empty means this server
    itself. Webhooks go to loopback only, unless `post_anywhere`.
    """

    def __init__(
        self,
        now: Callable[[], Instant],
        plan: Plan = Plan(),  # noqa: B008 - a frozen value
        *,
        key: str | None = None,
        base: str = "",
        dialect: Dialect = Dialect(),  # noqa: B008
        post_anywhere: bool = False,
    ) -> None:
        self.faults = Faults()
        self._now = now
        self._base = base.rstrip("/")
        self._webhooks = Webhooks(self.faults, dialect, anywhere=post_anywhere)
        self._account = Account(plan, self._webhooks.queue)
        self._api = Api(now, self._account, plan, dialect, self._base_for)
        self._front = Front(now, self.faults, Window(plan.requests, plan.per_s), self.pump, key)
        self._join_page = JoinPage(now, self._account, self.personas, self.replicas)

    @property
    def personas(self) -> dict[str, Persona]:
        """The known personas by id, to be added to."""
        return self._api.personas

    @property
    def replicas(self) -> dict[str, Replica]:
        """The known replicas by id, to be added to."""
        return self._api.replicas

    @property
    def rooms(self) -> Mapping[str, Room]:
        """Every conversation ever made, oldest first, as things stand now: the truth for tests."""
        self._account.settle(self._now())
        return self._account.rooms

    @property
    def requests(self) -> Sequence[Seen]:
        """The latest API requests, oldest first, refused and struck ones too."""
        return self._front.requests

    def join(self, conversation_id: str, who: str = "participant") -> None:
        """Somebody comes in. Raises KeyError for an unknown conversation, RoomClosed for one that is over
        or full.
        """
        self._account.enter(self.rooms[conversation_id], who, self._now())

    def leave(self, conversation_id: str, who: str = "participant") -> None:
        """Somebody goes; nothing happens if they weren't in. Raises KeyError for an unknown conversation."""
        self._account.leave(self.rooms[conversation_id], who, self._now())

    def shut(self, conversation_id: str, reason: str) -> None:
        """The service ends the conversation now, for any of its reasons (tavus-api, section 3)."""
        self._account.shut(self.rooms[conversation_id], reason, self._now())

    def announce(self, conversation_id: str, event_type: str, properties: Mapping[str, Any]) -> None:
        """Something that doesn't happen of itself here (a recording, an analysis) is told now."""
        room, event = self.rooms[conversation_id], Event(self._now(), event_type, properties)
        room.announced.append(event)
        self._webhooks.queue(room, (event,))

    def next_event(self) -> Instant | None:
        """The next instant at which a timer changes a state, a slot frees or a webhook is due; it lies in
        the past while a webhook waits for `pump()`. None: nothing will happen of itself.
        """
        self._account.settle(self._now())
        known = (self._account.next_change(), self._webhooks.next_due())
        return min((at for at in known if at is not None), default=None)

    async def pump(self) -> None:
        """Deliver the webhooks that are due. No state waits for this."""
        now = self._now()
        self._account.settle(now)
        await self._webhooks.deliver(now)

    def app(self) -> web.Application:
        """The server as an application of aiohttp's."""
        app = web.Application()
        app.add_routes(self._api.routes(self._front))
        app.add_routes([*Control(self.faults).routes(), *self._join_page.routes()])
        app.router.add_route("*", "/v2/{rest:.*}", _unknown_path)
        app.on_startup.append(self.faults.open)
        app.on_shutdown.append(self.faults.release)
        return app

    @asynccontextmanager
    async def serving(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve on a real socket; yields its base URL. Port 0 takes a free one. Raises OSError if it is
        taken.
        """
        runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            url = URL.build(scheme="http", host=host, port=runner.addresses[0][1])
            yield str(url.origin())
        finally:
            await runner.cleanup()

    def _base_for(self, request: web.Request) -> str:
        return self._base or f"{request.scheme}://{request.host}"


async def _unknown_path(request: web.Request) -> web.Response:
    return web.json_response({"message": "Not Found"}, status=404)
