"""The endpoints of the API (tavus-api, section 2), each from a request to its answer. Keys, rates and
faults have been seen to in `front`; bodies are checked in `body`, and what happens in time stands in
`life`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any

from aiohttp import web

from jobs.model import Instant
from jobs.tavus.sandbox import answers
from jobs.tavus.sandbox.account import Account
from jobs.tavus.sandbox.answers import Answer, refused
from jobs.tavus.sandbox.body import read_body
from jobs.tavus.sandbox.fault import Kind, Operation
from jobs.tavus.sandbox.faults import Drawn, reordered
from jobs.tavus.sandbox.front import Act, Front
from jobs.tavus.sandbox.life import Life, Shutdown, Timers
from jobs.tavus.sandbox.naming import resolve
from jobs.tavus.sandbox.plan import Dialect, Plan
from jobs.tavus.sandbox.room import Room, meeting_token, token_expires_at
from jobs.tavus.sandbox.stock import stock_personas, stock_replicas

MOST_ROWS = 100
"""The longest page of a list; a larger `limit` is cut to it."""


class Api:
    """All endpoints of one account. `base` tells where join pages are, given a request."""

    def __init__(
        self,
        now: Callable[[], Instant],
        account: Account,
        plan: Plan,
        dialect: Dialect,
        base: Callable[[web.Request], str],
    ) -> None:
        self._now = now
        self._account = account
        self._plan = plan
        self._dialect = dialect
        self._base = base
        self._secret = secrets.token_bytes(32)
        self.personas = stock_personas()
        self.replicas = stock_replicas()

    def routes(self, front: Front) -> list[web.RouteDef]:
        """Every path with and without a trailing slash, since nothing is redirected."""
        one = "/v2/conversations/{id}"
        table: list[tuple[str, str, Operation, Act]] = [
            ("POST", "/v2/conversations", Operation.CREATE, self.create),
            ("GET", "/v2/conversations", Operation.LIST, self.listing),
            ("GET", one, Operation.GET, self.get),
            ("DELETE", one, Operation.DELETE, self.delete),
            ("POST", f"{one}/end", Operation.END, self.end),
            *(
                ("GET", f"/v2/{name}/{{id}}", Operation.PERSONA, self.persona)
                for name in ("personas", "pals")
            ),
            *(
                ("GET", f"/v2/{name}/{{id}}", Operation.REPLICA, self.replica)
                for name in ("replicas", "faces")
            ),
        ]
        return [
            web.route(method, path + slash, partial(front.serve, operation, act))
            for method, path, operation, act in table
            for slash in ("", "/")
        ]

    async def create(self, request: web.Request, drawn: Drawn) -> Answer:
        """Make a conversation; it starts now."""
        body = read_body(await request.read())
        ids = resolve(body, self.personas, self.replicas)
        now = self._settled()
        test_mode = body.get("test_mode", False)
        if not test_mode and self._account.is_full():
            raise refused(400, message=answers.NO_SLOT)
        life = Life(now, _timers(body.get("properties", {}), self._plan), test_mode)
        room = self._room(body, ids, life, self._base(request))
        self._account.add(room)
        return Answer(200, answers.created(room, self._dialect))

    async def listing(self, request: web.Request, drawn: Drawn) -> Answer:
        """One page of the account's conversations, newest first; `page=0` is the first, too."""
        limit = min(_whole(request, "limit", 10, least=1), MOST_ROWS)
        first = (max(_whole(request, "page", 1, least=0), 1) - 1) * limit
        status = request.query.get("status")
        if status not in (None, "active", "ended"):
            raise refused(400, error="Invalid status")
        rooms, total = self._listed(status, drawn)
        return Answer(200, answers.page(islice(rooms, first, first + limit), total, self._dialect))

    async def get(self, request: web.Request, drawn: Drawn) -> Answer:
        """One conversation, with its events if they are asked for."""
        now = self._settled()
        room = self._find(request)
        if request.query.get("verbose", "").lower() == "true":
            return Answer(200, answers.verbose(room, now, self._dialect))
        return Answer(200, answers.row(room, self._dialect))

    async def end(self, request: web.Request, drawn: Drawn) -> Answer:
        """End a conversation, whatever the body; one that is over is a 400."""
        now = self._settled()
        room = self._find(request)
        if room.ended is not None:
            raise refused(400, error="The conversation has already ended")
        self._account.shut(room, Shutdown.END_CALLED, now)
        return Answer(200, {})

    async def delete(self, request: web.Request, drawn: Drawn) -> Answer:
        """Delete a conversation, hard or not: from now on it is unknown."""
        now = self._settled()
        self._account.delete(self._find(request), now)
        return Answer(204, None)

    async def persona(self, request: web.Request, drawn: Drawn) -> Answer:
        """One persona."""
        persona_id = request.match_info["id"]
        if persona_id not in self.personas:
            raise refused(400, error="Invalid persona_id")
        return Answer(200, answers.persona(persona_id, self.personas[persona_id], self._dialect))

    async def replica(self, request: web.Request, drawn: Drawn) -> Answer:
        """One replica."""
        replica_id = request.match_info["id"]
        if replica_id not in self.replicas:
            raise refused(400, error="Invalid replica_id")
        return Answer(200, answers.replica(replica_id, self.replicas[replica_id], self._dialect))

    def _settled(self) -> Instant:
        now = self._now()
        self._account.settle(now)
        return now

    def _find(self, request: web.Request) -> Room:
        room = self._account.find(request.match_info["id"])
        if room is None:
            raise refused(400, error="Invalid conversation_id")
        return room

    def _listed(self, status: str | None, drawn: Drawn) -> tuple[Iterator[Room], int]:
        """Rooms in the order of the list, and their number; faults may hide new ones or change the order."""
        now = self._settled()
        rooms, total = self._account.listed(status)
        lag, order = drawn.shaper(Kind.LIST_LAG), drawn.shaper(Kind.LIST_ORDER)
        if lag is None and order is None:
            return rooms, total
        shown = [room for room in rooms if lag is None or room.created_at + lag.seconds <= now]
        return iter(shown if order is None else reordered(shown, order)), len(shown)

    def _room(self, body: Mapping[str, Any], ids: Mapping[str, str | None], life: Life, base: str) -> Room:
        conversation_id = f"c{secrets.token_hex(6)}"
        url = f"{base}/join/{conversation_id}"
        token = None
        if body.get("require_auth") or body.get("properties", {}).get("require_auth"):
            token = meeting_token(self._secret, conversation_id, token_expires_at(life))
        return Room(conversation_id, body, ids, url, life, token)


def _timers(properties: Mapping[str, Any], plan: Plan) -> Timers:
    """The timers asked for, with the API's defaults, silently cut to the plan's maximum."""
    standard = Timers()
    return Timers(
        min(properties.get("max_call_duration", standard.max_call_duration_s), plan.max_call_duration_s),
        properties.get("participant_left_timeout", standard.participant_left_timeout_s),
        properties.get("participant_absent_timeout", standard.participant_absent_timeout_s),
    )


def _whole(request: web.Request, name: str, default: int, least: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) < least:
        raise refused(400, error=f"Invalid {name}")
    return int(text)
